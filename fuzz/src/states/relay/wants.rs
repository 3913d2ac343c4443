//! What is looked for, and of whom it was asked.

use crate::nouns::Name;
use drystone_actors::{Reference, relay::Request};
use drystone_engine::scheme::fixture::Free;
use std::collections::{BTreeMap, BTreeSet};

type P = Name<Free>;

/// How long an answer is waited for.
pub const TIMEOUT_MS: u64 = 20;
/// The shortest time before the same peer is asked again.
pub const BACKOFF_MIN_MS: u64 = 10;
/// Requests of the chunk store's at once.
pub const ASKING_MAX: usize = 4;

/// A body that is looked for.
#[derive(Default)]
pub struct Want {
    /// Whether the chunk store wants it, and the block that the executor needs it for.
    pub stored: bool,
    pub height: Option<u64>,
    /// Who owes an answer.
    owing: BTreeSet<P>,
    /// When each was asked.
    asked: BTreeMap<P, u64>,
    /// Who was asked for the chunk store, and neither answered nor is late.
    waiting: BTreeMap<P, u64>,
}

/// All of them.
#[derive(Default)]
pub struct Wants(BTreeMap<Reference<P>, Want>);

impl Wants {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn keys(&self) -> impl Iterator<Item = &Reference<P>> {
        self.0.keys()
    }

    pub fn want(&mut self, reference: Reference<P>) -> &mut Want {
        self.0.entry(reference).or_default()
    }

    /// One of those who want it wants it no more.
    pub fn unwant(&mut self, reference: &Reference<P>, who: impl FnOnce(&mut Want)) {
        if let Some(want) = self.0.get_mut(reference) {
            who(want);
            if !want.stored && want.height.is_none() {
                self.0.remove(reference);
            }
        }
    }

    /// Every peer that owes an answer, and about what.
    pub fn owing(&self) -> Vec<(Reference<P>, P)> {
        let wants = self.0.iter();
        let owing = wants.flat_map(|(reference, want)| {
            want.owing.iter().map(|it| (reference.clone(), it.clone()))
        });
        owing.collect()
    }

    /// A peer was asked.
    pub fn asked(&mut self, now_ms: u64, peer: &P, request: &Request<P>) {
        let want = self.0.get_mut(&request.reference);
        let want = want.expect("nobody wants what is asked for");
        assert_eq!(request.height, want.height, "the block it is in");
        if let Some(before_ms) = want.asked.insert(peer.clone(), now_ms) {
            let gap_ms = now_ms - before_ms;
            assert!(gap_ms >= BACKOFF_MIN_MS, "asked again after {gap_ms} ms");
        }
        want.owing.insert(peer.clone());
        if want.height.is_none() {
            want.waiting.insert(peer.clone(), now_ms + TIMEOUT_MS);
        }
        let waiting = self.0.values().flat_map(|it| it.waiting.values());
        let waiting = waiting.filter(|it| **it > now_ms).count();
        assert!(waiting <= ASKING_MAX, "{waiting} requests at once");
    }

    /// What a finalized block needs is asked for at once, whoever was asked just now.
    pub fn needed(&mut self, reference: Reference<P>, height: u64) {
        let want = self.want(reference);
        want.height = Some(height);
        want.asked.clear();
    }

    /// A peer answers. Says whether it owed that.
    pub fn answered(&mut self, peer: &P, reference: &Reference<P>) -> bool {
        let Some(want) = self.0.get_mut(reference) else {
            return false;
        };
        want.waiting.remove(peer);
        want.owing.remove(peer)
    }

    /// The body is here. Says whether the chunk store and whether the executor looked for it.
    pub fn arrived(&mut self, reference: &Reference<P>) -> (bool, bool) {
        let Some(want) = self.0.get_mut(reference) else {
            return (false, false);
        };
        want.waiting.clear();
        let sought = (want.stored, want.height.is_some());
        self.unwant(reference, |it| it.height = None);
        sought
    }
}
