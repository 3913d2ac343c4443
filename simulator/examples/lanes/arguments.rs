//! What one run is given: the baseline's arguments and environment, and what only ours has.

use clap::{Args, ValueEnum};
use std::fmt;

/// What signs acks. Headers are signed with ed25519, except where all is free.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Scheme {
    /// Nothing is signed for real: what the protocol costs without cryptography.
    Free,
    /// Free acks, ed25519 headers: the baseline's scheme of this name.
    Mock,
    Ed25519,
    #[cfg(feature = "bench-signatures")]
    MultisigMinsig,
    #[cfg(feature = "bench-signatures")]
    ThresholdMinsig,
    #[cfg(feature = "bench-signatures")]
    Secp256r1,
}

impl fmt::Display for Scheme {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value().expect("no variant is hidden");
        f.write_str(value.get_name())
    }
}

#[derive(Clone, Debug, Args)]
pub struct Arguments {
    /// What signs acks.
    pub scheme: Scheme,
    /// Validators.
    pub n: u32,
    /// Chunks of each lane.
    pub height: u64,
    /// Shortest time a message takes, in microseconds of virtual time.
    pub latency_us: u32,
    /// Largest further time a message takes.
    pub jitter_us: u32,
    /// Virtual time of one turn of the runtime's scheduler.
    #[arg(default_value_t = 1000)]
    pub cycle_us: u64,
    /// How many of the validators have a lane; all, if it is not given.
    pub sequencers: Option<u32>,
    /// Of everything that is drawn.
    #[arg(default_value_t = 0)]
    pub seed: u64,
    /// Virtual time that a sync of a node's disk takes.
    #[arg(long, env = "FSYNC_US", default_value_t = 0)]
    pub fsync_us: u64,
    /// Probability that a link loses a message.
    #[arg(long, env = "LOSS", default_value_t = 0.0)]
    pub loss: f64,
    /// How often what is missing or uncertified is asked for or sent again.
    #[arg(long, env = "REBROADCAST_MS", default_value_t = 5000)]
    pub rebroadcast_ms: u64,
    /// Uncertified headers of a lane, at most.
    #[arg(long, default_value_t = 32)]
    pub in_flight_max: u64,
    /// Length of a slot. A lane has at most one chunk in each.
    #[arg(long, default_value_t = 1)]
    pub slot_ms: u64,
    /// How long a certificate waits for a header to travel with.
    #[arg(long, default_value_t = 20)]
    pub linger_ms: u64,
    /// Least time from one certificate of a lane to the next, unless a quarter of the window waits for one.
    #[arg(long, default_value_t = 10)]
    pub interval_ms: u64,
    /// How often the chain that stands behind the lanes has a block.
    #[arg(long, default_value_t = 100)]
    pub block_ms: u64,
    /// Write the runtime's metrics to the standard error.
    #[arg(long)]
    pub dump: bool,
}

impl Arguments {
    /// How many lanes there are.
    pub fn lanes(&self) -> u32 {
        self.sequencers.unwrap_or(self.n).min(self.n)
    }

    /// The loss as the simulated network takes it.
    pub fn loss_ppm(&self) -> u32 {
        (self.loss * 1e6).round() as u32
    }
}
