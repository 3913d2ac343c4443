//! Ids of transactions executed not long ago, so that none is taken a second time.

use crate::unordered;
use drystone_engine::types::Digest;
use std::collections::BTreeMap;

/// Executed transactions until they expire. Beyond the bound those that expire first are forgotten first: they
/// are of use to nobody soonest.
pub struct Window {
    ids: unordered::Set<Digest>,
    by_expiry: BTreeMap<u64, Vec<Digest>>,
    max: usize,
}

impl Window {
    pub fn new(max: usize) -> Self {
        Self {
            ids: unordered::Set::default(),
            by_expiry: BTreeMap::new(),
            max,
        }
    }

    pub fn insert(&mut self, id: Digest, expiry_ms: u64) {
        if !self.ids.insert(id) {
            return;
        }
        self.by_expiry.entry(expiry_ms).or_default().push(id);
        if self.ids.len() > self.max {
            let mut first = self.by_expiry.first_entry().expect("more than the bound");
            let id = first.get_mut().pop().expect("none is empty");
            if first.get().is_empty() {
                first.remove();
            }
            self.ids.remove(&id);
        }
    }

    pub fn contains(&self, id: &Digest) -> bool {
        self.ids.contains(id)
    }

    /// Forgets what no block after this time can take.
    pub fn advance(&mut self, chain_ms: u64) {
        while let Some(first) = self.by_expiry.first_entry()
            && *first.key() <= chain_ms
        {
            for id in first.remove() {
                self.ids.remove(&id);
            }
        }
    }
}
