//! Whether this node is in step with the chain.

#[cfg(test)]
mod tests;

use super::{Deployment, Nouns};
use crate::mempool;
use commonware_utils::sync::Mutex;
use std::sync::Arc;

#[derive(Clone, Copy, Debug, Default)]
struct Heights {
    /// The newest that an earlier life knew of, once that is known.
    before: Option<u64>,
    newest: u64,
    executed: u64,
    /// What the mempool was told last. Before it is told anything it takes nothing.
    behind: Option<bool>,
}

impl Heights {
    /// Whoever was away has executed all it knows of, and is behind all the same: until it hears of something new.
    fn is_behind(&self, lag_max: u64) -> bool {
        let hears = self.before.is_some_and(|it| self.newest > it);
        !hears || self.newest > self.executed.saturating_add(lag_max)
    }
}

/// Tells the mempool whether to take transactions: a node that is further behind than a block with tips may name as executed
/// cannot say what a transaction is worth, and neither can one that has heard of no block since it started.
pub(super) struct Step<D: Deployment> {
    heights: Arc<Mutex<Heights>>,
    lag_max: u64,
    mempool: mempool::Mailbox<Nouns<D>>,
}

impl<D: Deployment> Clone for Step<D> {
    fn clone(&self) -> Self {
        Self {
            heights: self.heights.clone(),
            lag_max: self.lag_max,
            mempool: self.mempool.clone(),
        }
    }
}

impl<D: Deployment> Step<D> {
    pub(super) fn new(lag_max: u64, mempool: mempool::Mailbox<Nouns<D>>) -> Self {
        Self {
            heights: Arc::default(),
            lag_max,
            mempool,
        }
    }

    /// Up to this height blocks were known to be final when the node started.
    pub(super) fn began(&self, height: u64) {
        self.update(|it| it.before = Some(height));
    }

    /// A height is known to be final.
    pub(super) fn newest(&self, height: u64) {
        self.update(|it| it.newest = it.newest.max(height));
    }

    /// A height is executed here.
    pub(super) fn executed(&self, height: u64) {
        self.update(|it| it.executed = it.executed.max(height));
    }

    /// Whether the mempool takes transactions.
    pub(super) fn is_behind(&self) -> bool {
        self.heights.lock().is_behind(self.lag_max)
    }

    fn update(&self, change: impl FnOnce(&mut Heights)) {
        let mut heights = self.heights.lock();
        change(&mut heights);
        let behind = heights.is_behind(self.lag_max);
        if heights.behind.replace(behind) != Some(behind) {
            self.mempool.blocks_only(behind);
        }
    }
}
