//! Where runs come from in this node.

use crate::executor::{self, Lanes, Record};
use commonware_utils::channel::oneshot;
use drystone_engine::types;

/// Keeps what was executed. The executor's mailbox does.
pub trait Records<T: types::Types>: Clone + Send + Sync + 'static {
    /// The record of an executed block. `None` if it is not executed here, or not kept any more. A dropped sender means
    /// "not now".
    fn record(&self, height: u64) -> oneshot::Receiver<Option<Record<T>>>;
}

impl<T: types::Types> Records<T> for executor::Mailbox<T> {
    fn record(&self, height: u64) -> oneshot::Receiver<Option<Record<T>>> {
        Self::record(self, height)
    }
}

/// The nouns of the actor.
pub trait Types: Send + Sync + 'static {
    /// The nouns of the lanes.
    type Engine: types::Types;
    /// Knows headers, and is asked first: the engine.
    type Lanes: Lanes<Self::Engine>;
    /// Keeps what was executed, for peers that ask.
    type Records: Records<Self::Engine>;
}

/// Names a node, or a sequencer.
pub(super) type PublicKey<T> = <<T as Types>::Engine as types::Types>::PublicKey;
