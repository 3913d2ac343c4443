//! What reaches the builder.

use crate::{mempool::Readiness, transaction::Transaction};
use commonware_actor::mailbox::{Policy, Sender};
use commonware_utils::channel::oneshot;
use drystone_engine::{
    Next,
    coalesce::{Coalesce, retain},
    types::Payload,
};
use std::{collections::VecDeque, sync::Arc};

/// Who asked for a chunk.
#[derive(Debug)]
pub struct Request {
    /// Where it goes.
    pub next: Next,
    /// Where its payload goes.
    pub payload: oneshot::Sender<Payload>,
}

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message {
    /// The engine asked for a chunk.
    Proposed(Request),
    /// The mempool has another amount to pack.
    Ripened(Readiness),
    /// The mempool handed out transactions: none, if they are gone meanwhile.
    Handed(Vec<Arc<Transaction>>),
    /// Whether the body is durable.
    Persisted(bool),
    /// A time the state asked for came.
    Woken,
}

/// What the engine and the mempool send.
pub enum Ingress {
    /// See [`Message::Proposed`].
    Proposed(Request),
    /// See [`Message::Ripened`].
    Ripened(Readiness),
}

/// The newest of each is kept: the engine asks again only when it has given up on what it asked before, and
/// an amount replaces the one before it.
impl Policy for Ingress {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        retain(overflow, message);
    }
}

impl Coalesce for Ingress {
    fn absorb(&mut self, later: Self) -> Option<Self> {
        match (self, later) {
            (Self::Proposed(held), Self::Proposed(later)) => *held = later,
            (Self::Ripened(held), Self::Ripened(later)) => *held = later,
            (_, later) => return Some(later),
        }
        None
    }
}

/// How the engine's automaton and the mempool reach the builder.
#[derive(Clone)]
pub struct Mailbox(pub(super) Sender<Ingress>);

impl Mailbox {
    /// Asks for the next chunk of this node's lane, as `Automaton::propose` does.
    pub fn propose(&self, next: Next) -> oneshot::Receiver<Payload> {
        let (payload, receiver) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Proposed(Request { next, payload }));
        receiver
    }

    pub(crate) fn ripened(&self, readiness: Readiness) {
        let _ = self.0.enqueue(Ingress::Ripened(readiness));
    }
}
