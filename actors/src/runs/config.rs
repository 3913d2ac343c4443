//! How runs are asked for and served.

use super::wire::message_size_max;
use crate::serving::{Limits, Rate};
use drystone_engine::types::{Genesis, Types};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

/// Parameters of the actor.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// How long the engine alone is asked.
    pub patience_ms: u64,
    /// How long the answer of one peer is waited for before the next is asked.
    pub timeout_ms: u64,
    /// How long to wait after everybody was asked once. It doubles with each round up to `backoff_max_ms`.
    pub backoff_min_ms: u64,
    /// See `backoff_min_ms`.
    pub backoff_max_ms: u64,
    /// How long to wait before the engine is asked again, if it dropped the question.
    pub retry_ms: NonZeroU64,
    /// Runs that peers are asked for at once: those of the lowest blocks, which are executed first.
    pub asking_max: usize,
    /// What each peer is served. What was read for it counts too.
    pub serving: Rate,
    /// Requests of one peer that wait.
    pub requests_max: usize,
    /// Records being read for peers at once.
    pub reading_max: usize,
    /// Blocks whose headers are kept in memory after they were read: the next question is about another lane of one of
    /// them.
    pub recent_max: usize,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
}

impl Config {
    /// Sizes for a deployed node.
    pub fn recommended<T: Types>(genesis: Arc<Genesis>) -> Self {
        let run = message_size_max::<T>(&genesis) as u64;
        Self {
            genesis,
            patience_ms: 3_000,
            timeout_ms: 2_000,
            backoff_min_ms: 500,
            backoff_max_ms: 10_000,
            retry_ms: NonZeroU64::new(500).expect("positive"),
            asking_max: 64,
            serving: Rate {
                bytes_per_second: NonZeroU64::new(8 << 20).expect("positive"),
                burst_bytes: run.max(16 << 20),
            },
            requests_max: 128,
            reading_max: 4,
            // Twice what an executor gathers at once.
            recent_max: 16,
            mailbox_size: NonZeroUsize::new(256).expect("positive"),
        }
    }

    pub(super) const fn limits(&self) -> Limits {
        Limits {
            rate: self.serving,
            requests_max: self.requests_max,
            reading_max: self.reading_max,
        }
    }

    /// Panics if the sizes contradict each other.
    pub(super) fn check<T: Types>(&self) {
        let run = message_size_max::<T>(&self.genesis) as u64;
        assert!(
            self.serving.burst_bytes >= run,
            "a burst must let the longest run through, {run} bytes"
        );
        assert!(
            self.timeout_ms > 0 && self.backoff_min_ms > 0,
            "timeout_ms and backoff_min_ms must be at least 1: nothing is asked in a tight loop"
        );
        assert!(
            self.backoff_min_ms <= self.backoff_max_ms,
            "backoff_max_ms is {}: it must be at least backoff_min_ms, {}",
            self.backoff_max_ms,
            self.backoff_min_ms
        );
        assert!(
            self.asking_max > 0 && self.requests_max > 0 && self.reading_max > 0,
            "runs must be asked for, queued and read"
        );
    }
}
