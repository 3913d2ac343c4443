//! One run of one program, and what it printed.

use super::matrix::Case;
use crate::row;
use std::{collections::BTreeMap, io, path::Path, process::Command};

/// What is run.
pub enum Program<'a> {
    /// The baseline.
    Theirs(&'a Path),
    /// Ours, with that many chunks of a lane outstanding at most.
    Ours(&'a Path, u64),
}

/// A row by column. The baseline lacks ours, which are empty then.
pub struct Sample {
    program: String,
    values: BTreeMap<String, String>,
}

impl Program<'_> {
    /// # Errors
    /// If it cannot be run, fails or prints something else.
    pub fn run(&self, case: &Case) -> io::Result<Sample> {
        let (path, height) = match self {
            Self::Ours(path, in_flight_max) if *in_flight_max > 1 => (path, case.ours),
            Self::Ours(path, _) | Self::Theirs(path) => (path, case.theirs),
        };
        let mut command = Command::new(path);
        // Links of 10 ms without jitter; a turn of the scheduler is too short to matter.
        command
            .args([case.scheme, &case.n.to_string(), &height.to_string()])
            .args(["10000", "0", "10"])
            .env("FSYNC_US", case.fsync_us.to_string())
            .env("LOSS", (f64::from(case.loss_percent) / 100.0).to_string())
            .env("REBROADCAST_MS", case.rebroadcast_ms.to_string());
        if let Self::Ours(_, in_flight_max) = self {
            command.args(["--in-flight-max", &in_flight_max.to_string()]);
        }
        let values = last_line(&mut command)?;
        let names = match self {
            Self::Theirs(path) => last_line(Command::new(path).arg("--header"))?,
            Self::Ours(..) => row::header(),
        };
        let names = names.split(',').map(String::from);
        Ok(Sample {
            program: match self {
                Self::Theirs(_) => "ordered-broadcast".to_string(),
                Self::Ours(..) => "drystone".to_string(),
            },
            values: names.zip(values.split(',').map(String::from)).collect(),
        })
    }
}

fn last_line(command: &mut Command) -> io::Result<String> {
    let output = command.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().last() {
        Some(line) if output.status.success() => Ok(line.to_string()),
        _ => Err(io::Error::other(format!(
            "{command:?} failed: {}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stderr)
                .lines()
                .take(4)
                .collect::<Vec<_>>()
                .join("\n")
        ))),
    }
}

impl Sample {
    /// A number.
    ///
    /// # Panics
    /// If there is none in that column.
    pub fn get(&self, column: &str) -> f64 {
        self.find(column)
            .unwrap_or_else(|| panic!("{} prints no number as {column}", self.program))
    }

    /// A number, if the program counts that.
    pub fn find(&self, column: &str) -> Option<f64> {
        self.values.get(column)?.parse().ok()
    }

    pub fn cpu_us_per_cv(&self) -> f64 {
        self.get("cpu_us_per_chunk_per_validator")
    }

    /// Certified chunks per virtual second and lane.
    pub fn rate(&self) -> f64 {
        self.get("chunks_per_virt_s_per_seq")
    }

    /// A line of the file.
    pub fn line(&self) -> String {
        let names = row::header();
        let values = names
            .split(',')
            .map(|name| self.values.get(name).map_or("", String::as_str));
        let line: Vec<_> = std::iter::once(self.program.as_str())
            .chain(values)
            .collect();
        line.join(",")
    }
}
