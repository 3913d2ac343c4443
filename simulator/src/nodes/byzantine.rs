//! How a node's messages are bent on their way. Every node runs the deployed actors; a Byzantine one's transport lies.

use super::{
    deployment::{Key, World},
    options::Role,
};
use crate::{
    draw::Draw,
    host::Host,
    lanes::{QUOTA, Short},
    system::{Control, Port, Receiver, Sender},
};
use commonware_actor::{Feedback, Unreliable};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_p2p::{
    self as p2p, CheckedSender, LimitedSender, Message, Receiver as _, Recipients,
};
use commonware_runtime::{IoBufs, Spawner as _};
use commonware_utils::channel::mpsc;
use drystone_actors::node::{CHANNELS, Channel, Network};
use drystone_engine::Channels;
use std::{
    collections::{BTreeMap, BTreeSet},
    future::Future,
    num::NonZeroUsize,
    sync::Arc,
    time::SystemTime,
};
use thiserror::Error;

/// The transport of a simulated node.
pub type Wire = Channels<Mouth, Ear, Control<Key>>;

/// Messages of which one byte is changed, of a million.
const GARBLED_PPM: u32 = 150_000;
/// Messages that wait for a twin.
const WAITING_MAX: usize = 1 << 12;

/// What a node's transport does to what is sent on one channel.
#[derive(Clone, Default)]
struct Bend {
    /// Who gets anything; nothing is everybody.
    audience: Option<Arc<BTreeSet<Key>>>,
    garbles: Option<Draw>,
}

/// Sends, to whom it likes.
#[derive(Clone)]
pub struct Mouth {
    inner: Sender<Key>,
    bend: Bend,
}

/// A message that may be sent now.
pub struct Words<'a> {
    inner: <Sender<Key> as LimitedSender>::Checked<'a>,
    garbles: Option<&'a Draw>,
}

impl LimitedSender for Mouth {
    type PublicKey = Key;
    type Checked<'a> = Words<'a>;

    fn check(&mut self, recipients: Recipients<Key>) -> Result<Words<'_>, SystemTime> {
        let recipients = match (&self.bend.audience, recipients) {
            (None, recipients) => recipients,
            (Some(audience), Recipients::All) => {
                Recipients::Some(audience.iter().cloned().collect())
            }
            (Some(audience), Recipients::Some(peers)) => {
                let heard = peers.into_iter().filter(|it| audience.contains(it));
                Recipients::Some(heard.collect())
            }
            (Some(audience), Recipients::One(peer)) => {
                let heard = Some(peer).into_iter().filter(|it| audience.contains(it));
                Recipients::Some(heard.collect())
            }
        };
        Ok(Words {
            inner: self.inner.check(recipients)?,
            garbles: self.bend.garbles.as_ref(),
        })
    }
}

impl CheckedSender for Words<'_> {
    type PublicKey = Key;

    fn recipients(&self) -> Vec<Key> {
        self.inner.recipients()
    }

    fn send(self, message: impl Into<IoBufs> + Send, priority: bool) -> Unreliable<Feedback> {
        let message = message.into();
        let Some(draw) = self.garbles.filter(|_| !message.is_empty()) else {
            return self.inner.send(message, priority);
        };
        let mut bytes = message.coalesce().as_ref().to_vec();
        // By what is said, so that a message more or less changes no other.
        let mut draw = draw.split_at(Short::of(&Sha256::hash(&[&bytes])).0);
        if draw.chance(GARBLED_PPM) {
            let at = draw.index(bytes.len());
            bytes[at] ^= 1 << draw.below(8);
        }
        self.inner.send(bytes, priority)
    }
}

/// The channel is closed.
#[derive(Debug, Error)]
#[error("the channel is closed")]
pub struct Closed;

/// Receives, or as a twin what is passed on to it.
pub enum Ear {
    /// Everything.
    Whole(Receiver<Key>),
    /// What the twins' common receiver passes on.
    Part(mpsc::Receiver<Message<Key>>),
}

impl std::fmt::Debug for Ear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ear").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Mouth {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mouth").finish_non_exhaustive()
    }
}

impl p2p::Receiver for Ear {
    type Error = Closed;
    type PublicKey = Key;

    async fn recv(&mut self) -> Result<Message<Key>, Closed> {
        match self {
            Self::Whole(inner) => inner.recv().await.map_err(|_| Closed),
            Self::Part(inner) => inner.recv().await.ok_or(Closed),
        }
    }

    fn capacity(&self) -> NonZeroUsize {
        match self {
            Self::Whole(inner) => inner.capacity(),
            Self::Part(_) => NonZeroUsize::new(WAITING_MAX).expect("positive"),
        }
    }
}

/// The transport of a node that is no twin.
pub fn network(
    port: &Port<Key>,
    node: usize,
    role: Role,
    world: &World,
    draw: &Draw,
) -> Network<Wire> {
    let few = few(world, node, draw);
    let nobody = Arc::new(BTreeSet::new());
    Network::open(port.control(), |channel| {
        let (sender, receiver) = port.register(channel as u64, QUOTA);
        let audience = match (role, channel) {
            (Role::Withholds, Channel::Bodies | Channel::Blocks) => Some(few.clone()),
            (Role::Withholds, Channel::Backfill | Channel::Answers) => Some(nobody.clone()),
            (Role::Abstains, Channel::Votes | Channel::Certificates | Channel::Blocks) => {
                Some(nobody.clone())
            }
            _ => None,
        };
        let garbles = (role == Role::Garbles).then(|| draw.split_at(channel as u64));
        let bend = Bend { audience, garbles };
        (
            Mouth {
                inner: sender,
                bend,
            },
            Ear::Whole(receiver),
        )
    })
}

/// The f+1 nodes that a withholder shows anything. In a cluster of four they and it are a quorum.
fn few(world: &World, node: usize, draw: &Draw) -> Arc<BTreeSet<Key>> {
    let others: Vec<_> = (0..world.names.len()).filter(|it| *it != node).collect();
    let count = (world.names.len() - 1) / 3 + 1;
    let chosen = draw
        .split("few")
        .distinct(count.min(others.len()), others.len());
    let name = |it: usize| world.names[others[it]].clone();
    Arc::new(chosen.into_iter().map(name).collect())
}

/// Which of the others each of two twins talks to. Some talk to both.
fn audiences(world: &World, node: usize, draw: &Draw) -> [BTreeSet<Key>; 2] {
    let mut draw = draw.split("twins");
    let mut audiences = [BTreeSet::new(), BTreeSet::new()];
    for (other, name) in world.names.iter().enumerate() {
        if other == node {
            continue;
        }
        let side = draw.below(5);
        if side != 0 {
            audiences[(side % 2) as usize].insert(name.clone());
        } else {
            audiences
                .iter_mut()
                .for_each(|it| _ = it.insert(name.clone()));
        }
    }
    audiences
}

/// The transports of two twins on one machine.
pub fn twins(
    host: &Host,
    port: &Port<Key>,
    node: usize,
    world: &World,
    draw: &Draw,
) -> [Network<Wire>; 2] {
    let audiences = audiences(world, node, draw).map(Arc::new);
    let mut halves: [BTreeMap<Channel, (Mouth, Ear)>; 2] = Default::default();
    for channel in CHANNELS {
        let (sender, mut receiver) = port.register(channel as u64, QUOTA);
        let mut parts = Vec::new();
        for (half, audience) in halves.iter_mut().zip(&audiences) {
            let (part, ear) = mpsc::channel(WAITING_MAX);
            let bend = Bend {
                audience: Some(audience.clone()),
                garbles: None,
            };
            let mouth = Mouth {
                inner: sender.clone(),
                bend,
            };
            half.insert(channel, (mouth, Ear::Part(ear)));
            parts.push((audience.clone(), part));
        }
        spawn(host, async move {
            while let Ok((from, bytes)) = receiver.recv().await {
                for (audience, part) in &parts {
                    if audience.contains(&from) {
                        // A twin that is behind loses what it has no room for, as from a network.
                        let _ = part.try_send((from.clone(), bytes.clone()));
                    }
                }
            }
        });
    }
    halves.map(|mut half| {
        Network::open(port.control(), |channel| {
            half.remove(&channel).expect("every channel is opened once")
        })
    })
}

fn spawn(host: &Host, task: impl Future<Output = ()> + Send + 'static) {
    use commonware_runtime::Supervisor as _;
    host.child("twins").spawn(move |_| task);
}
