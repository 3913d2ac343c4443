//! The command line as it is typed, and its mirrors in the environment.

use crate::campaign::{Rate, Seeds, parse_seed, parse_span};
use clap::{Args, Parser, Subcommand};
use std::{path::PathBuf, time::Duration};

/// Runs seeded deterministic worlds: sweeps seeds, replays failures, shrinks them.
///
/// Without a command it sweeps 200 seeds of the first scenario.
#[derive(Debug, Parser)]
#[command(
    version,
    args_conflicts_with_subcommands = true,
    after_help = "Exit status: 0 all held; 2 wrong usage or unreadable input; 10 a safety property; 11 a liveness \
                  property; 12 a panic; 13 the same seed ran two ways."
)]
pub struct Cli {
    /// What to do; a sweep when left out.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// The sweep's own arguments.
    #[command(flatten)]
    pub run: Run,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sweep seeds on all cores and judge every property
    Run(Run),
    /// Run one seed or one capsule again and print its story
    Replay(Replay),
    /// Print the scenarios, their properties, fault kinds and observation kinds
    List,
    /// Find the smallest plan with the same failure
    Shrink(Shrink),
}

/// `run`.
#[derive(Debug, Args)]
pub struct Run {
    /// The scenario; the first in `list` when left out
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// Which seeds.
    #[command(flatten)]
    pub choice: Choice,
    /// Worlds that run at the same time; one per core when left out
    #[arg(long, value_name = "COUNT", env = "DRYSTONE_JOBS", value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: Option<u16>,
    /// Wall time after which no new seed is begun: 90, 5m, 1h
    #[arg(long, value_name = "TIME", env = "DRYSTONE_TIME_LIMIT", value_parser = parse_span)]
    pub time_limit: Option<Duration>,
    /// Write the report as one JSON object
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Put every seed's trace hash into the JSON
    #[arg(long, requires = "json")]
    pub traces: bool,
    /// Run this share of the seeds twice and compare the trace hashes: 0.1, 10%, 1
    #[arg(
        long,
        value_name = "RATE",
        env = "DRYSTONE_CHECK_DETERMINISM",
        default_value = "0"
    )]
    pub check_determinism: Rate,
    /// Directory for the capsules of failures
    #[arg(long, value_name = "DIR", default_value = "capsules")]
    pub capsules: PathBuf,
}

/// Which seeds. The command line is stronger than the environment, so neither excludes the other for clap.
#[derive(Debug, Args)]
pub struct Choice {
    /// One seed, decimal or 0x-hex
    #[arg(long, value_name = "N", env = "DRYSTONE_SEED", value_parser = parse_seed)]
    pub seed: Option<u64>,
    /// The seeds from A up to but not B, decimal or 0x-hex
    #[arg(long, value_name = "A..B", env = "DRYSTONE_SEEDS")]
    pub seeds: Option<Seeds>,
}

/// `replay`.
#[derive(Debug, Args)]
pub struct Replay {
    /// Which world.
    #[command(flatten)]
    pub subject: Subject,
    /// Print the nodes' own log lines too: a level or target=level,...
    #[arg(long, value_name = "FILTER")]
    pub log: Option<String>,
    /// Leave out what happened after this virtual time: 2.5s, 800ms
    #[arg(long, value_name = "TIME", value_parser = parse_span)]
    pub until: Option<Duration>,
    /// Leave out what concerns only other nodes
    #[arg(long, value_name = "N")]
    pub node: Option<usize>,
}

/// `shrink`.
#[derive(Debug, Args)]
pub struct Shrink {
    /// Which world.
    #[command(flatten)]
    pub subject: Subject,
    /// Worlds to run at most
    #[arg(long, value_name = "COUNT", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..))]
    pub tries: u32,
    /// Wall time after which no new world is begun; only then can the result depend on the machine
    #[arg(long, value_name = "TIME", env = "DRYSTONE_TIME_LIMIT", value_parser = parse_span)]
    pub time_limit: Option<Duration>,
    /// Directory for the shrunk capsule
    #[arg(long, value_name = "DIR", default_value = "capsules")]
    pub capsules: PathBuf,
}

/// One world: a capsule, or a scenario and a seed.
#[derive(Debug, Args)]
pub struct Subject {
    /// A capsule that `run` or `shrink` wrote
    #[arg(value_name = "FILE", conflicts_with = "scenario")]
    pub capsule: Option<PathBuf>,
    /// The scenario; the first in `list` when left out
    #[arg(long, value_name = "NAME")]
    pub scenario: Option<String>,
    /// One seed, decimal or 0x-hex
    #[arg(long, value_name = "N", env = "DRYSTONE_SEED", value_parser = parse_seed)]
    pub seed: Option<u64>,
}
