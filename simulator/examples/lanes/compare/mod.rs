//! Both programs over a matrix, interleaved in one run, and what we hold ourselves to beside what came out.

mod matrix;
mod sample;
mod table;
mod targets;

use super::row;
use clap::Args;
use matrix::Case;
use sample::{Program, Sample};
use std::{
    fs::{self, File},
    io::{self, Write as _},
    path::{Path, PathBuf},
};

/// Runs the baseline and ours over a matrix, and compares them.
#[derive(Debug, Args)]
pub struct Comparison {
    /// The baseline's program, `bench-ob`.
    #[arg(long)]
    baseline: PathBuf,
    /// Every size, scheme, disk and loss; without it, what takes some ten minutes on a quiet machine.
    #[arg(long)]
    full: bool,
    /// Only the cases whose name has this in it: "ed25519", "mock 25, sync".
    #[arg(long, default_value = "")]
    only: String,
    /// Where every row goes, of both programs.
    #[arg(long)]
    csv: PathBuf,
    /// How often each case is run; the run with the least processor time counts.
    #[arg(long, default_value_t = 1)]
    repetitions: u32,
}

/// One case, as each program did it.
pub struct Outcome {
    case: Case,
    theirs: Sample,
    /// One chunk of a lane outstanding, as the baseline has it.
    single: Option<Sample>,
    ours: Sample,
}

impl Comparison {
    /// Compares, and prints what came out as it does.
    ///
    /// # Errors
    /// If a program cannot be run, fails or prints something else, or the file cannot be written.
    pub fn run(&self) -> io::Result<()> {
        let mut csv = File::create(&self.csv)?;
        writeln!(csv, "program,{}", row::header())?;
        let ours = std::env::current_exe()?;
        let mut cases = matrix::cases(self.full);
        cases.retain(|case| case.to_string().contains(&self.only));
        println!("machine: {}", machine());
        println!("commit: {}", row::commit());
        println!(
            "command: {}",
            std::env::args().collect::<Vec<_>>().join(" ")
        );
        let mut outcomes = Vec::new();
        for (index, case) in cases.iter().enumerate() {
            eprintln!("{} of {}: {case}", index + 1, cases.len());
            match self.outcome(case, &ours, &mut csv) {
                Ok(outcome) => outcomes.push(outcome),
                Err(error) => eprintln!("left out: {error}"),
            }
        }
        println!("\n{}", table::cases(&outcomes));
        println!("\n{}", table::targets(&targets::judge(&outcomes)));
        println!("\nload after: {}", load());
        if outcomes.len() < cases.len() {
            return Err(io::Error::other("some cases were left out, see above"));
        }
        Ok(())
    }

    /// Theirs, ours, theirs, ours: what else the machine does meets both.
    fn outcome(&self, case: &Case, ours: &Path, csv: &mut File) -> io::Result<Outcome> {
        let theirs = Program::Theirs(&self.baseline);
        let single = Program::Ours(ours, 1);
        let pipelined = Program::Ours(ours, matrix::IN_FLIGHT_MAX);
        let mut best: [Option<Sample>; 3] = [None, None, None];
        for _ in 0..self.repetitions.max(1) {
            let programs = [
                Some(&theirs),
                case.single.then_some(&single),
                Some(&pipelined),
            ];
            for (best, program) in best.iter_mut().zip(programs) {
                let Some(program) = program else { continue };
                let sample = program.run(case)?;
                writeln!(csv, "{}", sample.line())?;
                if best
                    .as_ref()
                    .is_none_or(|it| sample.cpu_us_per_cv() < it.cpu_us_per_cv())
                {
                    *best = Some(sample);
                }
            }
        }
        let [theirs, single, ours] = best;
        Ok(Outcome {
            case: *case,
            theirs: theirs.expect("it ran at least once"),
            single,
            ours: ours.expect("it ran at least once"),
        })
    }
}

fn machine() -> String {
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let field = |name: &str| {
        let mut lines = info.lines().filter(|line| line.starts_with(name));
        lines
            .next()
            .and_then(|line| line.split(": ").nth(1))
            .unwrap_or("unknown")
            .to_string()
    };
    let cores = std::thread::available_parallelism().map_or(0, |it| it.get());
    format!(
        "{cores} x {} at {} MHz, load {}",
        field("model name"),
        field("cpu MHz"),
        load()
    )
}

/// The machine's load average: what the processor times were taken beside.
fn load() -> String {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    load.split(' ').next().unwrap_or("unknown").to_string()
}
