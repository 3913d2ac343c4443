//! The double of the owner of bodies: a workload of chunks, bodies that arrive late or never, verdicts.

#[cfg(test)]
mod tests;

use super::{
    genesis::{CHUNK_BYTES, CHUNK_ITEMS, Nouns, World},
    machine::Machine,
    observation::{Seen, Short},
    options::Role,
};
use crate::{Observer, draw::derive};
use commonware_utils::{channel::oneshot, sync::Mutex};
use drystone_actors::unordered::Map;
use drystone_engine::{
    Automaton, Environment, Judgement, Next, Verdict,
    scheme::fixture::Fixture,
    types::{Digest, Header, Payload},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What all nodes of a cluster share about bodies: where a body is, and when it reaches the others.
#[derive(Default)]
pub struct Library {
    bodies: Map<Digest, Body>,
    /// Bodies that their owners have not sent.
    sealed: BTreeMap<Digest, usize>,
    /// How many disks each node has lost.
    lost: BTreeMap<usize, u32>,
}

#[derive(Default)]
struct Body {
    /// When it reaches the other nodes, once its owner has sent it.
    spread_us: Option<u64>,
    /// The disks that hold it: of which node, and which of its disks.
    disks: Vec<(usize, u32)>,
}

impl Library {
    /// An equivocator made a second body, which reaches everybody at once.
    pub fn spread(&mut self, payload: Digest) {
        self.bodies.or_default(payload).spread_us = Some(0);
    }

    /// A node lost its disk.
    pub fn wipe(&mut self, node: usize) {
        *self.lost.entry(node).or_default() += 1;
        self.sealed.retain(|_, owner| *owner != node);
    }

    fn disk(&self, node: usize) -> (usize, u32) {
        (node, self.lost.get(&node).copied().unwrap_or(0))
    }

    /// Whether a body is at a node, and when it reaches the nodes where it is not.
    fn find(&self, node: usize, payload: &Digest) -> (bool, Option<u64>) {
        let disk = self.disk(node);
        let body = self.bodies.get(payload);
        body.map_or((false, None), |it| (it.disks.contains(&disk), it.spread_us))
    }

    /// A body is at a node from now on: whether it was not before.
    fn store(&mut self, node: usize, payload: Digest) -> bool {
        let disk = self.disk(node);
        let disks = &mut self.bodies.or_default(payload).disks;
        let new = !disks.contains(&disk);
        if new {
            disks.push(disk);
        }
        new
    }
}

/// Chunks that a sequencer's clients have given it.
#[derive(Default)]
struct Shelf {
    /// Chunks not asked for yet. A builder holds a few, not all that could have been made.
    ready: u64,
    /// The engine waits for one.
    waiting: Option<oneshot::Sender<Payload>>,
    sealed: u64,
}

/// Chunks ready at once, at most.
const READY_MAX: u64 = 4;

/// One life of one node's owner of bodies.
pub struct Bodies<F: Fixture> {
    shared: Arc<Shared>,
    world: Arc<World<F>>,
}

impl<F: Fixture> Clone for Bodies<F> {
    fn clone(&self) -> Self {
        Self {
            shared: self.shared.clone(),
            world: self.world.clone(),
        }
    }
}

struct Shared {
    node: usize,
    incarnation: u32,
    role: Role,
    seed: u64,
    settings: Settings,
    library: Arc<Mutex<Library>>,
    shelf: Mutex<Shelf>,
    /// How often each chunk was asked about. The draws go by it and the chunk, so that one question moves no other.
    asked: Mutex<BTreeMap<Digest, u64>>,
    machine: Box<dyn Machine>,
    observer: Observer<Seen>,
}

impl Shared {
    /// Whether this question for a verdict is dropped.
    fn drops(&self, payload: &Digest) -> bool {
        if self.settings.dropped_ppm == 0 {
            return false;
        }
        let mut asked = self.asked.lock();
        let times = asked.entry(*payload).or_insert(0);
        *times += 1;
        let here = derive(self.seed, 1 + self.node as u64);
        let about = derive(here, number(payload));
        chance(about, *times, self.settings.dropped_ppm)
    }
}

/// What of the options concerns bodies.
#[derive(Clone, Copy)]
struct Settings {
    chunk_every_us: u64,
    chunks_max: u64,
    body_delay_us: u64,
    invalid_ppm: u32,
    dropped_ppm: u32,
}

/// Whether a draw by hash comes out below a rate.
fn chance(seed: u64, number: u64, ppm: u32) -> bool {
    ppm > 0 && derive(seed, number) % 1_000_000 < u64::from(ppm)
}

fn number(digest: &Digest) -> u64 {
    Short::of(digest).0
}

impl<F: Fixture> Bodies<F> {
    pub fn new(
        (node, incarnation, role): (usize, u32, Role),
        seed: u64,
        world: Arc<World<F>>,
        library: Arc<Mutex<Library>>,
        machine: Box<dyn Machine>,
        observer: Observer<Seen>,
    ) -> Self {
        let options = &world.options;
        let settings = Settings {
            chunk_every_us: options.chunk_every_us,
            chunks_max: options.chunks_max,
            body_delay_us: options.body_delay_us,
            invalid_ppm: options.invalid_ppm,
            dropped_ppm: options.dropped_ppm,
        };
        let shared = Shared {
            node,
            incarnation,
            role,
            seed,
            settings,
            library,
            shelf: Mutex::default(),
            asked: Mutex::default(),
            machine,
            observer,
        };
        let bodies = Self {
            shared: Arc::new(shared),
            world,
        };
        bodies.send_kept();
        bodies
    }

    /// Clients bring a chunk at every interval.
    pub async fn work(self, context: impl Environment) {
        let every = Duration::from_micros(self.shared.settings.chunk_every_us);
        loop {
            context.sleep(every).await;
            let mut shelf = self.shared.shelf.lock();
            shelf.ready = (shelf.ready + 1).min(READY_MAX);
            if let Some(waiting) = shelf.waiting.take() {
                self.seal(&mut shelf, waiting);
            }
        }
    }

    /// Seals the next chunk, if there is one. Its digest only has to be its own: bodies are not made.
    fn seal(&self, shelf: &mut Shelf, waiting: oneshot::Sender<Payload>) {
        let Shared {
            node,
            incarnation,
            settings,
            ..
        } = &*self.shared;
        let exhausted = settings.chunks_max > 0 && shelf.sealed >= settings.chunks_max;
        if shelf.ready == 0 || exhausted {
            shelf.waiting = Some(waiting);
            return;
        }
        shelf.ready -= 1;
        shelf.sealed += 1;
        let mut bytes = [0; 32];
        let name = derive(
            derive(self.shared.seed, *node as u64),
            u64::from(*incarnation) << 32 | shelf.sealed,
        );
        bytes[..8].copy_from_slice(&name.to_be_bytes());
        bytes[8..16].copy_from_slice(&(*node as u64).to_be_bytes());
        bytes[16..24].copy_from_slice(&shelf.sealed.to_be_bytes());
        bytes[24..28].copy_from_slice(&incarnation.to_be_bytes());
        let digest = Digest::from(bytes);
        let mut library = self.shared.library.lock();
        library.sealed.insert(digest, *node);
        library.store(*node, digest);
        drop(library);
        self.shared.observer.report(Seen::Stored {
            payload: Short::of(&digest),
        });
        let _ = waiting.send(Payload {
            digest,
            bytes: CHUNK_BYTES,
            items: CHUNK_ITEMS,
        });
    }

    /// An own body is sent to the other nodes, once.
    fn send(&self, payload: &Digest) {
        let mut library = self.shared.library.lock();
        if library.sealed.remove(payload).is_none() {
            return;
        }
        let now_us = self.shared.machine.now_us();
        let spread_us = match self.shared.role {
            Role::Withholds { until_us } => until_us,
            _ => {
                let delay_us = self.shared.settings.body_delay_us;
                now_us + derive(number(payload), 1) % delay_us.max(1)
            }
        };
        library.bodies.or_default(*payload).spread_us = Some(spread_us);
    }

    /// What an earlier life sealed and did not send: its header may be on the disk, and is sent again too.
    fn send_kept(&self) {
        let library = self.shared.library.lock();
        let kept = library.sealed.iter();
        let kept: Vec<_> = kept
            .filter(|(_, owner)| **owner == self.shared.node)
            .map(|(payload, _)| *payload)
            .collect();
        drop(library);
        kept.iter().for_each(|payload| self.send(payload));
    }

    /// The body is here: it is durable from now on.
    fn store(&self, payload: Digest) {
        let mut library = self.shared.library.lock();
        if library.store(self.shared.node, payload) {
            self.shared.observer.report(Seen::Stored {
                payload: Short::of(&payload),
            });
        }
    }
}

impl<F: Fixture> Automaton<Nouns<F>> for Bodies<F> {
    fn propose(&mut self, _: Next) -> oneshot::Receiver<Payload> {
        let (sender, receiver) = oneshot::channel();
        let mut shelf = self.shared.shelf.lock();
        self.seal(&mut shelf, sender);
        receiver
    }

    fn judge(&mut self, header: &Header<F::PublicKey>) -> Judgement {
        let Shared { node, settings, .. } = &*self.shared;
        let payload = header.payload.digest;
        if chance(self.shared.seed, number(&payload), settings.invalid_ppm) {
            let lane = self.world.nodes[&header.sequencer];
            self.shared.observer.report(Seen::Refused {
                lane,
                height: header.height,
            });
            return Judgement::Now(Verdict::Invalid);
        }
        if self.shared.drops(&payload) {
            // Overload: the sender is dropped unanswered.
            let lane = self.world.nodes[&header.sequencer];
            self.shared.observer.report(Seen::Unanswered {
                lane,
                height: header.height,
            });
            return Judgement::Later(oneshot::channel().1);
        }
        let (held, spread_us) = self.shared.library.lock().find(*node, &payload);
        if held {
            // Said again: what an earlier life stored in its last moments was not heard.
            self.shared.observer.report(Seen::Stored {
                payload: Short::of(&payload),
            });
            return Judgement::Now(Verdict::Valid);
        }
        // A body nobody sealed, an equivocator's, reaches nobody. One that was not sent may come.
        let Some(spread_us) = spread_us else {
            return Judgement::Now(Verdict::Pending);
        };
        let now_us = self.shared.machine.now_us();
        if spread_us <= now_us {
            self.store(payload);
            return Judgement::Now(Verdict::Valid);
        }
        let (sender, receiver) = oneshot::channel();
        let bodies = self.clone();
        // A withheld body may never come; such a wait ends with the node.
        let wait = Duration::from_micros((spread_us - now_us).min(1 << 40));
        let arrived = move || {
            bodies.store(payload);
            let _ = sender.send(Verdict::Valid);
        };
        self.shared.machine.after(wait, Box::new(arrived));
        Judgement::Later(receiver)
    }

    /// Nothing else sends a body, so that an engine that forgets to say this certifies nothing.
    fn relay(&mut self, header: &Header<F::PublicKey>) {
        self.send(&header.payload.digest);
    }
}
