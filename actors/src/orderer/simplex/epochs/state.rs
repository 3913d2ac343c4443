//! Which epoch it is. Pure: no clock, no disk.

use drystone_engine::types::Digest;
use std::num::NonZeroU64;

/// An engine to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Entry {
    /// Of which epoch.
    pub epoch: u64,
    /// The block that it builds on: the last one of the epoch before.
    pub genesis: Digest,
}

/// See the [module](super).
pub(in super::super) struct State {
    epoch_blocks: NonZeroU64,
    current: Entry,
    entered: bool,
}

impl State {
    /// Waits to enter the epoch that follows what was handed out and acknowledged.
    pub(in super::super) const fn new(
        epoch_blocks: NonZeroU64,
        epoch: u64,
        genesis: Digest,
    ) -> Self {
        Self {
            epoch_blocks,
            current: Entry { epoch, genesis },
            entered: false,
        }
    }

    /// The epoch.
    pub(super) const fn epoch(&self) -> u64 {
        self.current.epoch
    }

    /// The height of the last block of the epoch.
    pub(super) const fn last(&self) -> u64 {
        (self.current.epoch + 1) * self.epoch_blocks.get() - 1
    }

    /// A block was handed out.
    pub(super) fn finalized(&mut self, height: u64, genesis: Digest) {
        if height == self.last() {
            self.current = Entry {
                epoch: self.current.epoch + 1,
                genesis,
            };
            self.entered = false;
        }
    }

    /// The engine to run next, if its epoch is known and it does not run yet.
    pub(super) fn enter(&mut self, known: impl Fn(u64) -> bool) -> Option<Entry> {
        if self.entered || !known(self.current.epoch) {
            return None;
        }
        self.entered = true;
        Some(self.current)
    }

    /// The height to fetch when a peer votes in an epoch that has no engine here.
    pub(super) fn heard(&self, epoch: u64) -> Option<u64> {
        (epoch > self.current.epoch).then(|| self.last())
    }

    /// Where pruning has to stop. A restart may find the last block handed out not acknowledged, and so begin in the epoch
    /// before: with the last block of the one before that.
    pub(super) fn keep(&self, below: u64) -> u64 {
        let before = self.current.epoch.saturating_sub(1);
        below.min((before * self.epoch_blocks.get()).saturating_sub(1))
    }
}
