//! Ids of transactions executed not long ago, so that none is taken a second time.

use drystone_engine::types::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// Executed transactions until they expire. Beyond the bound those that expire first are forgotten first: they
/// are of use to nobody soonest.
pub struct Window {
    expiries: BTreeMap<Digest, u64>,
    order: BTreeSet<(u64, Digest)>,
    max: usize,
}

impl Window {
    pub const fn new(max: usize) -> Self {
        Self {
            expiries: BTreeMap::new(),
            order: BTreeSet::new(),
            max,
        }
    }

    pub fn insert(&mut self, id: Digest, expiry_ms: u64) {
        if self.expiries.insert(id, expiry_ms).is_none() {
            self.order.insert((expiry_ms, id));
        }
        while self.order.len() > self.max {
            let (_, id) = self.order.pop_first().expect("more than the bound");
            self.expiries.remove(&id);
        }
    }

    pub fn contains(&self, id: &Digest) -> bool {
        self.expiries.contains_key(id)
    }

    /// Forgets what no block after this time can take.
    pub fn advance(&mut self, chain_ms: u64) {
        while let Some((expiry_ms, id)) = self.order.first().copied()
            && expiry_ms <= chain_ms
        {
            self.order.pop_first();
            self.expiries.remove(&id);
        }
    }
}
