//! What other actors of the node tell the sequencer engine.

use crate::{
    coalesce::{Coalesce, retain},
    horizon::Horizon,
    types::{Certificate, Types},
};
use commonware_actor::mailbox::{Policy, Sender};
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

/// Facts are coalesced by kind, so the overflow is bounded. A peer's request is dropped: it asks again.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        if !matches!(message, Self::Asked { .. }) {
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
            (Self::Certified(held), Self::Certified(certificate)) => {
                if held.rank() < certificate.rank() {
                    *held = certificate;
                }
            }
            (_, later) => return Some(later),
        }
        None
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
