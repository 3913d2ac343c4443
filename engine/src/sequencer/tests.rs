use super::{Effect, Message, State, StateConfig};
use crate::{
    activity::Next,
    canary::Canary,
    horizon::Horizon,
    record::Record,
    testing::{NOW_MS, Nouns, World, payload},
    types::{Certificate, Signed, Tip},
    wire::Envelope,
};
use std::sync::Arc;

mod epochs;
mod resends;
mod restart;

const ME: usize = 1;
const LINGER_MS: u64 = 3;

type Effects = Vec<Effect<Nouns>>;
/// One lane's owner. The test answers every effect itself.
struct Owner {
    me: usize,
    state: State<Nouns>,
    now_ms: u64,
    written: Vec<Record<Nouns>>,
    durable: usize,
    found: usize,
    /// The state waits for a chunk.
    is_asking: bool,
}

impl Owner {
    fn new(world: &World, me: usize) -> Self {
        Self::restored(world, me, 0, Vec::new())
    }

    fn restored(world: &World, me: usize, epoch: u64, written: Vec<Record<Nouns>>) -> Self {
        let config = StateConfig {
            genesis: world.genesis.clone(),
            key: world.keys[me].clone(),
            me: world.key(me),
            epochs: world.epochs(me, epoch),
            certificate_linger_ms: LINGER_MS,
            canary: Canary::None,
        };
        let state = State::restore(config, &written);
        let found = written.len();
        Self {
            me,
            state,
            now_ms: NOW_MS,
            written,
            durable: found,
            found,
            is_asking: false,
        }
    }

    fn tell(&mut self, message: Message<Nouns>) -> Effects {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        for effect in &effects {
            match effect {
                Effect::Journal(header) => self.written.push(Record::Own {
                    header: header.clone(),
                }),
                Effect::Propose(_) => self.is_asking = true,
                _ => {}
            }
        }
        effects
    }

    /// Gives the chunk that was asked for.
    fn seal(&mut self, salt: u64) -> Effects {
        self.is_asking = false;
        self.tell(Message::Sealed(payload(salt)))
    }

    fn sync(&mut self) -> Effects {
        self.durable = self.written.len();
        self.tell(Message::Synced((self.durable - self.found) as u64))
    }

    /// Time passes, up to a wake-up.
    fn pass(&mut self, ms: u64) -> Effects {
        self.now_ms += ms;
        self.tell(Message::Woken)
    }

    /// Seals and sends chunks, one a slot, until none is asked for. Returns the headers.
    fn run(&mut self) -> Vec<Arc<Signed<Nouns>>> {
        let mut headers = Vec::new();
        loop {
            if !self.is_asking {
                self.pass(1);
            }
            if !self.is_asking {
                return headers;
            }
            self.seal(headers.len() as u64);
            headers.extend(published(&self.sync()));
        }
    }

    fn certified(&mut self, certificate: Arc<Certificate<Nouns>>) -> Effects {
        self.tell(Message::Certified(certificate))
    }

    fn executed(&mut self, world: &World, tip: Tip) -> Effects {
        let lane = [(world.key(self.me), tip)];
        let horizon = Horizon {
            included: lane.clone().into(),
            executed: lane.into(),
            ..Horizon::default()
        };
        self.tell(Message::Advanced(horizon))
    }
}

fn asked(effects: &[Effect<Nouns>]) -> Vec<Next> {
    let asked = effects.iter().filter_map(|it| match it {
        Effect::Propose(next) => Some(*next),
        _ => None,
    });
    asked.collect()
}

fn published(effects: &[Effect<Nouns>]) -> Vec<Arc<Signed<Nouns>>> {
    let published = effects.iter().filter_map(|it| match it {
        Effect::Publish { headers, .. } => Some(headers.clone()),
        _ => None,
    });
    published.flatten().collect()
}

fn resent(effects: &[Effect<Nouns>]) -> Vec<Envelope<Nouns>> {
    let resent = effects.iter().filter_map(|it| match it {
        Effect::Broadcast(envelope) => Some(envelope.clone()),
        _ => None,
    });
    resent.collect()
}

fn counted(effects: &[Effect<Nouns>]) -> Vec<Tip> {
    let counted = effects.iter().filter_map(|it| match it {
        Effect::Count(tip) => Some(*tip),
        _ => None,
    });
    counted.collect()
}

// L-10: a header that could be forgotten is not shown.
#[test]
fn a_header_is_sent_once_it_is_durable_and_then_once() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    let slot = world.genesis.slot_at(NOW_MS);
    assert_eq!(
        asked(&owner.tell(Message::Ticked)),
        [Next { height: 1, slot: 1 }]
    );
    let effects = owner.seal(0);
    assert!(published(&effects).is_empty());
    let headers = published(&owner.sync());
    assert_eq!(headers.len(), 1);
    assert_eq!((headers[0].height(), headers[0].tip().slot), (1, slot));
    assert!(
        headers[0].extends(&world.root(ME)) && headers[0].verify(&world.genesis.header_namespace())
    );
    assert!(published(&owner.tell(Message::Synced(1))).is_empty());
}

// D-07: one chunk a slot.
#[test]
fn the_next_chunk_is_asked_for_in_the_next_slot() {
    let mut genesis = crate::testing::genesis();
    genesis.slot_ms = 10;
    let world = World::with(genesis);
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    assert!(asked(&owner.seal(0)).is_empty());
    assert_eq!(owner.state.wake_ms(), Some(NOW_MS + 10));
    assert!(asked(&owner.pass(9)).is_empty());
    let slot = NOW_MS / 10 + 1;
    assert_eq!(asked(&owner.pass(1)), [Next { height: 2, slot }]);
    owner.now_ms -= 5;
    let effects = owner.seal(1);
    let Effect::Journal(header) = &effects[0] else {
        panic!("a header")
    };
    assert_eq!(
        header.tip().slot,
        slot,
        "a clock that steps back takes no slot twice"
    );
}

// L-11
#[test]
fn no_more_than_in_flight_max_headers_are_uncertified() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    assert_eq!(
        headers.iter().map(|it| it.height()).collect::<Vec<_>>(),
        [1, 2, 3, 4]
    );
    assert_eq!(
        owner.state.in_flight(),
        headers.iter().map(|it| it.tip()).collect::<Vec<_>>()
    );
    assert!(asked(&owner.tell(Message::Ticked)).is_empty());
    let effects = owner.certified(world.certificate(0, &headers[1]));
    assert_eq!(asked(&effects).len(), 1);
    assert_eq!(
        owner.state.in_flight()[0],
        headers[1].tip(),
        "the certified tip stays countable"
    );
    assert!(
        owner
            .certified(world.certificate(0, &headers[0]))
            .is_empty(),
        "an older one is no news"
    );
}

// D-39, L-11
#[test]
fn the_lane_stops_where_a_block_could_not_take_it_and_goes_on_when_it_is_included() {
    let mut genesis = crate::testing::genesis();
    genesis.lane_ahead_max.bytes = 1_300;
    let world = World::with(genesis);
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    assert_eq!(headers.len(), 4, "the fifth may have 1000 bytes");
    assert!(asked(&owner.certified(world.certificate(0, &headers[3]))).is_empty());
    assert_eq!(asked(&owner.executed(&world, headers[0].tip())).len(), 1);
}
