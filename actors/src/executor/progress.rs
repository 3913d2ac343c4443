//! How far this node has executed, for those who build and judge blocks.

use crate::state::Head;
use commonware_utils::sync::Mutex;
use drystone_engine::types::{Digest, Tip};
use std::{collections::BTreeMap, sync::Arc};

/// The newest executed block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Newest<P> {
    /// Which.
    pub head: Head,
    /// The lane table in it: the last included place of each lane.
    pub lanes: Arc<BTreeMap<P, Tip>>,
    /// The root of the state after it, and of those below it as far as they are kept.
    pub roots: Arc<BTreeMap<u64, Digest>>,
}

/// What this node has executed. It is there before the executor is, and knows nothing then.
#[derive(Clone, Debug)]
pub struct Progress<P>(Arc<Mutex<Option<Newest<P>>>>);

impl<P> Default for Progress<P> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<P: Clone> Progress<P> {
    /// The newest executed block. `None` until the executor was attached.
    pub fn newest(&self) -> Option<Newest<P>> {
        self.0.lock().clone()
    }

    pub(super) fn set(&self, newest: Newest<P>) {
        *self.0.lock() = Some(newest);
    }
}
