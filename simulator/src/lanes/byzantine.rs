//! Nodes that do not keep the protocol. Each runs the real engine and does more.

#[cfg(test)]
mod tests;

use super::{
    boot::Shared,
    genesis::{CHUNK_BYTES, CHUNK_ITEMS, Nouns, World},
    options::Role,
};
use crate::draw::Draw;
use bytes::Bytes;
use commonware_codec::Encode as _;
use commonware_cryptography::Signer as _;
use commonware_p2p::Recipients;
use commonware_utils::sync::Mutex;
use drystone_engine::{
    scheme::fixture::Fixture,
    types::{Certificate, Digest, Header, Payload, Signed, Tip},
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
    /// Where the draws come from: see [`Tap::about_own`] and [`Tap::about`].
    draw: Draw,
    inner: Mutex<Inner<F>>,
}

/// What a tap changes.
struct Inner<F: Fixture> {
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
        Role::Honest | Role::Withholds { .. } | Role::ClaimsEpoch { .. } => None,
        Role::Equivocates | Role::ShowsTwins { .. } | Role::SendsGarbage => Some(Tap {
            shared: shared.clone(),
            node,
            role,
            draw,
            inner: Mutex::new(Inner {
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

    /// Draws about a header of the node's own lane: the same, whatever else happens in the run.
    fn about_own(&self, header: &Signed<Nouns<F>>) -> Draw {
        self.draw.split("header").split_at(header.height())
    }

    /// Draws about a certificate, which is taken once for each lane, height and epoch.
    fn about(&self, certificate: &Certificate<Nouns<F>>) -> Draw {
        let lane = self.world().nodes[&certificate.sequencer] as u64;
        let of_lane = self.draw.split("certificate").split_at(lane);
        of_lane
            .split_at(certificate.tip.height)
            .split_at(certificate.epoch)
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
    fn show_own(
        &self,
        send: &mut Outlet<F::PublicKey>,
        to: Recipients<F::PublicKey>,
        header: Arc<Signed<Nouns<F>>>,
    ) {
        let me = &self.world().names[self.node];
        self.send(send, to, me, vec![header], None);
    }

    fn send(
        &self,
        send: &mut Outlet<F::PublicKey>,
        to: Recipients<F::PublicKey>,
        sequencer: &F::PublicKey,
        headers: Vec<Arc<Signed<Nouns<F>>>>,
        certificate: Option<Arc<Certificate<Nouns<F>>>>,
    ) {
        let envelope = Envelope {
            sequencer: sequencer.clone(),
            headers,
            certificate,
        };
        let committee = self.world().committee(self.epoch(), Some(self.node));
        let bytes = envelope.encode(&committee);
        send(0, to, bytes);
    }

    /// A header of the node's own lane is about to be sent.
    pub fn show(&self, header: Arc<Signed<Nouns<F>>>) {
        let draw = &mut self.about_own(&header);
        let mut inner = self.inner.lock();
        let Inner { send, twins } = &mut *inner;
        match self.role {
            Role::Equivocates if draw.chance(300_000) => {
                let twin = Arc::new(self.twin(&header, draw));
                let to = Recipients::Some(self.some(draw));
                twins.insert(header.height(), twin.clone());
                self.show_own(send, to, twin);
            }
            Role::ShowsTwins { to } => {
                let twin = Arc::new(self.twin(&header, draw));
                let to = Recipients::One(self.world().names[to].clone());
                twins.insert(header.height(), twin.clone());
                self.show_own(send, to, twin);
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
        let draw = &mut self.about(certificate);
        let mut inner = self.inner.lock();
        let Inner { send, twins } = &mut *inner;
        match self.role {
            Role::SendsGarbage => {
                if draw.chance(100_000) {
                    let forged = self.forged_certificate(draw, certificate);
                    let to = Recipients::Some(self.some(draw));
                    self.send(send, to, &certificate.sequencer, Vec::new(), Some(forged));
                }
                if draw.chance(50_000) {
                    let forged = self.forged_header(draw, certificate);
                    let to = Recipients::Some(self.some(draw));
                    self.send(send, to, &certificate.sequencer, vec![forged], None);
                }
            }
            Role::Equivocates => {
                let own = certificate.sequencer == self.world().names[self.node];
                if own {
                    *twins = twins.split_off(&(certificate.tip.height + 1));
                }
                // Again, late: to a node that forgot what it locked, this one is the first it sees.
                if let Some(twin) = twins.values().next().filter(|_| draw.chance(300_000)) {
                    let to = Recipients::Some(self.some(draw));
                    self.show_own(send, to, twin.clone());
                }
            }
            Role::ShowsTwins { to } if certificate.sequencer == self.world().names[self.node] => {
                // What was certified lately, and now and then all there was: whoever forgot may be taken in.
                let height = certificate.tip.height;
                let lately = height.saturating_sub(self.world().options.in_flight_max);
                let from = if height.is_multiple_of(10) { 1 } else { lately };
                for twin in twins.range(from..=height).map(|(_, it)| it.clone()) {
                    let to = Recipients::One(self.world().names[to].clone());
                    self.show_own(send, to, twin);
                }
            }
            _ => {}
        }
    }

    /// The signatures of one place under another: nothing but checking them tells.
    fn forged_certificate(
        &self,
        draw: &mut Draw,
        certificate: &Certificate<Nouns<F>>,
    ) -> Arc<Certificate<Nouns<F>>> {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&draw.bits().to_be_bytes());
        let above = draw.within(1..=3);
        let tip = Tip {
            height: certificate.tip.height + above,
            slot: certificate.tip.slot + above,
            digest: Digest::from(bytes),
        };
        Arc::new(Certificate {
            tip,
            ..certificate.clone()
        })
    }

    /// A header of another's lane where that has one already: at the newest certified height or a little above it. If
    /// it were believed, its sequencer would stand accused.
    fn forged_header(
        &self,
        draw: &mut Draw,
        certificate: &Certificate<Nouns<F>>,
    ) -> Arc<Signed<Nouns<F>>> {
        let [mut payload, mut previous] = [[0; 32]; 2];
        payload[..8].copy_from_slice(&draw.bits().to_be_bytes());
        previous[..8].copy_from_slice(&draw.bits().to_be_bytes());
        let above = draw.within(0..=2);
        let header = Header {
            sequencer: certificate.sequencer.clone(),
            height: certificate.tip.height + above,
            slot: certificate.tip.slot + above,
            previous: Digest::from(previous),
            payload: Payload {
                digest: Digest::from(payload),
                bytes: CHUNK_BYTES,
                items: CHUNK_ITEMS,
            },
        };
        let namespace = self.world().genesis.header_namespace();
        let signature = self.world().keys[self.node].sign(&namespace, &header.encode());
        Arc::new(Signed::new(header, signature))
    }
}
