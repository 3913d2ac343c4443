//! The sending half of a channel.

use super::{
    Shared,
    world::{Port, Targets, for_each_target},
};
use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::PublicKey;
use commonware_p2p::{CheckedSender, LimitedSender, Recipients};
use commonware_runtime::{Clock, IoBufs};
use std::{fmt, sync::Arc, time::SystemTime};

/// Sends on one channel of one node. Clones share the channel's quota.
///
/// Sending never waits and never fails because of a peer: what becomes of the message is the link's
/// affair. After the channel was registered again, or the node taken down, every send returns
/// [`Feedback::Closed`].
pub struct Sender<P: PublicKey, E: Clock> {
    shared: Arc<Shared<P, E>>,
    port: Port,
    /// Whether there is a quota to check at all.
    limited: bool,
    /// Scratch space, kept for its memory.
    alarms: Vec<u64>,
}

impl<P: PublicKey, E: Clock> Sender<P, E> {
    pub(super) const fn new(shared: Arc<Shared<P, E>>, port: Port, limited: bool) -> Self {
        Self {
            shared,
            port,
            limited,
            alarms: Vec::new(),
        }
    }
}

impl<P: PublicKey, E: Clock> Clone for Sender<P, E> {
    fn clone(&self) -> Self {
        Self::new(self.shared.clone(), self.port, self.limited)
    }
}

impl<P: PublicKey, E: Clock> fmt::Debug for Sender<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl<P: PublicKey, E: Clock> LimitedSender for Sender<P, E> {
    type PublicKey = P;
    type Checked<'a> = Checked<'a, P, E>;

    /// Keys of no peer are left out, as a peer that is not there.
    fn check(&mut self, recipients: Recipients<P>) -> Result<Checked<'_, P, E>, SystemTime> {
        let mut targets = match recipients {
            Recipients::All => Targets::All,
            Recipients::One(peer) => self
                .shared
                .index_of(&peer)
                .map_or_else(|| Targets::Some(Vec::new()), Targets::One),
            Recipients::Some(peers) => Targets::Some(
                peers
                    .iter()
                    .filter_map(|peer| self.shared.index_of(peer))
                    .collect(),
            ),
        };
        if self.limited {
            let now_us = self.shared.now_us();
            let checked = self.shared.world.lock().check(now_us, self.port, targets);
            targets = checked.map_err(super::time)?;
        }
        Ok(Checked {
            sender: self,
            targets,
        })
    }
}

/// A [`Sender`] with recipients that its quota allows.
pub struct Checked<'a, P: PublicKey, E: Clock> {
    sender: &'a mut Sender<P, E>,
    targets: Targets,
}

impl<P: PublicKey, E: Clock> fmt::Debug for Checked<'_, P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Checked")
            .field("targets", &self.targets)
            .finish_non_exhaustive()
    }
}

impl<P: PublicKey, E: Clock> CheckedSender for Checked<'_, P, E> {
    type PublicKey = P;

    fn recipients(&self) -> Vec<P> {
        let peers = &self.sender.shared.peers;
        let mut keys = Vec::new();
        for_each_target(&self.targets, peers.len(), self.sender.port.node, |to| {
            keys.push(peers[to].clone());
        });
        keys
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let Sender {
            shared,
            port,
            alarms,
            ..
        } = self.sender;
        let body = message.into().coalesce();
        assert!(
            body.len() <= shared.message_size_max,
            "message of {} bytes, at most {} are allowed",
            body.len(),
            shared.message_size_max
        );
        let now_us = shared.now_us();
        let open = shared
            .world
            .lock()
            .send(now_us, *port, &self.targets, &body, priority, alarms);
        for at_us in alarms.drain(..) {
            shared.set_alarm(at_us);
        }
        Unreliable::new(if open { Feedback::Ok } else { Feedback::Closed })
    }
}
