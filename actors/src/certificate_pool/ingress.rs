//! How the pool is reached.

use super::{Candidate, Selection};
use commonware_actor::mailbox::{Overflow, Policy, Sender};
use commonware_utils::channel::oneshot;
use drystone_engine::{
    Horizon,
    types::{Certificate, Signed, Types},
};
use std::{collections::VecDeque, sync::Arc};

/// What the state is told. Facts in the past tense.
pub enum Message<T: Types> {
    /// A certificate was verified or assembled here.
    Certified(Arc<Certificate<T>>),
    /// A header whose sequencer's signature was checked: locked, proposed, or fetched below a certificate.
    Seen(Arc<Signed<T>>),
    /// The chain moved.
    Advanced(Horizon<T::PublicKey>),
}

/// What other actors of the node send.
pub enum Ingress<T: Types> {
    /// A fact.
    Told(Message<T>),
    /// The block builder asked what a block can include.
    Asked {
        /// About which block.
        selection: Selection<T::PublicKey>,
        /// Takes the answer.
        responder: oneshot::Sender<Vec<Candidate<T>>>,
    },
}

/// What a full mailbox keeps: all that fits a bound, and of the horizon one merged report. What is dropped is lost
/// to this node's own proposals only, until the lane's inclusion passes it: others include it. Who asks and is dropped
/// sees its responder end, and asks again.
pub struct Retained<T: Types> {
    horizon: Option<Horizon<T::PublicKey>>,
    rest: VecDeque<Ingress<T>>,
}

impl<T: Types> Default for Retained<T> {
    fn default() -> Self {
        Self {
            horizon: None,
            rest: VecDeque::new(),
        }
    }
}

/// Messages that wait beyond a full mailbox. A policy has no configuration, so this is a constant: a few megabytes.
const OVERFLOW_MAX: usize = 1 << 14;

impl<T: Types> Overflow<Ingress<T>> for Retained<T> {
    fn is_empty(&self) -> bool {
        self.horizon.is_none() && self.rest.is_empty()
    }

    fn drain<F>(&mut self, mut push: F)
    where
        F: FnMut(Ingress<T>) -> Option<Ingress<T>>,
    {
        // The horizon goes first: it makes room, and it is monotone, so being early does no harm.
        if let Some(horizon) = self.horizon.take()
            && let Some(Ingress::Told(Message::Advanced(horizon))) =
                push(Ingress::Told(Message::Advanced(horizon)))
        {
            self.horizon = Some(horizon);
            return;
        }
        Overflow::drain(&mut self.rest, push);
    }
}

impl<T: Types> Policy for Ingress<T> {
    type Overflow = Retained<T>;

    fn handle(overflow: &mut Retained<T>, message: Self) {
        match message {
            Self::Told(Message::Advanced(horizon)) => {
                overflow.horizon.get_or_insert_default().merge(horizon);
            }
            message if overflow.rest.len() < OVERFLOW_MAX => overflow.rest.push_back(message),
            _ => {}
        }
    }
}

/// How other actors reach the pool.
pub struct Mailbox<T: Types>(pub(super) Sender<Ingress<T>>);

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Types> Mailbox<T> {
    /// A certificate was verified or assembled here.
    pub fn certified(&self, certificate: Arc<Certificate<T>>) {
        let _ = self
            .0
            .enqueue(Ingress::Told(Message::Certified(certificate)));
    }

    /// A header whose signature was checked is here.
    pub fn seen(&self, header: Arc<Signed<T>>) {
        let _ = self.0.enqueue(Ingress::Told(Message::Seen(header)));
    }

    /// The chain moved.
    pub fn advanced(&self, horizon: Horizon<T::PublicKey>) {
        let _ = self.0.enqueue(Ingress::Told(Message::Advanced(horizon)));
    }

    /// What a block can include. If the pool is overloaded or ends, the sender is dropped.
    pub fn select(
        &self,
        selection: Selection<T::PublicKey>,
    ) -> oneshot::Receiver<Vec<Candidate<T>>> {
        let (responder, answer) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Asked {
            selection,
            responder,
        });
        answer
    }
}
