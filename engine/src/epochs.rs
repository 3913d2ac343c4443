//! The current epoch and the committees around it.

use crate::{
    refusal::Refusal,
    types::{Bounds, Committee, Provider, Types},
};
use std::sync::Arc;

/// Resolves epochs: what lies outside the bounds is refused before anything of it is decoded.
pub struct Epochs<T: Types> {
    provider: Arc<dyn Provider<T>>,
    bounds: Bounds,
    current: Arc<Committee<T>>,
}

impl<T: Types> Clone for Epochs<T> {
    fn clone(&self) -> Self {
        Self {
            provider: self.provider.clone(),
            bounds: self.bounds,
            current: self.current.clone(),
        }
    }
}

impl<T: Types> Epochs<T> {
    /// Starts in an epoch.
    ///
    /// # Panics
    /// If the provider does not know the committee of the epoch it starts in.
    pub fn new(provider: Arc<dyn Provider<T>>, bounds: Bounds, epoch: u64) -> Self {
        let current = provider
            .committee(epoch)
            .expect("the current epoch's committee is known");
        Self {
            provider,
            bounds,
            current,
        }
    }

    /// The current epoch's number.
    pub fn epoch(&self) -> u64 {
        self.current.epoch()
    }

    /// The current committee.
    pub const fn current(&self) -> &Arc<Committee<T>> {
        &self.current
    }

    /// Moves on to a later epoch. Returns whether it did: an epoch never goes back, and one whose
    /// committee is unknown cannot be entered.
    pub fn enter(&mut self, epoch: u64) -> bool {
        if epoch <= self.current.epoch() {
            return false;
        }
        let Some(committee) = self.provider.committee(epoch) else {
            return false;
        };
        self.current = committee;
        true
    }

    /// Whether an epoch is within the bounds.
    pub fn contain(&self, epoch: u64) -> bool {
        self.bounds.contain(self.epoch(), epoch)
    }

    /// The committee of any epoch, bounds or not: for what was journaled here.
    pub fn committee(&self, epoch: u64) -> Option<Arc<Committee<T>>> {
        if epoch == self.current.epoch() {
            return Some(self.current.clone());
        }
        self.provider.committee(epoch)
    }

    /// The newest committee up to the current one within the bounds whose sequencers hold one: how its lane is named to
    /// others.
    pub fn holding(&self, sequencer: &T::PublicKey) -> Option<Arc<Committee<T>>> {
        let current = self.epoch();
        let oldest = current.saturating_sub(self.bounds.past);
        let mut committees = (oldest..=current).rev().filter_map(|it| self.committee(it));
        committees.find(|it| it.sequencer_index(sequencer).is_some())
    }

    /// The committee of an epoch that a peer named.
    ///
    /// # Errors
    /// If the epoch is out of bounds, or its committee is not known here.
    pub fn resolve(&self, epoch: u64) -> Result<Arc<Committee<T>>, Refusal> {
        if !self.contain(epoch) {
            return Err(Refusal::EpochOutOfBounds {
                epoch,
                current: self.epoch(),
            });
        }
        self.committee(epoch).ok_or(Refusal::EpochUnknown(epoch))
    }
}
