//! All decisions of the chunk store. Pure: no clock, no disk, no await.

mod bodies;
mod chain;
mod own;
mod producer;
mod restore;

pub use restore::{Resident, Restored};

use super::{
    Config,
    config::Amount,
    ingress::Share,
    message::{Absence, Effect, Location, Message, Source},
};
use crate::reference::Reference;
use bytes::Bytes;
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Payload};
use producer::{Entry, Producer, Status, period};
use std::collections::{BTreeMap, VecDeque};

/// What becomes durable with a write.
#[derive(Debug)]
enum Done<P> {
    Stored(Reference<P>),
    Drafted(Digest),
    Accepted {
        height: u64,
        references: Vec<Reference<P>>,
    },
}

/// An own body that no header names yet.
#[derive(Clone, Copy, Debug)]
struct Draft {
    payload: Payload,
    /// The slot it was packed in.
    slot: u64,
    period: u64,
    location: Location,
    durable: bool,
    /// Whether it counts as held: not if a block accepted the same body before a restart.
    held: bool,
}

/// See the [module](super).
pub struct State<P> {
    config: Config<P>,
    producers: BTreeMap<P, Producer>,
    drafts: BTreeMap<Digest, Draft>,
    /// The next number of each bucket that was written to.
    numbers: BTreeMap<u64, u64>,
    finalized_ms: u64,
    executed_ms: u64,
    /// The newest block whose bodies were accepted.
    executed_height: u64,
    /// The latest expiry in each block accepted since the start, while executed time is not past it.
    recent: VecDeque<(u64, u64)>,
    /// What was accepted before the start is not retired until executed time is past this.
    retire_after_ms: u64,
    /// Buckets below this are pruned, and blocks below this retired.
    pruned: u64,
    retired: u64,
    /// Writes so far, and what waits for their sync.
    position: u64,
    unsynced: VecDeque<(u64, Done<P>)>,
}

impl<P: PublicKey> State<P> {
    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<P>, effects: &mut Vec<Effect<P>>) {
        match message {
            Message::Asked(reference) => self.asked(reference, effects),
            Message::Arrived {
                reference,
                chunk,
                pushed,
            } => self.arrived(reference, chunk, pushed, effects),
            Message::Checked {
                reference,
                chunk,
                valid,
            } => self.checked(reference, &chunk, valid, effects),
            Message::Packed(chunk) => self.packed(now_ms, &chunk, effects),
            Message::Kept { height, references } => {
                self.await_sync(Done::Accepted { height, references })
            }
            Message::Certified { sequencer, height } => {
                if let Some(producer) = self.producers.get_mut(&sequencer) {
                    producer.pass(height);
                }
            }
            Message::Advanced(horizon) => self.advanced(horizon, effects),
            Message::Synced(position) => self.synced(position, effects),
        }
    }

    /// This node: whose bodies its builder persists.
    pub const fn me(&self) -> &P {
        &self.config.me
    }

    /// What was to be written so far: what a sync that starts now covers.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// What a producer holds, neither executed nor expired.
    pub fn held(&self, producer: &P) -> Amount {
        self.producers
            .get(producer)
            .map(|it| it.held)
            .unwrap_or_default()
    }

    /// What a producer produced in the period of a slot, as far as it is not expired.
    pub fn produced(&self, producer: &P, slot: u64) -> Amount {
        let period = period(&self.config.limits.rate, slot);
        let producer = self.producers.get(producer);
        producer
            .and_then(|it| it.periods.get(&period).copied())
            .unwrap_or_default()
    }

    /// Bodies of a producer that are in memory.
    pub fn remembered(&self, producer: &P) -> Amount {
        self.producers
            .get(producer)
            .map(|it| it.memory)
            .unwrap_or_default()
    }

    /// What each producer holds.
    pub fn shares(&self) -> BTreeMap<P, Share> {
        let producers = self.producers.iter();
        let shares = producers.map(|(name, it)| (name.clone(), it.share()));
        shares.collect()
    }

    /// What all producers hold.
    pub fn held_by_all(&self) -> Amount {
        let sum = |sum: Amount, it: &Producer| Amount {
            chunks: sum.chunks.saturating_add(it.held.chunks),
            bytes: sum.bytes.saturating_add(it.held.bytes),
        };
        self.producers.values().fold(Amount::default(), sum)
    }

    /// Bytes of bodies in memory, of all producers.
    pub fn memory_bytes(&self) -> u64 {
        self.producers.values().map(|it| it.memory.bytes).sum()
    }

    /// How many wait for a sync.
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// Where a body lies that waits for a block, if it is here. A draft is where its header's body will be: the header is
    /// sent, and others may ask, before the engine asks here.
    pub fn locate(&self, reference: &Reference<P>) -> Option<Location> {
        let Some(entry) = self.entry(reference) else {
            let own = reference.sequencer == self.config.me;
            let draft = self.drafts.get(&reference.place.digest).filter(|_| own);
            let draft = draft.filter(|it| it.durable && it.payload == reference.payload());
            return draft.map(|it| it.location);
        };
        match entry.status {
            Status::Writing(it) | Status::Stored(it) if entry.is_of(&reference.payload()) => {
                Some(it)
            }
            _ => None,
        }
    }

    /// Why a body is not here, for one who asks for it as part of a block or on its own.
    pub fn absence(&self, reference: &Reference<P>, height: Option<u64>) -> Absence {
        let expiry_ms = self.config.genesis.expiry_ms(reference.place.slot);
        if height.is_some_and(|it| it < self.retired) {
            Absence::Pruned
        } else if expiry_ms.is_some_and(|it| it < self.executed_ms) {
            Absence::Expired
        } else {
            Absence::Unknown
        }
    }

    /// Where to read what a block accepts.
    pub fn source(&self, reference: &Reference<P>, given: Option<Bytes>) -> Source {
        match (self.locate(reference), given) {
            // Whoever gives a body has checked it, and it need not be read once more.
            (_, Some(body)) => Source::Given(body),
            (Some(location), None) => Source::Stored(location),
            (None, None) => Source::Nowhere,
        }
    }

    fn producer(&mut self, sequencer: &P) -> &mut Producer {
        self.producers.entry(sequencer.clone()).or_default()
    }

    fn await_sync(&mut self, done: Done<P>) {
        self.position += 1;
        self.unsynced.push_back((self.position, done));
    }

    /// A new location in the first bucket that outlives an expiry, `spare` buckets later for safety.
    fn allocate(&mut self, expiry_ms: u64, spare: u64) -> Option<Location> {
        let bucket = (expiry_ms / self.config.bucket_ms).checked_add(spare)?;
        if bucket >= u64::MAX / Location::PER_BUCKET {
            return None;
        }
        let number = self.numbers.entry(bucket).or_insert(0);
        let location = Location {
            bucket,
            number: *number,
        };
        (location.number < Location::PER_BUCKET).then(|| {
            *number += 1;
            location
        })
    }

    fn synced(&mut self, position: u64, effects: &mut Vec<Effect<P>>) {
        let mut freed = false;
        while self.unsynced.front().is_some_and(|(it, _)| *it <= position) {
            let (_, done) = self.unsynced.pop_front().expect("just seen");
            match done {
                Done::Stored(reference) => self.stored(reference, effects),
                Done::Drafted(digest) => {
                    if let Some(draft) = self.drafts.get_mut(&digest) {
                        draft.durable = true;
                    }
                    effects.push(Effect::Persisted(digest, true));
                }
                Done::Accepted { height, references } => {
                    freed |= self.accepted(height, &references, effects);
                }
            }
        }
        if freed {
            self.stir(effects);
        }
    }

    fn entry(&self, reference: &Reference<P>) -> Option<&Entry> {
        self.producers
            .get(&reference.sequencer)?
            .entries
            .get(&reference.place)
    }

    /// Whether a chunk counts as held.
    pub fn is_held(&self, reference: &Reference<P>) -> bool {
        self.entry(reference).is_some_and(|it| it.held)
    }
}
