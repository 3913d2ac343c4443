//! How the epochs are reached.

use commonware_actor::mailbox::{Policy, Sender};
use drystone_engine::types::Digest;
use std::collections::VecDeque;

/// What other parts of the node send.
#[derive(Debug)]
pub(in super::super) enum Ingress {
    /// A block was handed out.
    Finalized(u64, Digest),
    /// The validators of an epoch are known.
    Known,
    /// Blocks below a height are not needed.
    Pruned(u64),
}

/// Only blocks that end an epoch are sent, and few epochs can end before one is acknowledged: nothing is dropped. Of the
/// rest the last says all.
impl Policy for Ingress {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        let kind = std::mem::discriminant(&message);
        if !matches!(message, Self::Finalized(..)) {
            overflow.retain(|it| std::mem::discriminant(it) != kind);
        }
        overflow.push_back(message);
    }
}

/// How other parts of the node reach the epochs.
#[derive(Clone)]
pub(in super::super) struct Mailbox(pub Sender<Ingress>);

impl Mailbox {
    /// A block that ends an epoch was handed out.
    pub fn finalized(&self, height: u64, digest: Digest) {
        let _ = self.0.enqueue(Ingress::Finalized(height, digest));
    }

    /// The validators of an epoch are known.
    pub fn known(&self) {
        let _ = self.0.enqueue(Ingress::Known);
    }

    /// Blocks below a height are not needed.
    pub fn prune(&self, below: u64) {
        let _ = self.0.enqueue(Ingress::Pruned(below));
    }
}
