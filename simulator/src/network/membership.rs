//! Peer sets and block lists, as each node tells and hears them.

use commonware_cryptography::PublicKey;
use commonware_p2p::{BlockedSubscription, PeerSetSubscription, PeerSetUpdate, TrackedPeers};
use commonware_utils::{
    NZUsize,
    channel::{mpsc, ring},
    ordered::Set,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one process of one node knows. All of it is lost when the node is taken down.
pub(super) struct Membership<P: PublicKey> {
    sets_max: usize,
    sets: BTreeMap<u64, TrackedPeers<P>>,
    set_readers: Vec<mpsc::UnboundedSender<PeerSetUpdate<P>>>,
    blocked: BTreeSet<P>,
    blocked_readers: Vec<ring::Sender<Set<P>>>,
}

impl<P: PublicKey> Membership<P> {
    pub(super) const fn new(sets_max: usize) -> Self {
        Self {
            sets_max,
            sets: BTreeMap::new(),
            set_readers: Vec::new(),
            blocked: BTreeSet::new(),
            blocked_readers: Vec::new(),
        }
    }

    /// As on a real network, an id that does not grow is ignored.
    pub(super) fn track(&mut self, id: u64, peers: TrackedPeers<P>) {
        if self
            .sets
            .last_key_value()
            .is_some_and(|(last, _)| id <= *last)
        {
            return;
        }
        self.sets.insert(
            id,
            primary_first(peers.primary.into_iter(), peers.secondary.into_iter()),
        );
        while self.sets.len() > self.sets_max {
            self.sets.pop_first();
        }
        let Some(update) = self.latest() else { return };
        self.set_readers
            .retain(|reader| reader.send(update.clone()).is_ok());
    }

    pub(super) fn peer_set(&self, id: u64) -> Option<TrackedPeers<P>> {
        self.sets.get(&id).cloned()
    }

    /// A subscription that begins with the newest set, if there is one.
    pub(super) fn subscribe(&mut self) -> PeerSetSubscription<P> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let open = self
            .latest()
            .is_none_or(|update| sender.send(update).is_ok());
        assert!(open, "the receiver is still here");
        self.set_readers.push(sender);
        receiver
    }

    pub(super) fn block(&mut self, peer: P) {
        self.blocked.insert(peer);
        let set = self.blocked_set();
        self.blocked_readers
            .retain(|reader| reader.send_lossy(set.clone()));
    }

    /// A subscription that begins with the present set.
    pub(super) fn subscribe_blocked(&mut self) -> BlockedSubscription<P> {
        let (sender, receiver) = ring::channel(NZUsize!(1));
        sender.send_lossy(self.blocked_set());
        self.blocked_readers.push(sender);
        receiver
    }

    fn blocked_set(&self) -> Set<P> {
        Set::from_iter_dedup(self.blocked.iter().cloned())
    }

    fn latest(&self) -> Option<PeerSetUpdate<P>> {
        let (index, latest) = self.sets.last_key_value()?;
        let primary = self
            .sets
            .values()
            .flat_map(|set| set.primary.iter().cloned());
        let secondary = self
            .sets
            .values()
            .flat_map(|set| set.secondary.iter().cloned());
        Some(PeerSetUpdate {
            index: *index,
            latest: latest.clone(),
            all: primary_first(primary, secondary),
        })
    }
}

/// A peer with both roles counts as primary only.
fn primary_first<P: PublicKey>(
    primary: impl Iterator<Item = P>,
    secondary: impl Iterator<Item = P>,
) -> TrackedPeers<P> {
    let primary = Set::from_iter_dedup(primary);
    let secondary = secondary.filter(|peer| primary.position(peer).is_none());
    let secondary = Set::from_iter_dedup(secondary);
    TrackedPeers::new(primary, secondary)
}
