//! Whom runs are asked of, and what is served. Nobody sends anything here: the test is all other nodes.

mod asking;
mod nodes;
mod serving;
mod wire;

use super::{
    Config, Effect, Message, Question, Rate, Refusal, Run, State,
    wire::{Answer, Request},
};
use crate::{
    executor::{Record, Results},
    testing::{Key, Nouns, World},
};
use bytes::{Bytes, BytesMut};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_utils::{NZU64, NZUsize};
use drystone_engine::types::{Digest, Signed};
use rand::{SeedableRng as _, rngs::StdRng};

/// The sequencer. This node is 0, the validators that it asks are 1 to 3, and 5 is none.
const LANE: usize = 4;
/// The block, which stands for the heights 3 to 6 of the lane.
const HEIGHT: u64 = 7;

fn config(world: &World) -> Config {
    Config {
        genesis: world.genesis.clone(),
        patience_ms: 100,
        timeout_ms: 50,
        backoff_min_ms: 200,
        backoff_max_ms: 800,
        retry_ms: NZU64!(20),
        asking_max: 2,
        serving: Rate {
            bytes_per_second: NZU64!(1_000),
            // Four runs with what they cost beside.
            burst_bytes: 4_000,
        },
        requests_max: 3,
        reading_max: 2,
        recent_max: 2,
        mailbox_size: NZUsize!(4),
    }
}

fn lane(world: &World) -> Run<Nouns> {
    world.lane(LANE, 10, 9)
}

/// What a block asks for between two heights of a lane.
fn between(lane: &Run<Nouns>, height: u64, above: usize, to: usize) -> Question<Key> {
    Question {
        height,
        sequencer: lane[0].header().sequencer.clone(),
        above: lane[above - 1].tip(),
        to: lane[to - 1].tip(),
    }
}

fn question(world: &World) -> Question<Key> {
    between(&lane(world), HEIGHT, 2, 6)
}

/// The answer to [`question`].
fn run(world: &World) -> Run<Nouns> {
    lane(world)[2..6].to_vec()
}

/// As it travels.
fn compact(run: &[impl AsRef<Signed<Nouns>>]) -> Bytes {
    let mut buf = BytesMut::new();
    for it in run {
        it.as_ref().write_compact(&mut buf);
    }
    buf.freeze()
}

/// Of a block that stands for the run, after that of another lane.
fn record(world: &World, height: u64) -> Record<Nouns> {
    let other = world.lane(1, 10, 3);
    let headers = other.into_iter().chain(run(world));
    Record {
        results: Results {
            previous: Digest::from([0; 32]),
            height,
            block: Sha256::hash(&[&height.to_be_bytes()]),
            time_ms: 5_000,
            entries: Vec::new(),
        },
        root: Digest::from([1; 32]),
        headers: headers.map(|it| it.as_ref().clone()).collect(),
    }
}

/// What a test sees of the effects.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Ask(usize, u64),
    Give(u64, usize),
    Read(usize, u64),
    Answer(usize, u64, Option<usize>),
    Refuse(usize, Refusal),
}

struct Runs {
    world: World,
    state: State<Nouns>,
    now_ms: u64,
}

impl Runs {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let state = State::new(config(&world), StdRng::seed_from_u64(seed));
        let mut runs = Self {
            world,
            state,
            now_ms: 0,
        };
        runs.enter();
        runs
    }

    fn enter(&mut self) {
        let peers = (1..4).map(|it| self.world.key(it)).collect();
        assert_eq!(self.apply(Message::Entered(peers)), []);
    }

    fn who(&self, key: &Key) -> usize {
        let found = (0..6).find(|it| self.world.key(*it) == *key);
        found.expect("a key")
    }

    fn apply(&mut self, message: Message<Nouns>) -> Vec<Seen> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let size = Signed::<Nouns>::COMPACT_SIZE;
        let seen = |it| match it {
            Effect::Ask(peer, request) => Seen::Ask(self.who(&peer), request.number),
            Effect::Give(number, run) => Seen::Give(number, run.len()),
            Effect::Read(peer, request) => Seen::Read(self.who(&peer), request.number),
            Effect::Answer(peer, Answer { number, run }) => {
                let headers = run.map(|it| it.len() / size);
                Seen::Answer(self.who(&peer), number, headers)
            }
            Effect::Refuse(peer, refusal) => Seen::Refuse(self.who(&peer), refusal),
        };
        effects.into_iter().map(seen).collect()
    }

    /// Time passes until the next thing that is due.
    fn wake(&mut self) -> Vec<Seen> {
        let at_ms = self.state.wake_ms().expect("something is due");
        assert!(at_ms > self.now_ms, "a tight loop");
        self.now_ms = at_ms;
        self.apply(Message::Woken)
    }

    fn want(&mut self, number: u64) {
        let question = question(&self.world);
        assert_eq!(self.apply(Message::Wanted(number, question)), []);
    }

    /// Somebody waits for it, and the engine for too long.
    fn ask(&mut self, number: u64) -> usize {
        self.want(number);
        asked(&self.wake(), number)
    }

    fn answer(&mut self, from: usize, number: u64, run: Option<Bytes>) -> Vec<Seen> {
        let from = self.world.key(from);
        let answer = Answer { number, run };
        self.apply(Message::Answered { from, answer })
    }

    /// A peer asks.
    fn asked(&mut self, from: usize, number: u64, question: Question<Key>) -> Vec<Seen> {
        let from = self.world.key(from);
        let request = Request { number, question };
        self.apply(Message::Asked { from, request })
    }

    /// A record was read for a peer.
    fn read(
        &mut self,
        from: usize,
        number: u64,
        question: Question<Key>,
        record: Option<Record<Nouns>>,
    ) -> Vec<Seen> {
        let peer = self.world.key(from);
        let request = Request { number, question };
        self.apply(Message::Read {
            peer,
            request,
            record,
        })
    }
}

/// The one peer that was asked.
fn asked(seen: &[Seen], number: u64) -> usize {
    match seen {
        [Seen::Ask(who, it)] if *it == number => *who,
        other => panic!("{other:?}"),
    }
}
