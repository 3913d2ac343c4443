//! What whole nodes do: how long transfers take to be final and executed, and how much of a block's room is used.
//!
//! ```text
//! cargo run --release -p drystone-simulator --no-default-features --example nodes -- load
//! cargo run --release -p drystone-simulator --no-default-features --example nodes -- blocks
//! ```
//!
//! `load` runs clusters of several sizes, calm and with faults, and writes `load.csv`; `blocks` lets less and less fit a block
//! and writes `blocks.csv`; both into `simulator/baselines/nodes`. All but wall seconds is virtual or counted, and the same on
//! any machine.

mod blocks;
mod load;
#[path = "../chunks/table.rs"]
mod table;
mod workload;

use clap::{Parser, Subcommand};
use std::{error::Error, path::PathBuf};

/// A world allocates in small pieces all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Measures whole nodes.
#[derive(Parser)]
struct Cli {
    #[command(subcommand)]
    what: What,
    /// Where tables go.
    #[arg(long, global = true, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/baselines/nodes"))]
    out: PathBuf,
}

#[derive(Subcommand)]
enum What {
    /// Time and throughput of transfers, for clusters of several sizes.
    Load(load::Arguments),
    /// Throughput against what a block may stand for.
    Blocks(blocks::Arguments),
}

fn main() -> Result<(), Box<dyn Error>> {
    let cli = Cli::parse();
    match &cli.what {
        What::Load(arguments) => load::run(arguments, &cli.out),
        What::Blocks(arguments) => blocks::run(arguments, &cli.out),
    }
}
