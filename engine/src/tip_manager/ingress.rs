//! What reaches the tip manager.

use super::state::Run;
use crate::{
    activity::Verdict,
    coalesce::{Coalesce, retain},
    horizon::Horizon,
    types::{Certificate, Digest, Tip, Types},
    wire::{Envelope, Gossip},
};
use commonware_actor::mailbox::{Policy, Sender};
use commonware_utils::channel::oneshot;
use std::{collections::VecDeque, sync::Arc};

/// A certificate on its way through verification, and who showed it.
#[derive(Clone, Debug)]
pub struct Candidate<T: Types> {
    /// Who showed it.
    pub from: T::PublicKey,
    /// The certificate.
    pub certificate: Arc<Certificate<T>>,
}

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message<T: Types> {
    /// A peer delivered headers and perhaps a certificate.
    Delivered {
        /// Who.
        from: T::PublicKey,
        /// What.
        envelope: Envelope<T>,
    },
    /// A peer gossiped.
    Gossiped {
        /// Who.
        from: T::PublicKey,
        /// What.
        gossip: Gossip<T>,
    },
    /// Certificates were checked, in the order they were handed out.
    Checked(Vec<(Candidate<T>, bool)>),
    /// A certificate was assembled here, or is part of a block that is valid.
    Assembled(Arc<Certificate<T>>),
    /// A voter or the executor of this node needs the headers of a lane above a height, down from a place.
    Asked {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The height below the lowest.
        above: u64,
        /// The highest.
        to: Tip,
        /// Takes them, lowest first, once all are here.
        responder: oneshot::Sender<Run<T>>,
    },
    /// The application gave its verdict on a chunk.
    Judged {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The height.
        height: u64,
        /// The header.
        digest: Digest,
        /// The verdict.
        verdict: Verdict,
    },
    /// The journal is durable up to a position.
    Synced(u64),
    /// The node was told of an epoch.
    Entered(u64),
    /// The chain moved.
    Advanced(Horizon<T::PublicKey>),
    /// The node starts: what was replayed from the journal is all there is.
    Started,
    /// A quota was freed, so that pending verdicts may have changed.
    Stirred,
    /// The rebroadcast interval passed.
    Ticked,
    /// A held header's slot may have come.
    Woken,
}

/// What other actors of the node send.
pub enum Ingress<T: Types> {
    /// See [`Message::Assembled`].
    Assembled(Arc<Certificate<T>>),
    /// See [`Message::Synced`].
    Synced(u64),
    /// See [`Message::Entered`].
    Entered(u64),
    /// See [`Message::Advanced`].
    Advanced(Horizon<T::PublicKey>),
    /// See [`Message::Stirred`].
    Stirred,
    /// See [`Message::Asked`].
    Asked {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The height below the lowest.
        above: u64,
        /// The highest.
        to: Tip,
        /// Takes them.
        responder: oneshot::Sender<Run<T>>,
    },
    /// Headers of the node's own lane, in the journal before what is locked of them: as if a peer had delivered them.
    Proposed(Envelope<T>),
}

/// Facts are coalesced by kind, so the overflow is bounded: positions and epochs are monotone, the newest
/// certificate covers the older ones, horizons merge. An own header is dropped: it is fetched or sent
/// again like any other. So is a question for headers: who asked sees its responder end, and asks again.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        if !matches!(message, Self::Proposed(_) | Self::Asked { .. }) {
            retain(overflow, message);
        }
    }
}

impl<T: Types> Coalesce for Ingress<T> {
    fn absorb(&mut self, later: Self) -> Option<Self> {
        match (self, later) {
            (Self::Synced(held), Self::Synced(position)) => *held = position.max(*held),
            (Self::Entered(held), Self::Entered(epoch)) => *held = epoch.max(*held),
            (Self::Advanced(held), Self::Advanced(horizon)) => held.merge(horizon),
            (Self::Assembled(held), Self::Assembled(certificate))
                if held.sequencer == certificate.sequencer =>
            {
                if held.rank() < certificate.rank() {
                    *held = certificate;
                }
            }
            (Self::Stirred, Self::Stirred) => {}
            (_, later) => return Some(later),
        }
        None
    }
}

/// How other actors reach the tip manager.
pub struct Mailbox<T: Types>(pub(super) Sender<Ingress<T>>);

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Types> Mailbox<T> {
    /// The node entered an epoch: its committee is known to the provider.
    pub fn entered(&self, epoch: u64) {
        let _ = self.0.enqueue(Ingress::Entered(epoch));
    }

    /// The chain moved.
    pub fn advanced(&self, horizon: Horizon<T::PublicKey>) {
        let _ = self.0.enqueue(Ingress::Advanced(horizon));
    }

    /// A body arrived or a quota was freed.
    pub fn stirred(&self) {
        let _ = self.0.enqueue(Ingress::Stirred);
    }

    /// The headers of a lane above a height that a place leads down to, lowest first, once all of them are here. They are
    /// fetched if they are not. If the engine is overloaded or ends, the sender is dropped.
    pub fn run(&self, sequencer: T::PublicKey, above: u64, to: Tip) -> oneshot::Receiver<Run<T>> {
        let (responder, run) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Asked {
            sequencer,
            above,
            to,
            responder,
        });
        run
    }

    pub(crate) fn synced(&self, position: u64) {
        let _ = self.0.enqueue(Ingress::Synced(position));
    }

    pub(crate) fn assembled(&self, certificate: Arc<Certificate<T>>) {
        let _ = self.0.enqueue(Ingress::Assembled(certificate));
    }

    pub(crate) fn proposed(&self, envelope: Envelope<T>) {
        let _ = self.0.enqueue(Ingress::Proposed(envelope));
    }
}
