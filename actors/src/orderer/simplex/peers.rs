//! Whom blocks are exchanged with: the validators of the epochs around the current one.

use commonware_cryptography::PublicKey;
use commonware_p2p::{PeerSetSubscription, PeerSetUpdate, Provider, TrackedPeers};
use commonware_utils::{channel::mpsc, ordered::Set, sync::Mutex};
use std::{fmt, sync::Arc};

struct Tracked<P: PublicKey> {
    latest: Option<(u64, Set<P>)>,
    subscribers: Vec<mpsc::UnboundedSender<PeerSetUpdate<P>>>,
}

/// The peer set of the current epoch. Subscribers live as long as the node, and hear of one set an epoch.
pub(super) struct Peers<P: PublicKey>(Arc<Mutex<Tracked<P>>>);

impl<P: PublicKey> Clone for Peers<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: PublicKey> fmt::Debug for Peers<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Peers").finish_non_exhaustive()
    }
}

fn update<P: PublicKey>(index: u64, peers: &Set<P>) -> PeerSetUpdate<P> {
    PeerSetUpdate {
        index,
        latest: TrackedPeers::primary(peers.clone()),
        all: TrackedPeers::primary(peers.clone()),
    }
}

impl<P: PublicKey> Peers<P> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(Tracked {
            latest: None,
            subscribers: Vec::new(),
        })))
    }

    /// The peers of an epoch.
    pub(super) fn track(&self, epoch: u64, peers: Set<P>) {
        let mut tracked = self.0.lock();
        let update = update(epoch, &peers);
        tracked
            .subscribers
            .retain(|it| it.send(update.clone()).is_ok());
        tracked.latest = Some((epoch, peers));
    }
}

impl<P: PublicKey> Provider for Peers<P> {
    type PublicKey = P;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<P>> {
        let tracked = self.0.lock();
        let (index, peers) = tracked.latest.as_ref()?;
        (*index == id).then(|| TrackedPeers::primary(peers.clone()))
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<P> {
        let (sender, receiver) = mpsc::unbounded_channel();
        let mut tracked = self.0.lock();
        if let Some((index, peers)) = &tracked.latest {
            let _ = sender.send(update(*index, peers));
        }
        tracked.subscribers.push(sender);
        receiver
    }
}
