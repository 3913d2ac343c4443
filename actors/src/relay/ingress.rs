//! How the relay is reached.

use super::Message;
use crate::{
    chunk::{self, Chunk},
    reference::Reference,
};
use commonware_actor::mailbox::{Overflow, Policy, Sender};
use commonware_cryptography::PublicKey;
use commonware_utils::channel::oneshot;
use drystone_engine::types::Header;
use std::collections::{BTreeMap, VecDeque};

/// A body that was fetched, or what is wrong with its form: no other body has its digest.
pub type Fetched = Result<Chunk, chunk::Error>;

/// What other actors of the node send.
pub enum Ingress<P: PublicKey> {
    /// A fact.
    Told(Message<P>),
    /// The executor fetches a body of a finalized block.
    Fetch {
        /// Which.
        reference: Reference<P>,
        /// The height of the block.
        height: u64,
        /// Takes the body.
        responder: oneshot::Sender<Fetched>,
    },
    /// The executor gives a fetch up.
    Cancel(Reference<P>),
}

/// Messages that wait beyond a full mailbox. A policy has no configuration, so this is a constant.
const OVERFLOW_MAX: usize = 1 << 10;

/// What a full mailbox keeps: of the chunk store's wishes the last about each body, which its quotas bound; of the
/// certificates the newest of each lane; the newest epoch. Of the rest, what fits a bound: who fetches and is dropped sees its
/// responder end, and an own body that is not pushed is fetched.
pub struct Retained<P: PublicKey> {
    entered: Option<Message<P>>,
    certified: BTreeMap<P, (u64, Vec<P>)>,
    wanted: BTreeMap<Reference<P>, bool>,
    rest: VecDeque<Ingress<P>>,
}

impl<P: PublicKey> Default for Retained<P> {
    fn default() -> Self {
        Self {
            entered: None,
            certified: BTreeMap::new(),
            wanted: BTreeMap::new(),
            rest: VecDeque::new(),
        }
    }
}

impl<P: PublicKey> Retained<P> {
    /// Takes one out, the epoch first.
    fn pop(&mut self) -> Option<Ingress<P>> {
        if let Some(entered) = self.entered.take() {
            return Some(Ingress::Told(entered));
        }
        if let Some((sequencer, (height, signers))) = self.certified.pop_first() {
            return Some(Ingress::Told(Message::Certified {
                sequencer,
                height,
                signers,
            }));
        }
        if let Some((reference, wanted)) = self.wanted.pop_first() {
            let message = if wanted {
                Message::Wanted(reference)
            } else {
                Message::Settled(reference)
            };
            return Some(Ingress::Told(message));
        }
        self.rest.pop_front()
    }

    /// Puts one back that was just taken out.
    fn put_back(&mut self, message: Ingress<P>) {
        match message {
            Ingress::Told(
                Message::Entered { .. }
                | Message::Certified { .. }
                | Message::Wanted(_)
                | Message::Settled(_),
            ) => Ingress::handle(self, message),
            other => self.rest.push_front(other),
        }
    }
}

impl<P: PublicKey> Overflow<Ingress<P>> for Retained<P> {
    fn is_empty(&self) -> bool {
        self.entered.is_none()
            && self.certified.is_empty()
            && self.wanted.is_empty()
            && self.rest.is_empty()
    }

    fn drain<F>(&mut self, mut push: F)
    where
        F: FnMut(Ingress<P>) -> Option<Ingress<P>>,
    {
        while let Some(message) = self.pop() {
            if let Some(message) = push(message) {
                self.put_back(message);
                return;
            }
        }
    }
}

impl<P: PublicKey> Policy for Ingress<P> {
    type Overflow = Retained<P>;

    fn handle(overflow: &mut Retained<P>, message: Self) {
        match message {
            Self::Told(entered @ Message::Entered { .. }) => overflow.entered = Some(entered),
            Self::Told(Message::Certified {
                sequencer,
                height,
                signers,
            }) => {
                let held = overflow.certified.entry(sequencer).or_default();
                if held.0 <= height {
                    *held = (height, signers);
                }
            }
            Self::Told(Message::Wanted(reference)) => {
                overflow.wanted.insert(reference, true);
            }
            Self::Told(Message::Settled(reference)) => {
                overflow.wanted.insert(reference, false);
            }
            message if overflow.rest.len() < OVERFLOW_MAX => overflow.rest.push_back(message),
            _ => {}
        }
    }
}

/// How other actors reach the relay.
#[derive(Clone)]
pub struct Mailbox<P: PublicKey>(pub(super) Sender<Ingress<P>>);

impl<P: PublicKey> Mailbox<P> {
    fn tell(&self, message: Message<P>) {
        let _ = self.0.enqueue(Ingress::Told(message));
    }

    /// An own header is on its way: pushes its body after it. What an `Automaton` is told.
    pub fn relay(&self, header: &Header<P>) {
        self.tell(Message::Sealed(Reference::from(header)));
    }

    /// The chunk store wants a body.
    pub fn want(&self, reference: Reference<P>) {
        self.tell(Message::Wanted(reference));
    }

    /// The chunk store has it, or wants it no more.
    pub fn settle(&self, reference: Reference<P>) {
        self.tell(Message::Settled(reference));
    }

    /// Fetches a body of a finalized block, for ever, until the receiver is dropped or the fetch is cancelled. If the relay
    /// is overloaded or ends, the sender is dropped.
    pub fn fetch(&self, reference: Reference<P>, height: u64) -> oneshot::Receiver<Fetched> {
        let (responder, fetched) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Fetch {
            reference,
            height,
            responder,
        });
        fetched
    }

    /// Gives a fetch up: whoever waits for it sees its sender dropped.
    pub fn cancel(&self, reference: Reference<P>) {
        let _ = self.0.enqueue(Ingress::Cancel(reference));
    }

    /// A certificate of a lane was verified. `signers` is empty if its scheme does not tell who signed.
    pub fn certified(&self, sequencer: P, height: u64, signers: Vec<P>) {
        self.tell(Message::Certified {
            sequencer,
            height,
            signers,
        });
    }

    /// The node entered an epoch: its validators, and its sequencers with those of the epoch before.
    pub fn entered(&self, validators: Vec<P>, sequencers: Vec<P>) {
        self.tell(Message::Entered {
            validators,
            sequencers,
        });
    }
}
