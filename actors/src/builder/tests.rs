//! When a chunk is begun, and what becomes of it.

use crate::{
    Canary,
    builder::{Config, Effect, Ingress, Message, Request, State},
    chunk::{Chunk, Limits},
    mempool::{Readiness, Sighting},
    testing::{Key, World, genesis, payments::payment},
};
use commonware_actor::mailbox::Policy as _;
use commonware_utils::channel::oneshot;
use drystone_engine::{Next, types::Payload};
use std::{collections::VecDeque, sync::Arc};

const LATER_MS: u64 = 9_000;

/// One builder, whose effects the test carries out.
struct Builder {
    state: State<Key>,
    now_ms: u64,
}

impl Builder {
    fn new() -> Self {
        let config = Config {
            me: World::new().key(0),
            genesis: Arc::new(genesis()),
            chunk: Limits::from(&genesis()),
            seal_ms: 50,
            retry_ms: 20,
            canary: Canary::None,
        };
        Self {
            state: State::new(config),
            now_ms: 1_000,
        }
    }

    fn tell(&mut self, message: Message) -> Vec<Effect<Key>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        effects
    }

    fn ripen(&mut self, readiness: Readiness) -> Vec<Effect<Key>> {
        self.tell(Message::Ripened(readiness))
    }

    fn propose(&mut self, height: u64) -> (oneshot::Receiver<Payload>, Vec<Effect<Key>>) {
        let (payload, receiver) = oneshot::channel();
        let next = Next { height, slot: 0 };
        let effects = self.tell(Message::Proposed(Request { next, payload }));
        (receiver, effects)
    }

    fn wait(&mut self, ms: u64) -> Vec<Effect<Key>> {
        self.now_ms += ms;
        self.tell(Message::Woken)
    }

    /// Hands out so many transactions, and returns the chunk they are in.
    fn hand(&mut self, count: u64) -> Chunk {
        let transactions = (0..count).map(|salt| payment(1, LATER_MS, salt));
        let effects = self.tell(Message::Handed(transactions.collect()));
        let Ok([Effect::Persist(chunk)]) = <[_; 1]>::try_from(effects) else {
            panic!("one body is made durable")
        };
        chunk
    }
}

fn asks(effects: &[Effect<Key>]) -> bool {
    assert!(effects.len() <= 1, "{effects:?}");
    matches!(effects, [Effect::Ask])
}

// D-27
#[test]
fn enough_transactions_are_packed_at_once() {
    let mut builder = Builder::new();
    let (_payload, effects) = builder.propose(1);
    assert!(!asks(&effects));
    assert!(asks(&builder.ripen(Readiness::Full)));
}

// D-27
#[test]
fn a_few_are_packed_when_the_first_has_waited_long_enough() {
    let mut builder = Builder::new();
    let (_payload, _) = builder.propose(1);
    assert!(!asks(&builder.ripen(Readiness::Some)));
    assert_eq!(builder.state.wake_ms(), Some(1_050));
    assert!(!asks(&builder.wait(49)));
    assert!(asks(&builder.wait(1)));
}

// The time before the engine asks counts.
#[test]
fn a_transaction_that_waited_for_the_engine_waits_no_longer() {
    let mut builder = Builder::new();
    assert!(!asks(&builder.ripen(Readiness::Some)));
    assert!(!asks(&builder.wait(60)), "nobody asked for a chunk");
    let (_payload, effects) = builder.propose(1);
    assert!(asks(&effects));
}

// D-27
#[test]
fn a_timer_without_transactions_builds_nothing() {
    let mut builder = Builder::new();
    let (mut payload, _) = builder.propose(1);
    builder.ripen(Readiness::Some);
    assert!(!asks(&builder.ripen(Readiness::Nothing)));
    assert_eq!(builder.state.wake_ms(), None);
    assert!(!asks(&builder.wait(10_000)));
    assert!(payload.try_recv().is_err(), "nor is the engine answered");
}

// D-27
#[test]
fn triggers_while_a_chunk_is_built_come_to_nothing_or_to_one_more() {
    let mut builder = Builder::new();
    let (_first, _) = builder.propose(1);
    assert!(asks(&builder.ripen(Readiness::Full)));
    for _ in 0..100 {
        assert!(!asks(&builder.ripen(Readiness::Full)));
        assert!(!asks(&builder.wait(1)));
    }
    builder.hand(1);
    for _ in 0..100 {
        assert!(!asks(&builder.ripen(Readiness::Full)));
    }
    assert_eq!(builder.tell(Message::Persisted(true)).len(), 1);
    let (_second, effects) = builder.propose(2);
    assert!(asks(&effects));
}

#[test]
fn the_engine_is_answered_after_the_body_is_durable() {
    let mut builder = Builder::new();
    let (_payload, _) = builder.propose(7);
    builder.ripen(Readiness::Full);
    let chunk = builder.hand(3);
    let effects = builder.tell(Message::Persisted(true));
    let [
        Effect::Seal {
            payload, sighting, ..
        },
    ] = &effects[..]
    else {
        panic!("sealed")
    };
    assert_eq!((*payload, payload.items), (chunk.payload(), 3));
    let expected = Sighting {
        sequencer: World::new().key(0),
        height: 7,
        digest: payload.digest,
        // The end of the slot of now, and the window.
        expiry_ms: 1_000 + 1 + 1_000,
        ids: (0..3).map(|it| payment(1, LATER_MS, it).facts.id).collect(),
    };
    assert_eq!(*sighting, expected);
}

// D-02
#[test]
fn a_body_that_is_not_kept_fails_the_build_and_the_engine_waits_on() {
    let mut builder = Builder::new();
    let (mut payload, _) = builder.propose(1);
    builder.ripen(Readiness::Full);
    builder.hand(1);
    let effects = builder.tell(Message::Persisted(false));
    assert!(matches!(effects[..], [Effect::Fail]), "{effects:?}");
    assert!(!asks(&builder.wait(19)), "not at once again");
    assert!(asks(&builder.wait(1)));
    builder.hand(1);
    let sealed = builder.tell(Message::Persisted(true));
    let Ok(
        [
            Effect::Seal {
                to,
                payload: sealed,
                ..
            },
        ],
    ) = <[_; 1]>::try_from(sealed)
    else {
        panic!("the second build succeeds")
    };
    to.send(sealed).expect("the engine still waits");
    assert_eq!(payload.try_recv(), Ok(sealed));
}

// D-02
#[test]
fn a_chunk_that_the_engine_wants_no_more_fails() {
    let mut builder = Builder::new();
    let (payload, _) = builder.propose(1);
    builder.ripen(Readiness::Full);
    builder.hand(1);
    drop(payload);
    let effects = builder.tell(Message::Persisted(true));
    assert!(matches!(effects[..], [Effect::Fail]), "{effects:?}");
    assert!(!asks(&builder.wait(1_000)), "nobody asks");
}

// A restart of the sequencer asks anew: the chunk that is on its way is for it.
#[test]
fn the_newest_request_gets_the_chunk() {
    let mut builder = Builder::new();
    let (old, _) = builder.propose(1);
    builder.ripen(Readiness::Full);
    builder.hand(1);
    drop(old);
    let (_new, effects) = builder.propose(5);
    assert!(!asks(&effects));
    let effects = builder.tell(Message::Persisted(true));
    let [Effect::Seal { sighting, .. }] = &effects[..] else {
        panic!("sealed")
    };
    assert_eq!(sighting.height, 5);
}

// The mempool may have lost to others what it had.
#[test]
fn an_empty_hand_is_no_chunk_and_no_storm() {
    let mut builder = Builder::new();
    let (_payload, _) = builder.propose(1);
    assert!(asks(&builder.ripen(Readiness::Full)));
    assert!(builder.tell(Message::Handed(Vec::new())).is_empty());
    assert!(!asks(&builder.wait(19)));
    assert!(asks(&builder.wait(1)));
}

// K-36: the engine gave up on what it asked before.
#[test]
fn a_full_mailbox_keeps_the_newest_request_and_the_newest_readiness() {
    let mut overflow = VecDeque::new();
    let mut asked = Vec::new();
    for height in 1..=100 {
        let (payload, receiver) = oneshot::channel();
        asked.push(receiver);
        let next = Next { height, slot: 0 };
        let proposed = Ingress::Proposed(Request { next, payload });
        Ingress::handle(&mut overflow, proposed);
        let readiness = match height {
            100 => Readiness::Full,
            _ => Readiness::Nothing,
        };
        Ingress::handle(&mut overflow, Ingress::Ripened(readiness));
    }
    let [Ingress::Proposed(newest), Ingress::Ripened(Readiness::Full)] = overflow.make_contiguous()
    else {
        panic!("one of each")
    };
    assert_eq!(newest.next.height, 100);
    let ended = |it: &mut oneshot::Receiver<Payload>| {
        matches!(it.try_recv(), Err(oneshot::error::TryRecvError::Closed))
    };
    let last = asked.pop();
    assert!(asked.iter_mut().all(ended));
    assert!(last.is_some_and(|mut it| !ended(&mut it)));
}
