//! What other actors of the node tell the sequencer engine.

use crate::{
    horizon::Horizon,
    types::{Certificate, Types},
};
use commonware_actor::mailbox::{self, Policy, Sender};
use std::{collections::VecDeque, sync::Arc};

/// Facts, and requests of peers.
pub enum Ingress<T: Types> {
    /// The journal is durable up to a position.
    Synced(u64),
    /// A certificate of this lane.
    Certified(Arc<Certificate<T>>),
    /// The node was told of an epoch.
    Entered(u64),
    /// The chain moved.
    Advanced(Horizon<T::PublicKey>),
    /// A peer asks for headers of this lane.
    Asked {
        /// Who.
        to: T::PublicKey,
        /// The lowest height wanted.
        from: u64,
        /// The highest height wanted.
        upto: u64,
    },
}

/// Overflow is coalesced by kind, so it is bounded. A peer's request is dropped: it asks again.
pub struct Overflow<T: Types> {
    synced: Option<u64>,
    certified: Option<Arc<Certificate<T>>>,
    entered: Option<u64>,
    advanced: Option<Horizon<T::PublicKey>>,
}

// By hand: a derive would ask for `T: Default`.
impl<T: Types> Default for Overflow<T> {
    fn default() -> Self {
        Self {
            synced: None,
            certified: None,
            entered: None,
            advanced: None,
        }
    }
}

impl<T: Types> mailbox::Overflow<Ingress<T>> for Overflow<T> {
    fn is_empty(&self) -> bool {
        self.synced.is_none()
            && self.certified.is_none()
            && self.entered.is_none()
            && self.advanced.is_none()
    }

    fn drain<F>(&mut self, mut push: F)
    where
        F: FnMut(Ingress<T>) -> Option<Ingress<T>>,
    {
        let mut parts = VecDeque::new();
        parts.extend(self.synced.take().map(Ingress::Synced));
        parts.extend(self.certified.take().map(Ingress::Certified));
        parts.extend(self.entered.take().map(Ingress::Entered));
        parts.extend(self.advanced.take().map(Ingress::Advanced));
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
            Self::Certified(certificate) => {
                if overflow
                    .certified
                    .as_ref()
                    .is_none_or(|it| it.rank() < certificate.rank())
                {
                    overflow.certified = Some(certificate);
                }
            }
            Self::Entered(epoch) => overflow.entered = overflow.entered.max(Some(epoch)),
            Self::Advanced(horizon) => match &mut overflow.advanced {
                Some(held) => held.merge(horizon),
                empty => *empty = Some(horizon),
            },
            Self::Asked { .. } => {}
        }
    }
}

/// How other actors reach the sequencer engine.
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

    pub(crate) fn synced(&self, position: u64) {
        let _ = self.0.enqueue(Ingress::Synced(position));
    }

    pub(crate) fn certified(&self, certificate: Arc<Certificate<T>>) {
        let _ = self.0.enqueue(Ingress::Certified(certificate));
    }

    pub(crate) fn asked(&self, to: T::PublicKey, from: u64, upto: u64) {
        let _ = self.0.enqueue(Ingress::Asked { to, from, upto });
    }
}
