//! How the actor is reached.

use commonware_actor::mailbox::{Policy, Sender};
use drystone_engine::coalesce::{Coalesce, retain};
use std::collections::VecDeque;

/// This node executed a block of this height, and its state is durable.
#[derive(Clone, Copy, Debug)]
pub struct Executed(pub(super) u64);

/// The newest says all.
impl Policy for Executed {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        retain(overflow, message);
    }
}

impl Coalesce for Executed {
    fn absorb(&mut self, later: Self) -> Option<Self> {
        self.0 = self.0.max(later.0);
        None
    }
}

/// How other actors reach this one.
#[derive(Clone)]
pub struct Mailbox(pub(super) Sender<Executed>);

impl Mailbox {
    /// This node executed a block of this height, and its state is durable.
    pub fn executed(&self, height: u64) {
        let _ = self.0.enqueue(Executed(height));
    }
}
