//! Nodes that do not keep the protocol of chunks. Each runs the deployed engine, and in the relay's place a liar.

use super::{
    genesis::{Key, Nouns, World},
    options::Role,
    payment::Payment,
};
use crate::{
    draw::Draw,
    host::Host,
    system::{Receiver, Sender},
};
use bytes::Bytes;
use commonware_macros::select;
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use commonware_utils::{
    channel::{mpsc, oneshot},
    sync::Mutex,
};
use drystone_actors::{
    Bodies as _, Place, Reference, builder,
    chunk::{Chunk, Limits},
    chunk_store::{self, Absence, Found},
    lane::{self, Proposer},
    relay::{Answer, Parcel, Request},
};
use drystone_engine::{
    Automaton, Judgement, Next, Verdict,
    types::{Header, Payload, Signed},
};
use std::{
    sync::Arc,
    time::{Duration, UNIX_EPOCH},
};

/// A node's owner of bodies, as its engine knows it.
#[derive(Clone)]
pub struct Owner {
    pub inner: lane::Owner<Key, Packer>,
    /// Acks what others make without ever having seen it, if this is a liar.
    pub me: Option<Key>,
}

impl Automaton<Nouns> for Owner {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        Automaton::<Nouns>::propose(&mut self.inner, next)
    }

    fn judge(&mut self, header: &Header<Key>) -> Judgement {
        if self.me.as_ref().is_some_and(|it| *it != header.sequencer) {
            return Judgement::Now(Verdict::Valid);
        }
        Automaton::<Nouns>::judge(&mut self.inner, header)
    }

    fn relay(&mut self, header: &Header<Key>) {
        Automaton::<Nouns>::relay(&mut self.inner, header);
    }
}

/// What makes a node's chunks.
#[derive(Clone)]
pub enum Packer {
    /// The deployed builder.
    Builder(builder::Mailbox),
    /// As large and as many as can be.
    Spammer(Spammer),
}

impl Proposer for Packer {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        match self {
            Self::Builder(builder) => builder.propose(next),
            Self::Spammer(spammer) => spammer.propose(next),
        }
    }
}

/// Fills each chunk to the brim.
#[derive(Clone)]
pub struct Spammer {
    pub node: u16,
    pub world: Arc<World>,
    pub host: Arc<Mutex<Host>>,
    pub store: chunk_store::Mailbox<Key>,
}

impl Spammer {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        let (responder, payload) = oneshot::channel();
        let chunk = brimful(&self.world, self.node, next.height);
        let made = chunk.payload();
        let durable = self.store.persist(chunk);
        let host = self.host.lock().child("spammer");
        host.spawn(move |_| async move {
            if durable.await.is_ok() {
                let _ = responder.send(made);
            }
        });
        payload
    }
}

/// A chunk of the largest size, told from others by its number.
fn brimful(world: &World, node: u16, number: u64) -> Chunk {
    let limits = Limits::from(&*world.genesis);
    let start = world.start.duration_since(UNIX_EPOCH).expect("after 1970");
    let items = u64::from(limits.items_max).min(u64::from(limits.bytes_max) / 64);
    let each = limits.bytes_max / (items as u32) - 8;
    let payments = (0..items).map(|item| {
        let payment = Payment {
            account: u16::MAX - node,
            number: (number * items + item) as u32,
            expiry_ms: start.as_millis() as u64 + (1 << 30),
            affordable: true,
            bytes: each,
        };
        payment.encode()
    });
    Chunk::pack(&payments.collect::<Vec<_>>(), &limits).expect("within the limits")
}

/// Sees what the node's engine makes, a moment before it leaves the node.
pub struct Tap {
    pub made: mpsc::UnboundedSender<Reference<Key>>,
}

impl Tap {
    /// An own header is about to be sent.
    pub fn made(&self, header: &Signed<Nouns>) {
        let _ = self.made.send(Reference::from(header.header()));
    }
}

/// A pair of ends of a channel.
type Ends = (Sender<Key>, Receiver<Key>);

/// What stands in the relay's place.
pub struct Liar {
    pub role: Role,
    pub node: usize,
    pub world: Arc<World>,
    pub draw: Draw,
    pub made: mpsc::UnboundedReceiver<Reference<Key>>,
    pub requests: Ends,
    pub bodies: Ends,
    pub gossip: Sender<Key>,
    pub store: chunk_store::Mailbox<Key>,
}

impl Liar {
    /// Lies until the node ends.
    pub async fn run(mut self, host: Host) {
        loop {
            select! {
                made = self.made.recv() => match made {
                    Some(reference) => self.push(&host, reference).await,
                    None => return,
                },
                asked = self.requests.1.recv() => {
                    let Ok((from, message)) = asked else { return };
                    if let Ok(request) = Request::decode(message, &self.world.genesis) {
                        self.answer(from, request.reference).await;
                    }
                },
                body = self.bodies.1.recv() => if body.is_err() { return },
            }
        }
    }

    /// The validators that see everything a withholder makes: f+1 of them.
    fn friends(&self) -> Vec<Key> {
        let validators = self.world.options.validators_of(0);
        let others = validators.iter().filter(|it| **it != self.node);
        let count = (validators.len() - 1) / 3 + 1;
        let friends = others.take(count).map(|it| self.world.names[*it].clone());
        friends.collect()
    }

    async fn push(&mut self, host: &Host, reference: Reference<Key>) {
        if self.role == Role::SendsGarbage {
            self.litter(&reference);
        }
        // The engine makes a body durable before it signs, and the chunk store knows it a turn later.
        let mut found = self.store.get(reference.clone(), None).await;
        while let Ok(Found::Absent(_)) = found {
            host.sleep(Duration::from_millis(1)).await;
            found = self.store.get(reference.clone(), None).await;
        }
        let Ok(Found::Body(body)) = found else { return };
        let to = match self.role {
            Role::Withholds => Recipients::Some(self.friends()),
            _ => Recipients::All,
        };
        self.send(to, reference.clone(), Answer::Body(body), true);
        if self.role == Role::Spams {
            for ahead in 1..=4 {
                self.push_ahead(&reference, ahead);
            }
        }
    }

    /// Pushes a body whose header there is not, and will not be.
    fn push_ahead(&mut self, reference: &Reference<Key>, ahead: u64) {
        let number = 1 << 20 | reference.place.height << 3 | ahead;
        let chunk = brimful(&self.world, self.node as u16, number);
        let payload = chunk.payload();
        let ahead = Reference {
            sequencer: reference.sequencer.clone(),
            place: Place {
                height: reference.place.height + ahead,
                slot: reference.place.slot + ahead,
                digest: payload.digest,
            },
            bytes: payload.bytes,
            items: payload.items,
        };
        let body = Answer::Body(chunk.body().clone());
        self.send(Recipients::All, ahead, body, true);
    }

    async fn answer(&mut self, from: Key, reference: Reference<Key>) {
        let found = self.store.get(reference.clone(), None).await;
        let body = match found {
            Ok(Found::Body(body)) => Some(body),
            _ => None,
        };
        let answer = match self.role {
            Role::Withholds if !self.friends().contains(&from) => return,
            Role::Lies => self.lie(&from, &reference, body),
            _ => body.map_or(Answer::Absent(Absence::Unknown), Answer::Body),
        };
        self.send(Recipients::One(from), reference, answer, false);
    }

    /// Drawn from who asks and for what, so that one question moves no other.
    fn lie(&self, from: &Key, reference: &Reference<Key>, body: Option<Bytes>) -> Answer {
        let lane = self.world.nodes[&reference.sequencer] as u64;
        let asker = self.world.nodes[from] as u64;
        let mut draw = self
            .draw
            .split_at(reference.place.height)
            .split_at(lane << 8 | asker);
        match draw.below(5) {
            // Changed in one byte, or made up.
            0 => {
                let made_up = || vec![draw.bits() as u8; reference.bytes as usize];
                let mut bytes = body.map_or_else(made_up, |it| it.to_vec());
                bytes[0] ^= 1;
                Answer::Body(bytes.into())
            }
            // Another body, sound in itself.
            1 => {
                let number = 1 << 28 | reference.place.height;
                let other = brimful(&self.world, self.node as u16, number);
                Answer::Body(other.body().clone())
            }
            2 => Answer::Absent(*draw.pick(&[Absence::Unknown, Absence::Expired, Absence::Pruned])),
            3 => Answer::Busy,
            _ => body.map_or(Answer::Busy, Answer::Body),
        }
    }

    /// Bytes that are no messages, and messages that answer nothing.
    fn litter(&mut self, about: &Reference<Key>) {
        let mut draw = self.draw.split("litter").split_at(about.place.height);
        let length = draw.magnitude(1..=400);
        let bytes: Vec<u8> = (0..length).map(|_| draw.bits() as u8).collect();
        let bytes = Bytes::from(bytes);
        let names = &self.world.names;
        let to = Recipients::One(names[draw.index(names.len())].clone());
        match draw.below(4) {
            0 => drop(self.gossip.send(to, bytes, false)),
            1 => drop(self.requests.0.send(to, bytes, false)),
            2 => drop(self.bodies.0.send(to, bytes, false)),
            _ => {
                let mut about = about.clone();
                about.place.height += draw.below(3);
                self.send(to, about, Answer::Body(bytes), draw.clone().coin());
            }
        }
    }

    fn send(
        &mut self,
        to: Recipients<Key>,
        reference: Reference<Key>,
        answer: Answer,
        pushed: bool,
    ) {
        let parcel = Parcel {
            reference,
            answer,
            pushed,
        };
        self.bodies.0.send(to, parcel.encode(), false);
    }
}
