//! Whose signature was found good here, so that it is not checked a second time when the transfer is executed.

#[cfg(test)]
mod tests;

use commonware_utils::sync::Mutex;
use drystone_actors::unordered::Set;
use drystone_engine::types::Digest;
use std::{collections::VecDeque, sync::Arc};

/// Transfers remembered, at most: what a mempool holds. One that is forgotten is checked once more.
const REMEMBERED_MAX: usize = 1 << 17;

/// Transfers by their ids, which commit to the signatures.
#[derive(Clone, Debug, Default)]
pub struct Verified(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    ids: Set<Digest>,
    /// In the order they were learned.
    order: VecDeque<Digest>,
}

impl Verified {
    /// Remembers transfers whose signatures are good.
    pub fn learn(&self, ids: impl Iterator<Item = Digest>) {
        let inner = &mut *self.0.lock();
        for id in ids {
            if inner.ids.insert(id) {
                inner.order.push_back(id);
            }
            if inner.order.len() > REMEMBERED_MAX {
                let oldest = inner.order.pop_front().expect("more than the bound");
                inner.ids.remove(&oldest);
            }
        }
    }

    /// For each, whether it is remembered.
    pub fn know<'a>(&self, ids: impl Iterator<Item = &'a Digest>) -> Vec<bool> {
        let inner = self.0.lock();
        ids.map(|it| inner.ids.contains(it)).collect()
    }
}
