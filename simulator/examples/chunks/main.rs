//! What chunks cost, and how long payments take: whole left halves of nodes, from clients to executed blocks.
//!
//! ```text
//! cargo run --release -p drystone-simulator --no-default-features --example chunks -- load
//! cargo run --release -p drystone-simulator --no-default-features --example chunks -- flood
//! ```
//!
//! `load` runs calm clusters and writes `load.csv`; `flood` lets one producer make all the chunks it can and writes what the
//! honest nodes have in memory over time as `flood.csv` and `flood.svg`; both into `simulator/baselines/chunks`. All but
//! wall seconds is virtual or counted, and the same on any machine.

mod flood;
mod load;
mod plot;
mod table;
mod workload;

use clap::{Parser, Subcommand};
use std::{error::Error, path::PathBuf};

/// Measures chunks.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Where tables and plots go.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baselines/chunks"))]
    out: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Cost of a certified chunk and time of a payment, for clusters of several sizes.
    Load(load::Arguments),
    /// Memory of honest nodes while one producer makes all the chunks it can.
    Flood(flood::Arguments),
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    match &cli.what {
        What::Load(arguments) => load::run(arguments, &cli.out),
        What::Flood(arguments) => flood::run(arguments, &cli.out),
    }
}
