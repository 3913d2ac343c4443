//! How a relay is bounded and paced.

use crate::{
    Canary,
    serving::{Limits, Rate},
};
use drystone_engine::types::Genesis;
use std::{num::NonZeroUsize, sync::Arc};

/// Parameters of a relay.
#[derive(Clone, Debug)]
pub struct Config<P> {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// This node.
    pub me: P,
    /// How long the push of an uncertified body is waited for before anybody is asked.
    pub patience_ms: u64,
    /// How long an answer is waited for.
    pub timeout_ms: u64,
    /// How long to wait after everybody was asked once. It doubles with each round up to `backoff_max_ms`.
    pub backoff_min_ms: u64,
    /// See `backoff_min_ms`.
    pub backoff_max_ms: u64,
    /// Requests without an answer at once. Those for finalized blocks are not counted: the executor bounds them.
    pub asking_max: usize,
    /// What each peer is served.
    pub serving: Rate,
    /// What each sequencer may push.
    pub pushed: Rate,
    /// Requests of one peer that wait.
    pub requests_max: usize,
    /// Bodies being read for peers at once.
    pub reading_max: usize,
    /// Bodies that arrived and are being opened at once. More wait in the transport.
    pub opening_max: usize,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// The planted bug, if any.
    pub canary: Canary,
}

impl<P> Config<P> {
    pub(super) const fn limits(&self) -> Limits {
        Limits {
            rate: self.serving,
            requests_max: self.requests_max,
            reading_max: self.reading_max,
        }
    }

    /// Panics if the sizes contradict each other.
    pub(super) fn check(&self) {
        let body = u64::from(self.genesis.chunk_bytes_max);
        assert!(
            self.serving.burst_bytes >= body && self.pushed.burst_bytes >= body,
            "a burst must let a body of full size through, {body} bytes"
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
            self.asking_max > 0
                && self.requests_max > 0
                && self.reading_max > 0
                && self.opening_max > 0,
            "a relay must be able to ask, to queue, to read and to open"
        );
    }
}
