//! Our lanes at the work of `baselines/ordered-broadcast`: same arguments, same columns, then some of our own.
//!
//! ```text
//! cargo run --release --no-default-features --example lanes -- --header
//! cargo run --release --no-default-features --example lanes -- ed25519 10 40 10000 0 10    # scheme n height latency_us jitter_us cycle_us [sequencers] [seed]
//! FSYNC_US=2000 LOSS=0.01 cargo run --release --no-default-features --example lanes -- mock 4 50 10000 0 10 --in-flight-max 1
//! ```
//!
//! `lanes.sh` beside the baseline builds both programs and has `compare` run them over a matrix.
//!
//! N engines, each on a simulated machine, share one thread. The application agrees at once and stops at `height`; the
//! run ends when every validator has verified a certificate at or above `height` of every lane.

mod arguments;
mod board;
mod compare;
mod doubles;
mod measure;
mod row;
#[cfg(test)]
mod tests;
mod world;

use arguments::{Arguments, Scheme};
use clap::{Parser, Subcommand};
use compare::Comparison;
use doubles::Mock;
use drystone_engine::scheme::fixture::{Ed25519, Free};
#[cfg(feature = "bench-signatures")]
use drystone_engine::scheme::fixture::{Multisig, Secp256r1, Threshold};
use std::io;

/// Measures the lanes at the baseline's work.
#[derive(Debug, Parser)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    /// Print the names of the columns.
    #[arg(long, exclusive = true)]
    header: bool,
    #[command(flatten)]
    run: Option<Arguments>,
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Debug, Subcommand)]
enum Command {
    Compare(Comparison),
}

fn main() -> io::Result<()> {
    let cli = Cli::parse();
    if let Some(Command::Compare(comparison)) = cli.command {
        return comparison.run();
    }
    match cli.run {
        Some(arguments) if !cli.header => run(&arguments),
        _ => println!("{}", row::header()),
    }
    Ok(())
}

fn run(arguments: &Arguments) {
    let measured = match arguments.scheme {
        Scheme::Free => world::run::<Free>(arguments),
        Scheme::Mock => world::run::<Mock>(arguments),
        Scheme::Ed25519 => world::run::<Ed25519>(arguments),
        #[cfg(feature = "bench-signatures")]
        Scheme::MultisigMinsig => world::run::<Multisig>(arguments),
        #[cfg(feature = "bench-signatures")]
        Scheme::ThresholdMinsig => world::run::<Threshold>(arguments),
        #[cfg(feature = "bench-signatures")]
        Scheme::Secp256r1 => world::run::<Secp256r1>(arguments),
    };
    if arguments.dump {
        eprintln!("{}", measured.metrics);
    }
    println!("{}", row::row(arguments, &measured));
}
