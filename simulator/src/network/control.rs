//! What a node may tell the network about its peers.

use super::Shared;
use commonware_actor::Feedback;
use commonware_cryptography::PublicKey;
use commonware_p2p::{
    BlockedSubscription, Blocker, Manager, PeerSetSubscription, Provider, TrackedPeers,
};
use commonware_runtime::Clock;
use std::{fmt, sync::Arc};

/// One node's [`Blocker`], [`Provider`] and [`Manager`].
///
/// Peer sets inform their subscribers; they do not stop traffic. Whoever is not in a node's sets can
/// still reach it, which is harsher on the node than a real network.
pub struct Control<P: PublicKey, E: Clock> {
    shared: Arc<Shared<P, E>>,
    node: usize,
}

impl<P: PublicKey, E: Clock> Control<P, E> {
    pub(super) const fn new(shared: Arc<Shared<P, E>>, node: usize) -> Self {
        Self { shared, node }
    }
}

impl<P: PublicKey, E: Clock> Clone for Control<P, E> {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone(), self.node)
    }
}

impl<P: PublicKey, E: Clock> fmt::Debug for Control<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl<P: PublicKey, E: Clock> Blocker for Control<P, E> {
    type PublicKey = P;

    /// Ends traffic both ways until the blocking node is taken down, also what is in flight. A node
    /// does not block itself, nor a key of no peer.
    fn block(&mut self, peer: P) -> Feedback {
        let Some(index) = self
            .shared
            .index_of(&peer)
            .filter(|index| *index != self.node)
        else {
            return Feedback::Ok;
        };
        if self.shared.world.lock().block(self.node, index) {
            self.shared.membership.lock()[self.node].block(peer);
        }
        Feedback::Ok
    }

    fn blocked(&mut self) -> BlockedSubscription<P> {
        self.shared.membership.lock()[self.node].subscribe_blocked()
    }
}

impl<P: PublicKey, E: Clock> Provider for Control<P, E> {
    type PublicKey = P;

    async fn peer_set(&mut self, id: u64) -> Option<TrackedPeers<P>> {
        self.shared.membership.lock()[self.node].peer_set(id)
    }

    async fn subscribe(&mut self) -> PeerSetSubscription<P> {
        self.shared.membership.lock()[self.node].subscribe()
    }
}

impl<P: PublicKey, E: Clock> Manager for Control<P, E> {
    fn track<R: Into<TrackedPeers<P>> + Send>(&mut self, id: u64, peers: R) -> Feedback {
        self.shared.membership.lock()[self.node].track(id, peers.into());
        Feedback::Ok
    }
}
