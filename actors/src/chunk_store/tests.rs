//! The store's decisions, over a disk in memory that the test syncs when it likes.

mod actor;
mod archives;
mod crash;
mod life;
mod model;
mod own;
mod quota;
mod recent;

use super::{
    Amount, Config, Disk, Effect, Limits, Location, Message, Rate, Record, Resident, Restored,
    State,
};
use crate::{
    Canary,
    chunk::Chunk,
    reference::Reference,
    testing::{Key, World},
};
use commonware_utils::{NZU16, NZU64, NZUsize};
use drystone_engine::{
    Horizon, Verdict,
    types::{Digest, Tip},
};
use std::collections::{BTreeMap, BTreeSet};

/// Slot of the first chunk of every test; slots are a millisecond long, the window is a second.
const SLOT: u64 = 10_000;
/// This node.
const ME: usize = 0;

fn config(world: &World) -> Config<Key> {
    Config {
        genesis: world.genesis.clone(),
        me: world.key(ME),
        limits: Limits {
            held: Amount {
                chunks: 8,
                bytes: 8_000,
            },
            rate: Rate {
                period_slots: NZU64!(100),
                max: Amount {
                    chunks: 10,
                    bytes: 10_000,
                },
            },
            memory: Amount {
                chunks: 3,
                bytes: 2_000,
            },
        },
        recent_bytes_max: 2_000,
        bucket_ms: NZU64!(100),
        retention_blocks: 4,
        mailbox_size: NZUsize!(4),
        disk: Disk {
            partition: "chunks".into(),
            page_bytes: NZU16!(512),
            page_cache: NZUsize!(8),
            write_buffer_bytes: NZUsize!(1 << 12),
            section_blocks: NZU64!(2),
            read_at_start: true,
        },
        canary: Canary::None,
    }
}

/// What a test sees of the effects.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    Answer(u64, Verdict),
    Want(u64),
    Settle(u64),
    Check(u64),
    Persisted(Digest, bool),
    Accepted(u64),
    Prune(u64),
    Retire(u64),
    Stir,
}

struct Store {
    world: World,
    state: State<Key>,
    limits: Limits,
    now_ms: u64,
    /// What was written, and how much of it is durable.
    disk: BTreeMap<Location, Record<Key>>,
    unsynced: BTreeMap<Location, Record<Key>>,
    /// Digests that lie under a block height, durably.
    accepted: BTreeSet<Digest>,
    /// How far the blocks that were kept include each lane.
    lanes: BTreeMap<Key, u64>,
}

impl Store {
    fn new() -> Self {
        Self::limited(config(&World::new()).limits)
    }

    fn limited(limits: Limits) -> Self {
        let world = World::new();
        let restored = Restored {
            executed_ms: 0,
            executed_height: 0,
            lanes: BTreeMap::new(),
            residents: Vec::new(),
        };
        let config = Config {
            limits,
            ..config(&world)
        };
        let state = State::restore(config, restored);
        Self {
            world,
            state,
            limits,
            now_ms: SLOT,
            disk: BTreeMap::new(),
            unsynced: BTreeMap::new(),
            accepted: BTreeSet::new(),
            lanes: BTreeMap::new(),
        }
    }

    /// The node crashes and starts again: what was not synced is gone.
    fn restart(&mut self, executed_ms: u64) {
        self.unsynced.clear();
        let resident = |(location, record): (&Location, &Record<Key>)| {
            let accepted = self.accepted.contains(&record.digest());
            Resident::new(*location, accepted, record.clone())
        };
        let restored = Restored {
            executed_ms,
            executed_height: 0,
            lanes: self.lanes.clone(),
            residents: self.disk.iter().map(resident).collect(),
        };
        let config = Config {
            limits: self.limits,
            ..config(&self.world)
        };
        self.state = State::restore(config, restored);
    }

    fn apply(&mut self, message: Message<Key>) -> Vec<Seen> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let mut seen = Vec::new();
        for effect in effects {
            seen.extend(self.carry_out(effect));
        }
        seen
    }

    fn carry_out(&mut self, effect: Effect<Key>) -> Option<Seen> {
        let height = |it: &Reference<Key>| it.place.height;
        Some(match effect {
            Effect::Answer(reference, verdict) => Seen::Answer(height(&reference), verdict),
            Effect::Want(reference) => Seen::Want(height(&reference)),
            Effect::Settle(reference) => Seen::Settle(height(&reference)),
            Effect::Check(reference, _) => Seen::Check(height(&reference)),
            Effect::Write(location, record) => {
                let before = self.unsynced.insert(location, record);
                assert!(
                    before.is_none() && !self.disk.contains_key(&location),
                    "written once"
                );
                return None;
            }
            Effect::Move {
                from,
                to,
                reference,
                sealed,
            } => {
                let record = self.disk.get(&from).or_else(|| self.unsynced.get(&from));
                let body = record
                    .cloned()
                    .and_then(Record::into_body)
                    .expect("a body lies there");
                let record = Record::moved(reference, body, sealed.then_some(from));
                self.unsynced.insert(to, record);
                return None;
            }
            Effect::Persisted(digest, durable) => Seen::Persisted(digest, durable),
            Effect::Accepted(height) => Seen::Accepted(height),
            Effect::Prune(bucket) => {
                self.disk.retain(|it, _| it.bucket >= bucket);
                Seen::Prune(bucket)
            }
            Effect::Retire(height) => Seen::Retire(height),
            Effect::Stir => Seen::Stir,
        })
    }

    fn ask(&mut self, reference: &Reference<Key>) -> Vec<Seen> {
        self.apply(Message::Asked(reference.clone()))
    }

    fn arrive(&mut self, reference: &Reference<Key>, chunk: &Chunk, pushed: bool) -> Vec<Seen> {
        self.apply(Message::Arrived {
            reference: reference.clone(),
            chunk: Ok(chunk.clone()),
            pushed,
        })
    }

    fn check(&mut self, reference: &Reference<Key>, chunk: &Chunk, valid: bool) -> Vec<Seen> {
        self.apply(Message::Checked {
            reference: reference.clone(),
            chunk: chunk.clone(),
            valid,
        })
    }

    fn sync(&mut self) -> Vec<Seen> {
        self.disk.append(&mut self.unsynced);
        self.apply(Message::Synced(self.state.position()))
    }

    /// Asked, arrived, checked, durable.
    fn store(&mut self, reference: &Reference<Key>, chunk: &Chunk) {
        let height = reference.place.height;
        assert_eq!(self.ask(reference), [Seen::Want(height)]);
        let seen = self.arrive(reference, chunk, false);
        assert_eq!(seen, [Seen::Settle(height), Seen::Check(height)]);
        assert_eq!(self.check(reference, chunk, true), []);
        assert_eq!(self.sync(), [Seen::Answer(height, Verdict::Valid)]);
    }

    fn keep(&mut self, height: u64, references: &[Reference<Key>]) -> Vec<Seen> {
        self.accepted
            .extend(references.iter().map(|it| it.place.digest));
        for reference in references {
            let included = self.lanes.entry(reference.sequencer.clone()).or_default();
            *included = reference.place.height.max(*included);
        }
        let references = references.to_vec();
        assert_eq!(self.apply(Message::Kept { height, references }), []);
        self.sync()
    }

    fn advance(&mut self, executed_ms: u64, executed: &[(usize, u64)]) -> Vec<Seen> {
        let tip = |height| Tip {
            height,
            slot: 0,
            digest: Digest::from([0; 32]),
        };
        let executed = executed
            .iter()
            .map(|(who, height)| (self.world.key(*who), tip(*height)));
        self.apply(Message::Advanced(Horizon {
            finalized_ms: executed_ms,
            executed_ms,
            executed: executed.collect(),
            ..Horizon::default()
        }))
    }

    fn held(&self, who: usize) -> Amount {
        self.state.held(&self.world.key(who))
    }

    fn produced(&self, who: usize, slot: u64) -> Amount {
        self.state.produced(&self.world.key(who), slot)
    }

    fn remembered(&self, who: usize) -> Amount {
        self.state.remembered(&self.world.key(who))
    }

    fn expiry_ms(&self, slot: u64) -> u64 {
        self.world.genesis.expiry_ms(slot).expect("a time")
    }
}

const fn amount(chunks: u64, bytes: u64) -> Amount {
    Amount { chunks, bytes }
}
