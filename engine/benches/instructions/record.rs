//! The figures of record, checked in beside this file.

use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fs, path::PathBuf, process::Command};

/// How far a figure may be from the one of record, up or down: a gain that is not written down hides the next loss.
/// The layout of code and of the heap moves counts by a few in a thousand.
pub const TOLERANCE_PERCENT: f64 = 3.0;

/// Instructions by what was measured.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    /// The compiler that built what was counted.
    pub compiler: String,
    /// For one round.
    pub instructions: BTreeMap<String, u64>,
}

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("benches/instructions/record.toml")
}

/// The compiler in use, which is the one that built this: cargo builds a bench before it runs it.
pub fn compiler() -> String {
    let answer = Command::new("rustc").arg("--version").output();
    let answer = answer.expect("rustc is where cargo found it");
    String::from_utf8_lossy(&answer.stdout).trim().to_owned()
}

impl Record {
    pub fn read() -> Self {
        let text = fs::read_to_string(path()).expect("the figures of record are there");
        toml::from_str(&text).expect("a compiler, and instructions by name")
    }

    pub fn write(&self) {
        let figures = toml::to_string(self).expect("strings and numbers");
        let head = "# Instructions for a round of each of the hot three (see hot.rs). Written by\n\
                    #     cargo bench -p drystone-engine --bench instructions -- --write\n\n";
        fs::write(path(), format!("{head}{figures}")).expect("the figures can be written");
    }

    /// Prints these figures beside those of record, and gives the names of those that moved too far.
    pub fn show_beside(&self, was: &Self) -> Vec<String> {
        println!(
            "{:<40} {:>12} {:>12} {:>8}",
            "instructions for a round", "of record", "now", "change"
        );
        let mut moved = Vec::new();
        for (name, is) in &self.instructions {
            let Some(was) = was.instructions.get(name) else {
                println!("{name:<40} {:>12} {is:>12} {:>8}", "-", "new");
                moved.push(name.clone());
                continue;
            };
            let percent = (*is as f64 / *was as f64 - 1.0) * 100.0;
            println!("{name:<40} {was:>12} {is:>12} {percent:>+7.1}%");
            if percent.abs() > TOLERANCE_PERCENT {
                moved.push(name.clone());
            }
        }
        moved
    }
}
