//! How cost grows: with the number of validators, and restart time with the length of the journal.
//!
//! ```text
//! cargo run --release -p drystone-simulator --no-default-features --example scaling -- validators
//! cargo run --release -p drystone-simulator --no-default-features --example scaling -- restart
//! ```
//!
//! Each writes a table as CSV and as Markdown, with the machine, the commit and the command, and a plot as SVG into
//! `simulator/baselines/scaling`. Validators are simulated, and do the work of the example `lanes`, whose world and
//! columns these are; journals lie in real files, in the directory for temporary ones.

#[path = "../lanes/arguments.rs"]
mod arguments;
#[path = "../lanes/board.rs"]
mod board;
#[allow(
    dead_code,
    reason = "one of the schemes in it is not measured here: its engine would have to be compiled"
)]
#[path = "../lanes/doubles.rs"]
mod doubles;
#[path = "../lanes/measure.rs"]
mod measure;
#[path = "../lanes/row.rs"]
mod row;
#[path = "../lanes/world.rs"]
mod world;

mod plot;
mod restart;
mod table;
mod validators;

use clap::{Parser, Subcommand};
use std::{error::Error, path::PathBuf};

/// Measures how cost grows.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Where tables and plots go.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baselines/scaling"))]
    out: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Cost of a certified chunk for each validator, against their number.
    Validators(validators::Arguments),
    /// Time to open a journal, against its length.
    Restart(restart::Arguments),
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    match &cli.what {
        What::Validators(arguments) => validators::run(arguments, &cli.out),
        What::Restart(arguments) => restart::run(arguments, &cli.out),
    }
}
