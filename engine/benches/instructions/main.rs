//! How many instructions the hot three take, counted by callgrind: the same on a busy machine as on a quiet one.
//!
//! ```text
//! cargo bench -p drystone-engine --bench instructions              # a table, beside the figures of record
//! cargo bench -p drystone-engine --bench instructions -- --check   # fails if one moved by more than the tolerance
//! cargo bench -p drystone-engine --bench instructions -- --write   # makes what is counted the figures of record
//! ```
//!
//! Each is run under callgrind with `N` and with `2 N` rounds; the difference, by `N`, is the cost of a round without
//! what comes before and after. Counts depend on the compiler, so with another one than that of record nothing is judged.
//! Without valgrind nothing is counted. Both are said, and neither fails: a check that must not be skipped greps for it.

#[path = "../kit/mod.rs"]
mod kit;

mod count;
mod hot;
mod record;

use clap::Parser;
use hot::HOT;
use record::{Record, TOLERANCE_PERCENT};
use std::process::ExitCode;

/// Counts instructions of the hot three.
#[derive(Parser)]
struct Arguments {
    /// Fail if a figure is further from the one of record than the tolerance.
    #[arg(long, conflicts_with = "write")]
    check: bool,
    /// Write the figures of record anew.
    #[arg(long)]
    write: bool,
    /// Run one of them so many times and count nothing: what callgrind is given.
    #[arg(long, num_args = 2, value_names = ["NAME", "ROUNDS"], hide = true)]
    run: Option<Vec<String>>,
    /// What cargo says to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    if let Some([name, rounds]) = arguments.run.as_deref() {
        let rounds = rounds.parse().expect("a number of rounds");
        let hot = HOT.iter().find(|it| it.name == name);
        (hot.expect("one of the hot three").run)(rounds);
        return ExitCode::SUCCESS;
    }
    if let Err(why) = count::valgrind() {
        println!("instructions: SKIPPED, nothing was counted: {why}");
        return ExitCode::SUCCESS;
    }
    let counted = HOT.iter().map(|it| (it.name.into(), count::per_round(it)));
    let is = Record {
        compiler: record::compiler(),
        instructions: counted.collect(),
    };
    if arguments.write {
        is.write();
    }
    let was = Record::read();
    let moved = is.show_beside(&was);
    if is.compiler != was.compiler {
        println!(
            "instructions: NOT JUDGED, the figures of record are of {}, these of {}",
            was.compiler, is.compiler
        );
        return ExitCode::SUCCESS;
    }
    if arguments.check && !moved.is_empty() {
        println!(
            "{} moved by more than {TOLERANCE_PERCENT} %. If that is meant, write the figures of record anew:\n\
             cargo bench -p drystone-engine --bench instructions -- --write",
            moved.join(", ")
        );
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
