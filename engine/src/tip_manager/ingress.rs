//! What reaches the tip manager.

use crate::{
    activity::Verdict,
    horizon::Horizon,
    types::{Certificate, Digest, Types},
    wire::{Envelope, Gossip},
};
use commonware_actor::mailbox::{Policy, Sender};
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
    /// A certificate of this node's own lane was assembled here.
    Assembled(Arc<Certificate<T>>),
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
    /// A body arrived or a quota was freed: pending verdicts may have changed.
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
    /// A header of the node's own lane, durable: as if a peer had delivered it.
    Proposed(Envelope<T>),
}

/// Overflow is coalesced by kind, so it is bounded: positions and epochs are monotone, the newest
/// certificate covers the older ones, horizons merge, and an own header that is dropped is fetched or
/// sent again like any other.
pub struct Overflow<T: Types> {
    synced: Option<u64>,
    entered: Option<u64>,
    advanced: Option<Horizon<T::PublicKey>>,
    assembled: Option<Arc<Certificate<T>>>,
    stirred: bool,
}

// By hand: a derive would ask for `T: Default`.
impl<T: Types> Default for Overflow<T> {
    fn default() -> Self {
        Self {
            synced: None,
            entered: None,
            advanced: None,
            assembled: None,
            stirred: false,
        }
    }
}

impl<T: Types> commonware_actor::mailbox::Overflow<Ingress<T>> for Overflow<T> {
    fn is_empty(&self) -> bool {
        self.synced.is_none()
            && self.entered.is_none()
            && self.advanced.is_none()
            && self.assembled.is_none()
            && !self.stirred
    }

    fn drain<F>(&mut self, mut push: F)
    where
        F: FnMut(Ingress<T>) -> Option<Ingress<T>>,
    {
        let mut parts = VecDeque::new();
        parts.extend(self.synced.take().map(Ingress::Synced));
        parts.extend(self.entered.take().map(Ingress::Entered));
        parts.extend(self.advanced.take().map(Ingress::Advanced));
        parts.extend(self.assembled.take().map(Ingress::Assembled));
        parts.extend(std::mem::take(&mut self.stirred).then_some(Ingress::Stirred));
        while let Some(part) = parts.pop_front() {
            if let Some(refused) = push(part) {
                parts.push_front(refused);
                break;
            }
        }
        for part in parts {
            Ingress::handle(self, part);
        }
    }
}

impl<T: Types> Policy for Ingress<T> {
    type Overflow = Overflow<T>;

    fn handle(overflow: &mut Overflow<T>, message: Self) {
        match message {
            Self::Synced(position) => overflow.synced = overflow.synced.max(Some(position)),
            Self::Entered(epoch) => overflow.entered = overflow.entered.max(Some(epoch)),
            Self::Advanced(horizon) => match &mut overflow.advanced {
                Some(held) => held.merge(horizon),
                empty => *empty = Some(horizon),
            },
            Self::Assembled(certificate) => {
                if overflow
                    .assembled
                    .as_ref()
                    .is_none_or(|it| it.rank() < certificate.rank())
                {
                    overflow.assembled = Some(certificate);
                }
            }
            Self::Stirred => overflow.stirred = true,
            Self::Proposed(_) => {}
        }
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
