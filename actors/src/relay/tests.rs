//! The relay's decisions. Nobody sends anything here: the test is all other nodes.

mod fetching;
mod mailbox;
mod nodes;
mod serving;
mod wire;

use super::{Answer, Config, Effect, Message, Parcel, Rate, Refusal, Request, State};
use crate::{
    Canary,
    chunk::{self, Chunk},
    reference::Reference,
    testing::{Key, World, chunk},
};
use commonware_utils::{NZU64, NZUsize};
use rand::{SeedableRng as _, rngs::StdRng};

const SLOT: u64 = 10_000;
/// This node. The validators are 0 to 3, the sequencers 0 to 4; 5 is neither.
const ME: usize = 0;

fn config(world: &World) -> Config<Key> {
    let rate = Rate {
        bytes_per_second: NZU64!(10_000),
        burst_bytes: 3_000,
    };
    Config {
        genesis: world.genesis.clone(),
        me: world.key(ME),
        patience_ms: 50,
        timeout_ms: 100,
        backoff_min_ms: 200,
        backoff_max_ms: 800,
        asking_max: 4,
        serving: rate,
        pushed: rate,
        requests_max: 3,
        reading_max: 2,
        opening_max: 2,
        mailbox_size: NZUsize!(4),
        canary: Canary::None,
    }
}

/// What a test sees of the effects.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Seen {
    Ask(usize, u64, Option<u64>),
    Open(usize, u64),
    Store(u64, bool),
    Give(u64, bool),
    Push(u64, Vec<usize>),
    Read(usize, u64),
    TurnAway(usize, u64),
    Refuse(usize, Refusal),
}

struct Relay {
    world: World,
    state: State<Key>,
    now_ms: u64,
}

impl Relay {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let state = State::new(config(&world), StdRng::seed_from_u64(seed));
        let mut relay = Self {
            world,
            state,
            now_ms: 0,
        };
        relay.enter();
        relay
    }

    fn enter(&mut self) {
        let keys = |count| (0..count).map(|it| self.world.key(it)).collect();
        let (validators, sequencers) = (keys(4), keys(5));
        let seen = self.apply(Message::Entered {
            validators,
            sequencers,
        });
        assert_eq!(seen, []);
    }

    fn who(&self, key: &Key) -> usize {
        (0..6)
            .find(|it| self.world.key(*it) == *key)
            .expect("a key")
    }

    fn apply(&mut self, message: Message<Key>) -> Vec<Seen> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let seen = |it| match it {
            Effect::Ask(to, Request { reference, height }) => {
                Seen::Ask(self.who(&to), reference.place.height, height)
            }
            Effect::Open {
                from, reference, ..
            } => Seen::Open(self.who(&from), reference.place.height),
            Effect::Store {
                reference, chunk, ..
            } => Seen::Store(reference.place.height, chunk.is_ok()),
            Effect::Give(reference, chunk) => Seen::Give(reference.place.height, chunk.is_ok()),
            Effect::Push(reference, to) => {
                let to = to.iter().map(|it| self.who(it)).collect();
                Seen::Push(reference.place.height, to)
            }
            Effect::Read(to, request) => Seen::Read(self.who(&to), request.reference.place.height),
            Effect::TurnAway(to, reference) => {
                Seen::TurnAway(self.who(&to), reference.place.height)
            }
            Effect::Refuse(from, refusal) => Seen::Refuse(self.who(&from), refusal),
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

    fn body(height: u64) -> Chunk {
        chunk(height, 500)
    }

    fn reference(&self, who: usize, height: u64) -> Reference<Key> {
        self.world
            .reference(who, height, SLOT + height, &Self::body(height))
    }

    fn want(&mut self, who: usize, height: u64) -> Reference<Key> {
        let reference = self.reference(who, height);
        assert_eq!(self.apply(Message::Wanted(reference.clone())), []);
        reference
    }

    fn certify(&mut self, who: usize, height: u64, signers: &[usize]) {
        let sequencer = self.world.key(who);
        let signers = signers.iter().map(|it| self.world.key(*it)).collect();
        self.apply(Message::Certified {
            sequencer,
            height,
            signers,
        });
    }

    fn deliver(
        &mut self,
        from: usize,
        reference: &Reference<Key>,
        answer: Answer,
        pushed: bool,
    ) -> Vec<Seen> {
        let from = self.world.key(from);
        let parcel = Parcel {
            reference: reference.clone(),
            answer,
            pushed,
        };
        self.apply(Message::Delivered { from, parcel })
    }

    fn open(
        &mut self,
        from: usize,
        reference: &Reference<Key>,
        body: &Chunk,
        pushed: bool,
    ) -> Vec<Seen> {
        let limits = chunk::Limits::from(&*self.world.genesis);
        let chunk = Chunk::open(body.body().clone(), &reference.payload(), &limits);
        let from = self.world.key(from);
        self.apply(Message::Opened {
            from,
            reference: reference.clone(),
            chunk,
            pushed,
        })
    }

    /// A right answer, all the way.
    fn answer(&mut self, from: usize, reference: &Reference<Key>) -> Vec<Seen> {
        let height = reference.place.height;
        let body = Self::body(height);
        let seen = self.deliver(from, reference, Answer::Body(body.body().clone()), false);
        assert_eq!(seen, [Seen::Open(from, height)]);
        self.open(from, reference, &body, false)
    }

    fn ask(&mut self, from: usize, height: u64) -> Vec<Seen> {
        let request = Request {
            reference: self.reference(1, height),
            height: None,
        };
        let from = self.world.key(from);
        self.apply(Message::Asked { from, request })
    }
}

/// Who was asked.
fn asked(seen: &[Seen]) -> Vec<usize> {
    let asked = seen.iter().filter_map(|it| match it {
        Seen::Ask(who, ..) => Some(*who),
        _ => None,
    });
    let mut asked: Vec<_> = asked.collect();
    asked.sort_unstable();
    asked
}
