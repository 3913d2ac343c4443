//! What the chain tells the lanes.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::types::Tip;
use std::collections::BTreeMap;

/// How far the chain has come, as one node knows it: monotone in every part.
///
/// *Finalized* decides what an ack or a header may still be; *executed* decides what may be dropped
/// here. Local clocks decide neither.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Horizon<P> {
    /// Timestamp of the newest finalized block, in milliseconds.
    pub finalized_ms: u64,
    /// Timestamp of the newest block executed here, in milliseconds. Never above `finalized_ms`.
    pub executed_ms: u64,
    /// The last header of a lane included in a finalized block, for lanes that moved since the last
    /// report.
    pub included: BTreeMap<P, Tip>,
    /// The lane's entry in the executed lane table, for lanes that moved since the last report.
    pub executed: BTreeMap<P, Tip>,
}

impl<P> Default for Horizon<P> {
    fn default() -> Self {
        Self {
            finalized_ms: 0,
            executed_ms: 0,
            included: BTreeMap::new(),
            executed: BTreeMap::new(),
        }
    }
}

impl<P: Ord> Horizon<P> {
    /// Takes a later report into this one.
    pub fn merge(&mut self, later: Self) {
        self.finalized_ms = self.finalized_ms.max(later.finalized_ms);
        self.executed_ms = self.executed_ms.max(later.executed_ms);
        for (key, tip) in later.included {
            let held = self.included.entry(key).or_insert(tip);
            *held = (*held).max(tip);
        }
        for (key, tip) in later.executed {
            let held = self.executed.entry(key).or_insert(tip);
            *held = (*held).max(tip);
        }
    }
}
