//! How the chunk store is reached.

use super::{
    Unknown,
    config::Amount,
    message::{Absence, Message},
};
use crate::{
    Bodies,
    chunk::{self, Chunk},
    reference::Reference,
};
use bytes::Bytes;
use commonware_actor::mailbox::{Overflow, Policy, Sender};
use commonware_cryptography::PublicKey;
use commonware_utils::channel::oneshot;
use drystone_engine::{Horizon, Judgement, Verdict, types::Header};
use std::collections::{BTreeMap, VecDeque};

/// The answer to a question for a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found<B = Bytes> {
    /// Here it is.
    Body(B),
    /// It is not here.
    Absent(Absence),
}

/// A body, as far as it is known what it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stored {
    /// It came not long ago, and was opened and checked then.
    Chunk(Chunk),
    /// It was read from the disk: whoever wants to know what it is opens it.
    Body(Bytes),
}

impl Found<Stored> {
    /// The body alone.
    pub fn into_body(self) -> Found {
        match self {
            Self::Body(Stored::Chunk(chunk)) => Found::Body(chunk.body().clone()),
            Self::Body(Stored::Body(body)) => Found::Body(body),
            Self::Absent(absence) => Found::Absent(absence),
        }
    }
}

/// The answer to a block's acceptance: durable, or what is missing, and then nothing was changed.
pub type Accepted<P> = Result<(), Unknown<P>>;

/// What other actors of the node send.
pub enum Ingress<P: PublicKey> {
    /// A fact.
    Told(Message<P>),
    /// The engine asks for a verdict.
    Judge(Reference<P>, oneshot::Sender<Verdict>),
    /// The builder packed a chunk.
    Persist(Chunk, oneshot::Sender<()>),
    /// The executor executed a block.
    Accept {
        /// The height of the block.
        height: u64,
        /// What it holds that is not expired, with the bodies, as far as the executor has them.
        chunks: Vec<(Reference<P>, Option<Bytes>)>,
        /// Told when it is durable.
        responder: oneshot::Sender<Accepted<P>>,
    },
    /// Somebody asks for a body.
    Get {
        /// Which.
        reference: Reference<P>,
        /// The block it is in, if known.
        height: Option<u64>,
        /// Takes the answer.
        responder: oneshot::Sender<Found>,
    },
    /// The executor asks for a chunk of a block.
    Gather {
        /// Which.
        reference: Reference<P>,
        /// The height of the block.
        height: u64,
        /// Takes the answer.
        responder: oneshot::Sender<Found<Stored>>,
    },
    /// The executor asks which bodies of an executed block are not kept under its height.
    Lacking {
        /// The height of the block.
        height: u64,
        /// What was accepted there.
        references: Vec<Reference<P>>,
        /// Takes those that are not there.
        responder: oneshot::Sender<Vec<Reference<P>>>,
    },
    /// Somebody asks what is held.
    Usage(oneshot::Sender<Usage<P>>),
}

/// What a chunk store holds, of all producers and of each.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Usage<P> {
    /// Neither executed nor expired.
    pub held: Amount,
    /// Bytes of the bodies in memory.
    pub memory_bytes: u64,
    /// What each of those that ever had anything here holds.
    pub producers: BTreeMap<P, Share>,
}

/// What a chunk store holds of one producer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Share {
    /// Neither executed nor expired.
    pub held: Amount,
    /// Bodies in memory.
    pub memory: Amount,
    /// The most bytes that were in memory at any time since the start.
    pub memory_bytes_most: u64,
}

/// Messages that wait beyond a full mailbox. A policy has no configuration, so this is a constant. Bodies among them
/// are at most as many: what the relay lets through at once is bounded besides.
const OVERFLOW_MAX: usize = 1 << 10;

/// What a full mailbox keeps. Facts of the chain are merged: one report, and one height a lane. A block's acceptance is
/// kept: the executor waits for each before the next. Of the rest, what fits a bound: a dropped responder says "not
/// now" to the engine and the builder, "ask again" to who wants a body, and a dropped body is fetched again.
pub struct Retained<P: PublicKey> {
    horizon: Option<Horizon<P>>,
    certified: BTreeMap<P, u64>,
    rest: VecDeque<Ingress<P>>,
}

impl<P: PublicKey> Default for Retained<P> {
    fn default() -> Self {
        Self {
            horizon: None,
            certified: BTreeMap::new(),
            rest: VecDeque::new(),
        }
    }
}

impl<P: PublicKey> Overflow<Ingress<P>> for Retained<P> {
    fn is_empty(&self) -> bool {
        self.horizon.is_none() && self.certified.is_empty() && self.rest.is_empty()
    }

    fn drain<F>(&mut self, mut push: F)
    where
        F: FnMut(Ingress<P>) -> Option<Ingress<P>>,
    {
        // What frees goes first.
        if let Some(horizon) = self.horizon.take()
            && let Some(Ingress::Told(Message::Advanced(horizon))) =
                push(Ingress::Told(Message::Advanced(horizon)))
        {
            self.horizon = Some(horizon);
            return;
        }
        while let Some((sequencer, height)) = self.certified.pop_first() {
            let message = Message::Certified {
                sequencer: sequencer.clone(),
                height,
            };
            if push(Ingress::Told(message)).is_some() {
                self.certified.insert(sequencer, height);
                return;
            }
        }
        Overflow::drain(&mut self.rest, push);
    }
}

impl<P: PublicKey> Policy for Ingress<P> {
    type Overflow = Retained<P>;

    fn handle(overflow: &mut Retained<P>, message: Self) {
        match message {
            Self::Told(Message::Advanced(horizon)) => {
                overflow.horizon.get_or_insert_default().merge(horizon);
            }
            Self::Told(Message::Certified { sequencer, height }) => {
                let held = overflow.certified.entry(sequencer).or_insert(height);
                *held = height.max(*held);
            }
            message @ Self::Accept { .. } => overflow.rest.push_back(message),
            message if overflow.rest.len() < OVERFLOW_MAX => overflow.rest.push_back(message),
            _ => {}
        }
    }
}

/// How other actors reach the chunk store.
#[derive(Clone)]
pub struct Mailbox<P: PublicKey>(pub(super) Sender<Ingress<P>>);

impl<P: PublicKey> Mailbox<P> {
    /// The verdict on a chunk whose header was locked: what an `Automaton` answers.
    pub fn judge(&self, header: &Header<P>) -> Judgement {
        let (responder, verdict) = oneshot::channel();
        let _ = self
            .0
            .enqueue(Ingress::Judge(Reference::from(header), responder));
        Judgement::Later(verdict)
    }

    /// A body arrived whose digest is the one named; `pushed` if its producer sent it unasked.
    pub fn arrived(
        &self,
        reference: Reference<P>,
        chunk: Result<Chunk, chunk::Error>,
        pushed: bool,
    ) {
        let _ = self.0.enqueue(Ingress::Told(Message::Arrived {
            reference,
            chunk,
            pushed,
        }));
    }

    /// A block was executed: its bodies are kept under its height. Resolves once that is durable; asking again is
    /// harmless. Bodies are given along, which saves reading them; those that were fetched for the block need no quota.
    pub fn accept(
        &self,
        height: u64,
        chunks: Vec<(Reference<P>, Option<Bytes>)>,
    ) -> oneshot::Receiver<Accepted<P>> {
        let (responder, accepted) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Accept {
            height,
            chunks,
            responder,
        });
        accepted
    }

    /// Asks for a body, as part of a block if its height is known. A dropped sender means "ask again".
    pub fn get(&self, reference: Reference<P>, height: Option<u64>) -> oneshot::Receiver<Found> {
        let (responder, found) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Get {
            reference,
            height,
            responder,
        });
        found
    }

    /// Asks for a chunk of a block, opened if that was done already. A dropped sender means "ask again".
    pub fn gather(&self, reference: Reference<P>, height: u64) -> oneshot::Receiver<Found<Stored>> {
        let (responder, found) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Gather {
            reference,
            height,
            responder,
        });
        found
    }

    /// Asks which bodies of an executed block are not kept under its height. A dropped sender means "ask again".
    pub fn lacking(
        &self,
        height: u64,
        references: Vec<Reference<P>>,
    ) -> oneshot::Receiver<Vec<Reference<P>>> {
        let (responder, lacking) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Lacking {
            height,
            references,
            responder,
        });
        lacking
    }

    /// Asks what is held. A dropped sender means "ask again".
    pub fn usage(&self) -> oneshot::Receiver<Usage<P>> {
        let (responder, usage) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Usage(responder));
        usage
    }

    /// A certificate covers a lane up to a height.
    pub fn certified(&self, sequencer: P, height: u64) {
        let _ = self
            .0
            .enqueue(Ingress::Told(Message::Certified { sequencer, height }));
    }

    /// The chain moved.
    pub fn advanced(&self, horizon: Horizon<P>) {
        let _ = self.0.enqueue(Ingress::Told(Message::Advanced(horizon)));
    }
}

impl<P: PublicKey> Bodies for Mailbox<P> {
    fn persist(&mut self, chunk: Chunk) -> oneshot::Receiver<()> {
        let (responder, durable) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Persist(chunk, responder));
        durable
    }
}
