//! Certificates that need no second check.

#[cfg(test)]
mod tests;

use drystone_engine::types::{Certificate, Types};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The last certificates of each lane that were verified or assembled here. One names its epoch, and an epoch's committee
/// never changes, so what held once holds. The proof counts: the same place with other signatures is another certificate.
pub(super) struct Verified<T: Types> {
    each_max: usize,
    lanes: BTreeMap<T::PublicKey, VecDeque<Arc<Certificate<T>>>>,
}

impl<T: Types> Verified<T> {
    pub(super) const fn new(each_max: usize) -> Self {
        Self {
            each_max,
            lanes: BTreeMap::new(),
        }
    }

    /// Remembers one, and forgets the oldest of its lane if there are too many. Lanes are those of sequencers, since
    /// nothing else is ever certified.
    pub(super) fn insert(&mut self, certificate: Arc<Certificate<T>>) {
        if self.contains(&certificate) {
            return;
        }
        let lane = self.lanes.entry(certificate.sequencer.clone()).or_default();
        if lane.len() == self.each_max {
            lane.pop_front();
        }
        lane.push_back(certificate);
    }

    pub(super) fn contains(&self, certificate: &Certificate<T>) -> bool {
        let lane = self.lanes.get(&certificate.sequencer);
        lane.is_some_and(|it| it.iter().any(|held| **held == *certificate))
    }
}
