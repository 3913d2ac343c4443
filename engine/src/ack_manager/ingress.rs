//! What other actors of the node tell the ack manager.

use crate::{
    types::{Certificate, Tip, Types},
    wire::Acks,
};
use commonware_actor::mailbox::{Policy, Sender};
use std::{collections::VecDeque, sync::Arc};

/// Facts about this node's lane.
pub enum Ingress<T: Types> {
    /// This node, as a validator, acked its own lane.
    Acked(Acks<T>),
    /// Acks for this place are to be counted.
    Sealed(Tip),
    /// A newer certificate is known.
    Certified(Arc<Certificate<T>>),
    /// The lane's entry in the executed lane table moved.
    Executed(Tip),
    /// The epoch moved on.
    Entered(u64),
}

/// Everything is kept, in order: the sequencer sends at most `in_flight_max` places between two
/// certificates, and validators at most that many acks, so the queue is bounded by the protocol.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        overflow.push_back(message);
    }
}

/// How other actors reach the ack manager.
pub struct Mailbox<T: Types>(pub(super) Sender<Ingress<T>>);

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Types> Mailbox<T> {
    pub(crate) fn acked(&self, acks: Acks<T>) {
        let _ = self.0.enqueue(Ingress::Acked(acks));
    }

    pub(crate) fn sealed(&self, tip: Tip) {
        let _ = self.0.enqueue(Ingress::Sealed(tip));
    }

    pub(crate) fn certified(&self, certificate: Arc<Certificate<T>>) {
        let _ = self.0.enqueue(Ingress::Certified(certificate));
    }

    pub(crate) fn executed(&self, tip: Tip) {
        let _ = self.0.enqueue(Ingress::Executed(tip));
    }

    pub(crate) fn entered(&self, epoch: u64) {
        let _ = self.0.enqueue(Ingress::Entered(epoch));
    }
}
