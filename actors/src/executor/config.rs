//! How an executor is bounded and laid out.

use crate::{Canary, disk::Disk};
use drystone_engine::types::Genesis;
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

/// Parameters of an executor.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// How long before its expiry a transaction may be executed. A parameter of consensus.
    pub transaction_window_ms: u64,
    /// Blocks whose bodies are gathered at once: the one that is executed next, and those behind it. No more than the
    /// orderer hands out without an acknowledgement.
    pub ahead_blocks: NonZeroUsize,
    /// Bytes of bodies gathered at once. The block that is executed next is gathered whatever its size, which is
    /// bounded by what a block may stand for.
    pub ahead_bytes: u64,
    /// How long to wait for a body, or for headers, before asking here again.
    pub retry_ms: NonZeroU64,
    /// Blocks below the newest whose records are kept. They are kept for a transaction window in any case.
    pub retention_blocks: u64,
    /// Blocks whose roots are known at the start to those who judge blocks: more than the chain's `execution_lag_max`, or
    /// this node keeps questions open that it could answer.
    pub roots_blocks: NonZeroUsize,
    /// Events that wait for a subscriber before it loses the oldest.
    pub events_max: NonZeroUsize,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// The disk.
    pub disk: Disk,
    /// A known bug, for tests.
    pub canary: Canary,
}

impl Config {
    /// Sizes for a deployed node. A transaction may live as long as the chunk that it is in.
    pub fn recommended(genesis: Arc<Genesis>, partition: impl Into<String>) -> Self {
        let positive = |it| NonZeroUsize::new(it).expect("positive");
        Self {
            transaction_window_ms: genesis.window_ms,
            genesis,
            ahead_blocks: positive(8),
            ahead_bytes: 64 << 20,
            retry_ms: NonZeroU64::new(500).expect("positive"),
            retention_blocks: 1 << 16,
            roots_blocks: positive(256),
            events_max: positive(256),
            mailbox_size: positive(256),
            // One index, which a record enters with each block.
            disk: Disk {
                page_cache: positive(64),
                ..Disk::recommended(partition)
            },
            canary: Canary::None,
        }
    }
}
