//! Whom gossip is exchanged with, and what each has used of its share.

use crate::unordered;
use drystone_engine::types::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// What one peer has under way.
#[derive(Debug, Default)]
pub struct Peer {
    /// Ids remembered because it announced them.
    pub wanted: usize,
    /// Ids asked of it.
    pub requested: usize,
    /// Bytes served to it since the last tick.
    pub served: usize,
    /// Requests in a row that it left without an answer.
    pub strikes: u32,
}

/// The peers, and an order in which they take turns.
pub struct Peers<P> {
    peers: BTreeMap<P, Peer>,
    turns: Vec<P>,
    turn: usize,
}

impl<P: Ord + Clone> Peers<P> {
    pub const fn new() -> Self {
        Self {
            peers: BTreeMap::new(),
            turns: Vec::new(),
            turn: 0,
        }
    }

    /// Keeps who stays, and returns who leaves.
    pub fn replace(&mut self, peers: Vec<P>) -> Vec<P> {
        let stay: BTreeSet<_> = peers.into_iter().collect();
        let gone = self.turns.iter().filter(|it| !stay.contains(it));
        let gone: Vec<_> = gone.cloned().collect();
        self.peers.retain(|it, _| stay.contains(it));
        for peer in &stay {
            self.peers.entry(peer.clone()).or_default();
        }
        self.turns = stay.into_iter().collect();
        gone
    }

    pub fn get(&self, peer: &P) -> Option<&Peer> {
        self.peers.get(peer)
    }

    pub fn get_mut(&mut self, peer: &P) -> Option<&mut Peer> {
        self.peers.get_mut(peer)
    }

    /// One id less is remembered because of a peer. One that left took its count with it.
    pub fn unwant(&mut self, peer: &P) {
        if let Some(peer) = self.peers.get_mut(peer) {
            peer.wanted -= 1;
        }
    }

    pub const fn len(&self) -> usize {
        self.turns.len()
    }

    /// The next ones whose turn it is.
    pub fn next(&mut self, count: usize) -> Vec<P> {
        let count = count.min(self.turns.len());
        let turns = self.turns.iter().cycle().skip(self.turn).take(count);
        let next = turns.cloned().collect();
        self.turn = (self.turn + count) % self.turns.len().max(1);
        next
    }

    /// A new period of serving begins.
    pub fn refill(&mut self) {
        for peer in self.peers.values_mut() {
            peer.served = 0;
        }
    }
}

/// Who is known to have a transaction: the first few who announced it. Who was served it may have lost it on the
/// way. It only saves messages, so a few are enough.
#[derive(Debug)]
pub struct Known<P>(unordered::Map<Digest, Vec<P>>);

impl<P: Ord + Clone> Known<P> {
    /// Remembered for one transaction.
    const MAX: usize = 8;

    pub fn new() -> Self {
        Self(unordered::Map::default())
    }

    pub fn insert(&mut self, id: Digest, peer: &P) {
        let known = self.0.or_default(id);
        if known.len() < Self::MAX && !known.contains(peer) {
            known.push(peer.clone());
        }
    }

    pub fn contains(&self, id: &Digest, peer: &P) -> bool {
        self.0.get(id).is_some_and(|it| it.contains(peer))
    }

    pub fn remove(&mut self, id: &Digest) {
        self.0.remove(id);
    }

    #[cfg(any(test, feature = "mocks"))]
    pub fn len(&self) -> usize {
        self.0.len()
    }
}
