//! The chunk store's state.

mod account;
mod chain;
mod disk;
mod steps;

use super::{bodies::body_of, drive};
use crate::nouns::{Deployed, Name, World};
use account::Account;
use chain::Chain;
use commonware_utils::{NZU16, NZU64, NZUsize};
use disk::Disk;
use drystone_actors::{
    Canary, Reference,
    chunk::Chunk,
    chunk_store::{
        self, Amount, Config, Effect, Limits, Location, Message, Rate, Record, Restored, State,
    },
};
use drystone_engine::{Verdict, scheme::fixture::Free, types::Digest};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type P = Name<Free>;

const BUCKET_MS: u64 = 100;
const RETENTION_BLOCKS: u64 = 2;
const LIMITS: Limits = Limits {
    held: Amount {
        chunks: 16,
        bytes: 16_000,
    },
    rate: Rate {
        period_slots: NZU64!(50),
        max: Amount {
            chunks: 9,
            bytes: 4_000,
        },
    },
    memory: Amount {
        chunks: 3,
        bytes: 2_000,
    },
};
/// The chain's time when all is over.
const END_MS: u64 = 1_000_000;

/// Plays the engine, the builder, the relay, the executor and the disk of node 0.
struct Driver {
    world: &'static Arc<World<Free>>,
    canary: Canary,
    state: State<P>,
    disk: Disk,
    now_ms: u64,
    chain: Chain,
    /// This node's own headers.
    own: Vec<Reference<P>>,
    account: Account,
    /// Who waits for a verdict, and for an own body to be durable.
    judging: BTreeSet<Reference<P>>,
    persisting: BTreeSet<Digest>,
    /// Own bodies that were said to be durable, for headers to name.
    drafted: BTreeSet<Digest>,
    /// What the relay looks for.
    wanted: BTreeSet<Reference<P>>,
    checking: BTreeMap<Reference<P>, Chunk>,
    /// The sync under way: what it covers, for the state and for the disk.
    sync: Option<(u64, u64)>,
}

fn restore(world: &World<Free>, canary: Canary, restored: Restored<P>) -> State<P> {
    let config = Config {
        genesis: world.genesis.clone(),
        me: world.names[0].clone(),
        limits: LIMITS,
        recent_bytes_max: 0,
        bucket_ms: NZU64!(BUCKET_MS),
        retention_blocks: RETENTION_BLOCKS,
        mailbox_size: NZUsize!(1),
        canary,
        disk: chunk_store::Disk {
            partition: String::new(),
            page_bytes: NZU16!(512),
            page_cache: NZUsize!(1),
            write_buffer_bytes: NZUsize!(1),
            section_blocks: NZU64!(1),
            read_at_start: false,
        },
    };
    State::restore(config, restored)
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        let empty = Restored {
            executed_ms: 0,
            executed_height: 0,
            lanes: BTreeMap::new(),
            residents: Vec::new(),
        };
        Self {
            state: restore(world, canary, empty),
            world,
            canary,
            disk: Disk::default(),
            now_ms: 1,
            chain: Chain::default(),
            own: Vec::new(),
            account: Account::default(),
            judging: BTreeSet::new(),
            persisting: BTreeSet::new(),
            drafted: BTreeSet::new(),
            wanted: BTreeSet::new(),
            checking: BTreeMap::new(),
            sync: None,
        }
    }

    fn expiry_ms(&self, reference: &Reference<P>) -> u64 {
        let expiry_ms = self.world.genesis.expiry_ms(reference.place.slot);
        expiry_ms.expect("slots are small")
    }

    /// Whether the application finds a chunk valid; `None` if its header misstates it.
    fn truth(&self, reference: &Reference<P>) -> Option<bool> {
        let chunk = body_of(self.world, &reference.place.digest);
        let own = reference.sequencer == self.world.names[0];
        (chunk.payload() == reference.payload()).then(|| own || !steps::is_invalid(reference))
    }

    /// Applies a message, carries out what follows, and checks what was said. Returns whether a question was answered
    /// with "pending".
    fn apply(&mut self, message: Message<P>) -> bool {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let mut pending = false;
        for effect in effects {
            match effect {
                Effect::Answer(reference, verdict) => {
                    pending |= verdict == Verdict::Pending;
                    self.answered(&reference, verdict);
                }
                Effect::Want(reference) => _ = self.wanted.insert(reference),
                Effect::Settle(reference) => _ = self.wanted.remove(&reference),
                Effect::Check(reference, chunk) => {
                    assert_eq!(chunk.payload(), reference.payload());
                    let before = self.checking.insert(reference, chunk);
                    assert!(before.is_none(), "checked twice");
                }
                Effect::Write(location, record) => self.write(location, record),
                Effect::Move {
                    from,
                    to,
                    reference,
                    sealed,
                } => {
                    let body = self.disk.at(&from).cloned().and_then(Record::into_body);
                    let body = body.expect("a body lies there");
                    self.write(to, Record::moved(reference, body, sealed.then_some(from)));
                }
                Effect::Persisted(digest, durable) => {
                    self.persisting.remove(&digest);
                    if durable {
                        assert!(self.disk.holds(&digest), "an own body is not durable");
                        self.drafted.insert(digest);
                    }
                }
                Effect::Accepted(height) => self.accepted(height),
                Effect::Prune(bucket) => self.prune(bucket),
                Effect::Retire(height) => self.retire(height),
                Effect::Stir => {}
            }
        }
        pending
    }

    fn answered(&mut self, reference: &Reference<P>, verdict: Verdict) {
        self.judging.remove(reference);
        match verdict {
            Verdict::Valid => {
                assert_eq!(self.truth(reference), Some(true), "valid: {reference:?}");
                let durable = self.disk.holds(&reference.place.digest);
                assert!(durable, "valid before it is durable: {reference:?}");
            }
            Verdict::Invalid => {
                assert_ne!(self.truth(reference), Some(true), "invalid: {reference:?}");
            }
            Verdict::Pending => {}
        }
    }

    /// A body lies where it is not removed before its time.
    fn write(&mut self, location: Location, record: Record<P>) {
        if let Record::Body { reference, .. } | Record::Sealed { reference, .. } = &record {
            let bucket = self.expiry_ms(reference) / BUCKET_MS;
            assert!(location.bucket >= bucket, "{location:?} goes too early");
        }
        self.disk.write(location, record);
    }

    /// Only what expired by executed time goes.
    fn prune(&mut self, bucket: u64) {
        for record in self.disk.prune(bucket) {
            match record {
                Record::Body { reference, .. } | Record::Sealed { reference, .. } => {
                    let expiry_ms = self.expiry_ms(&reference);
                    let expired = expiry_ms < self.chain.told_ms;
                    assert!(
                        expired,
                        "gone before it expired at {expiry_ms}: {reference:?}"
                    );
                }
                Record::Draft { payload, .. } => _ = self.drafted.remove(&payload.digest),
            }
        }
    }

    /// What blocks accepted stays until the limit, and until it could not wait for a block again after a restart.
    fn retire(&mut self, height: u64) {
        let limit = self.chain.height.saturating_sub(RETENTION_BLOCKS);
        assert!(height <= limit, "{height} retired, the limit is {limit}");
        for reference in self.disk.retire(height) {
            let expired = self.expiry_ms(&reference) < self.chain.told_ms;
            assert!(expired, "retired before it expired: {reference:?}");
        }
    }

    fn check(&self) {
        for (lane, name) in self.world.names.iter().enumerate() {
            let memory = self.state.remembered(name);
            assert!(memory.fits(&LIMITS.memory), "{memory:?} in memory");
            if lane == 0 {
                continue;
            }
            let held = self.state.held(name);
            assert_eq!(held, self.account.held(name), "held by lane {lane}");
            assert!(held.fits(&LIMITS.held), "{held:?} held by lane {lane}");
            for (slot, produced) in self.account.produced(name, &LIMITS.rate) {
                let counted = self.state.produced(name, slot);
                assert_eq!(
                    counted, produced,
                    "produced by lane {lane} from slot {slot}"
                );
                let within = produced.fits(&LIMITS.rate.max);
                assert!(
                    within,
                    "{produced:?} produced by lane {lane} from slot {slot}"
                );
            }
        }
    }

    /// When all has expired, nobody waits, nothing is looked for and nothing is counted.
    fn finish(&mut self) {
        while let Some((reference, chunk)) = self.checking.pop_first() {
            self.checked(reference, chunk);
        }
        self.synced();
        self.start_sync();
        self.synced();
        self.chain.end(END_MS);
        self.advance();
        assert!(self.judging.is_empty(), "unanswered: {:?}", self.judging);
        assert!(self.persisting.is_empty(), "unanswered drafts");
        assert!(self.wanted.is_empty(), "sought for ever: {:?}", self.wanted);
        assert_eq!(self.state.held_by_all(), Amount::default());
        assert_eq!(self.state.memory_bytes(), 0);
    }
}

/// The chunk store without a planted bug.
pub fn chunk_store(data: &[u8]) {
    chunk_store_with(Canary::None, data);
}

/// The chunk store with one.
pub fn chunk_store_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
    driver.finish();
}
