//! What a network is given once, before its first message.

use std::num::NonZeroUsize;

/// Settings of a [`Network`](super::Network).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// Sub-seed of the network stream: every per-message draw is a function of it.
    pub seed: u64,

    /// Arrival times are rounded up to a multiple of this, so that messages arriving close to one
    /// another share a wake-up. The runtime's cycle should be no longer, or it distorts latency.
    pub quantum_us: u32,

    /// Largest message a sender may pass; a larger one is the sending node's own fault and panics.
    pub message_size_max: u32,

    /// Messages an inbox holds, and messages a clogged link holds. An arrival beyond it is dropped.
    pub inbox_max: NonZeroUsize,

    /// Peer sets a node tracks; a newer one displaces the oldest.
    pub peer_sets_max: NonZeroUsize,
}

impl Config {
    /// The usual settings for the network stream `seed`: a quantum of 10 us, messages up to 4 MiB,
    /// 1024 messages an inbox, four peer sets.
    pub const fn new(seed: u64) -> Self {
        Self {
            seed,
            quantum_us: 10,
            message_size_max: 4 * 1024 * 1024,
            inbox_max: NonZeroUsize::new(1024).unwrap(),
            peer_sets_max: NonZeroUsize::new(4).unwrap(),
        }
    }
}
