//! Nodes that do not keep the protocol. Each runs the real engine and does more.

use super::{
    boot::Shared,
    genesis::{Nouns, World},
    options::Role,
};
use crate::draw::Draw;
use bytes::Bytes;
use commonware_p2p::Recipients;
use commonware_utils::sync::Mutex;
use drystone_engine::{
    scheme::fixture::Fixture,
    types::{Certificate, Digest, Header, Signed, Tip},
    wire::Envelope,
};
use std::{collections::BTreeMap, sync::Arc};

/// Sends on one of the node's channels, whatever the network.
pub type Outlet<P> = Box<dyn FnMut(usize, Recipients<P>, Bytes) + Send>;

/// How many channels a node has.
pub const CHANNELS: usize = 4;

/// Sees what the node's engine does, a moment before it leaves the node.
pub struct Tap<F: Fixture> {
    shared: Shared<F>,
    node: usize,
    role: Role,
    inner: Mutex<Inner<F>>,
}

/// What a tap changes.
struct Inner<F: Fixture> {
    draw: Draw,
    send: Outlet<F::PublicKey>,
    /// Second headers that are to be shown again.
    twins: BTreeMap<u64, Arc<Signed<Nouns<F>>>>,
}

/// What a role does beyond the engine, if anything.
pub fn misbehave<F: Fixture>(
    shared: &Shared<F>,
    node: usize,
    role: Role,
    outlet: Outlet<F::PublicKey>,
) -> Option<Tap<F>> {
    let draw = Draw::new(shared.seed)
        .split("byzantine")
        .split_at(node as u64);
    match role {
        Role::Honest | Role::Withholds { .. } => None,
        Role::Equivocates | Role::ShowsTwins { .. } | Role::SendsGarbage => Some(Tap {
            shared: shared.clone(),
            node,
            role,
            inner: Mutex::new(Inner {
                draw,
                send: outlet,
                twins: BTreeMap::new(),
            }),
        }),
    }
}

impl<F: Fixture> Tap<F> {
    fn world(&self) -> &World<F> {
        &self.shared.world
    }

    fn epoch(&self) -> u64 {
        self.shared.feeds.lock()[self.node].epoch()
    }

    /// Every other node with even odds, at least one.
    fn some(&self, draw: &mut Draw) -> Vec<F::PublicKey> {
        let others: Vec<_> = (0..self.world().names.len())
            .filter(|node| *node != self.node)
            .collect();
        let certain = *draw.pick(&others);
        let chosen = others
            .into_iter()
            .filter(|node| *node == certain || draw.coin());
        chosen
            .map(|node| self.world().names[node].clone())
            .collect()
    }

    /// Sends a header of the node's own lane.
    fn send(
        &self,
        send: &mut Outlet<F::PublicKey>,
        to: Recipients<F::PublicKey>,
        header: Arc<Signed<Nouns<F>>>,
    ) {
        let envelope = Envelope {
            sequencer: self.world().names[self.node].clone(),
            headers: vec![header],
            certificate: None,
        };
        let bytes = envelope.encode(&self.world().committee(self.epoch(), Some(self.node)));
        send(0, to, bytes);
    }

    /// A header of the node's own lane is about to be sent.
    pub fn show(&self, header: Arc<Signed<Nouns<F>>>) {
        let mut inner = self.inner.lock();
        let Inner { draw, send, twins } = &mut *inner;
        match self.role {
            Role::Equivocates if draw.chance(300_000) => {
                let twin = Arc::new(self.twin(&header, draw));
                let to = Recipients::Some(self.some(draw));
                twins.insert(header.height(), twin.clone());
                self.send(send, to, twin);
            }
            Role::ShowsTwins { to } => {
                let twin = Arc::new(self.twin(&header, draw));
                let to = Recipients::One(self.world().names[to].clone());
                twins.insert(header.height(), twin.clone());
                self.send(send, to, twin);
            }
            Role::SendsGarbage => {
                let length = draw.magnitude(1..=400);
                let bytes: Vec<u8> = (0..length).map(|_| draw.bits() as u8).collect();
                let channel = draw.index(CHANNELS);
                let to = *draw.pick(&[0, 1, 2, 3]) % self.world().names.len();
                let to = Recipients::One(self.world().names[to].clone());
                send(channel, to, bytes.into());
            }
            _ => {}
        }
    }

    /// Another header at the same height, signed as well. Every other one has a body.
    fn twin(&self, header: &Signed<Nouns<F>>, draw: &mut Draw) -> Signed<Nouns<F>> {
        let mut payload = header.header().payload;
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&draw.bits().to_be_bytes());
        payload.digest = Digest::from(bytes);
        // With a body it can be acked as well as the first, and nothing but its lock is in the way.
        if draw.coin() {
            self.shared.library.lock().spread(payload.digest);
        }
        let twin = Header {
            payload,
            ..header.header().clone()
        };
        let namespace = self.world().genesis.header_namespace();
        Signed::sign(twin, &self.world().keys[self.node], &namespace)
    }

    /// A certificate was taken as a lane's newest.
    pub fn certified(&self, certificate: &Certificate<Nouns<F>>) {
        let mut inner = self.inner.lock();
        let Inner { draw, send, twins } = &mut *inner;
        match self.role {
            Role::SendsGarbage if draw.chance(100_000) => {}
            Role::Equivocates => {
                let own = certificate.sequencer == self.world().names[self.node];
                if own {
                    *twins = twins.split_off(&(certificate.tip.height + 1));
                }
                // Again, late: to a node that forgot what it locked, this one is the first it sees.
                if let Some(twin) = twins.values().next().filter(|_| draw.chance(300_000)) {
                    let to = Recipients::Some(self.some(draw));
                    self.send(send, to, twin.clone());
                }
                return;
            }
            Role::ShowsTwins { to } if certificate.sequencer == self.world().names[self.node] => {
                let above = twins.split_off(&(certificate.tip.height + 1));
                for twin in std::mem::replace(twins, above).into_values() {
                    let to = Recipients::One(self.world().names[to].clone());
                    self.send(send, to, twin);
                }
                return;
            }
            _ => return,
        }
        // The signatures of one place under another: nothing but checking them tells.
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&draw.bits().to_be_bytes());
        let above = draw.within(1..=3);
        let tip = Tip {
            height: certificate.tip.height + above,
            slot: certificate.tip.slot + above,
            digest: Digest::from(bytes),
        };
        let forged = Certificate {
            tip,
            ..certificate.clone()
        };
        let envelope = Envelope {
            sequencer: certificate.sequencer.clone(),
            headers: Vec::new(),
            certificate: Some(Arc::new(forged)),
        };
        let to = Recipients::Some(self.some(draw));
        let bytes = envelope.encode(&self.world().committee(self.epoch(), Some(self.node)));
        send(0, to, bytes);
    }
}
