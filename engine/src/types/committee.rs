//! Who takes part in an epoch.

use super::Types;
use commonware_cryptography::certificate::Scheme as _;
use commonware_utils::{
    Faults as _, N3f1, Participant,
    ordered::{Quorum as _, Set},
};
use std::{fmt, sync::Arc};

/// The validators and the sequencers of one epoch, as one node sees them: the scheme holds this
/// node's share if it has one.
pub struct Committee<T: Types> {
    epoch: u64,
    scheme: T::Scheme,
    sequencers: Set<T::PublicKey>,
}

impl<T: Types> fmt::Debug for Committee<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Committee")
            .field("epoch", &self.epoch)
            .field("validators", &self.scheme.participants().len())
            .field("sequencers", &self.sequencers.len())
            .finish_non_exhaustive()
    }
}

impl<T: Types> Committee<T> {
    /// Puts an epoch's sets together. Of BLS multisig only with a scheme made by [`possession`](crate::scheme::possession).
    ///
    /// # Panics
    /// If the epoch has no validators.
    pub fn new(epoch: u64, scheme: T::Scheme, sequencers: Set<T::PublicKey>) -> Self {
        assert!(
            !scheme.participants().is_empty(),
            "an epoch without validators certifies nothing"
        );
        Self {
            epoch,
            scheme,
            sequencers,
        }
    }

    /// The epoch.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Signs and verifies for this epoch.
    pub const fn scheme(&self) -> &T::Scheme {
        &self.scheme
    }

    /// The validators, in the order of their indices.
    pub fn validators(&self) -> &Set<T::PublicKey> {
        self.scheme.participants()
    }

    /// The sequencers, in the order of their indices. They need not be validators.
    pub const fn sequencers(&self) -> &Set<T::PublicKey> {
        &self.sequencers
    }

    /// The key of a sequencer.
    pub fn sequencer(&self, index: u32) -> Option<&T::PublicKey> {
        self.sequencers.get(usize::try_from(index).ok()?)
    }

    /// The index of a sequencer.
    pub fn sequencer_index(&self, key: &T::PublicKey) -> Option<u32> {
        let position = self.sequencers.position(key)?;
        Some(u32::try_from(position).expect("a set of keys has fewer than 2^32 members"))
    }

    /// The index of a validator.
    pub fn validator_index(&self, key: &T::PublicKey) -> Option<Participant> {
        self.validators().index(key)
    }

    /// Whether this node can ack in this epoch.
    pub fn signs(&self) -> bool {
        self.scheme.me().is_some_and(|me| me.signer().is_some())
    }

    /// How many acks make a certificate: 2f+1 of 3f+1.
    pub fn quorum(&self) -> usize {
        let validators = u32::try_from(self.validators().len()).expect("bounded by the index type");
        N3f1::quorum(validators) as usize
    }

    /// How many validators may be faulty: f of 3f+1.
    pub fn faults(&self) -> usize {
        self.validators().len() - self.quorum()
    }
}

/// Knows the committees of epochs. An answer for one epoch never changes.
pub trait Provider<T: Types>: Send + Sync + 'static {
    /// The committee of an epoch, or `None` while it is not known.
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<T>>>;
}

/// How far from the current epoch an ack or a certificate may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// Epochs behind.
    pub past: u64,
    /// Epochs ahead.
    pub future: u64,
}

impl Bounds {
    /// Whether an epoch lies within the bounds around the current one.
    pub const fn contain(&self, current: u64, epoch: u64) -> bool {
        epoch >= current.saturating_sub(self.past) && epoch <= current.saturating_add(self.future)
    }
}
