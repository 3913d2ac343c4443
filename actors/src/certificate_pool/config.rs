//! How a pool is bounded.

use crate::Canary;
use drystone_engine::types::Genesis;
use std::{num::NonZeroUsize, sync::Arc};

/// Parameters of a pool.
#[derive(Clone, Debug)]
pub struct Config {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// Certificates kept of one lane. At least 2, for one that does not link must not push out the one that does.
    pub certificates_max: usize,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// The planted bug, if any.
    pub canary: Canary,
}

impl Config {
    /// Headers kept of one lane: what it may hold above its last finalized inclusion, the window above that, and
    /// as much again for what is seen before the inclusion below it is.
    pub(super) fn headers_max(&self) -> usize {
        let headers = self
            .genesis
            .lane_headers_max
            .saturating_add(self.genesis.window());
        usize::try_from(headers.saturating_mul(2)).unwrap_or(usize::MAX)
    }

    /// Panics if the sizes contradict each other.
    pub(super) fn check(&self) {
        assert!(
            self.certificates_max >= 2,
            "certificates_max is {}: it must be at least 2",
            self.certificates_max
        );
    }
}
