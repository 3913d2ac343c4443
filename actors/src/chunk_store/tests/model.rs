//! Any order of events, against a plain account of what is held.

use super::{ME, Message, SLOT, Seen, Store, amount, config};
use crate::{
    chunk::Chunk,
    chunk_store::Amount,
    reference::Reference,
    testing::{Key, World, chunk},
};
use drystone_engine::Verdict;
use proptest::{collection::vec, prelude::*};
use std::collections::BTreeMap;

/// Heights of a lane in these tests, and slots between them.
const HEIGHTS: u64 = 30;
const STEP: u64 = 7;

#[derive(Clone, Debug)]
enum Event {
    Ask {
        who: usize,
        height: u64,
    },
    Arrive {
        who: usize,
        height: u64,
        pushed: bool,
    },
    Check {
        who: usize,
        height: u64,
        valid: bool,
    },
    Pack(u64),
    Sync,
    Keep {
        who: usize,
        height: u64,
    },
    Advance {
        by_ms: u64,
        who: usize,
        height: u64,
    },
    Restart,
}

fn event() -> impl Strategy<Value = Event> {
    let (who, height) = (0_usize..3, 1..=HEIGHTS);
    let place = || (who.clone(), height.clone());
    prop_oneof![
        6 => place().prop_map(|(who, height)| Event::Ask { who, height }),
        4 => (place(), any::<bool>())
            .prop_map(|((who, height), pushed)| Event::Arrive { who, height, pushed }),
        4 => (place(), any::<bool>())
            .prop_map(|((who, height), valid)| Event::Check { who, height, valid }),
        2 => height.clone().prop_map(Event::Pack),
        3 => Just(Event::Sync),
        1 => place().prop_map(|(who, height)| Event::Keep { who, height }),
        1 => (0_u64..300, place())
            .prop_map(|(by_ms, (who, height))| Event::Advance { by_ms, who, height }),
        1 => Just(Event::Restart),
    ]
}

/// What the effects promised, counted by hand.
#[derive(Default)]
struct Account {
    /// Chunks of others that were granted, by whether their bodies are durable.
    granted: BTreeMap<Reference<Key>, bool>,
    checking: BTreeMap<Reference<Key>, Chunk>,
    written: Vec<Reference<Key>>,
    executed: BTreeMap<usize, u64>,
    now_ms: u64,
}

impl Account {
    fn held(&self, store: &Store, who: usize) -> Amount {
        let sequencer = store.world.key(who);
        let of = self.granted.keys().filter(|it| it.sequencer == sequencer);
        of.fold(amount(0, 0), |sum, it| sum.with(it.bytes).expect("small"))
    }
}

fn body(who: usize, height: u64) -> Chunk {
    chunk(
        who as u64 * 1_000 + height,
        300 + (height as usize % 3) * 250,
    )
}

fn reference(store: &Store, who: usize, height: u64) -> Reference<Key> {
    store
        .world
        .reference(who, height, SLOT + height * STEP, &body(who, height))
}

fn step(store: &mut Store, account: &mut Account, event: &Event) {
    match *event {
        Event::Ask { who, height } if who != ME => {
            let reference = reference(store, who, height);
            let seen = store.ask(&reference);
            if seen.contains(&Seen::Want(height)) || seen.contains(&Seen::Check(height)) {
                let before = account.granted.insert(reference.clone(), false);
                assert!(before.is_none(), "reserved twice");
            }
            if seen.contains(&Seen::Check(height)) {
                account.checking.insert(reference, body(who, height));
            } else if seen.contains(&Seen::Answer(height, Verdict::Valid)) {
                assert!(account.granted.get(&reference).copied().unwrap_or(true));
            }
        }
        Event::Ask { height, .. } => {
            store.ask(&reference(store, ME, height));
        }
        Event::Arrive {
            who,
            height,
            pushed,
        } if who != ME => {
            let reference = reference(store, who, height);
            let chunk = body(who, height);
            if store
                .arrive(&reference, &chunk, pushed)
                .contains(&Seen::Check(height))
            {
                account.checking.insert(reference, chunk);
            }
        }
        Event::Check { who, height, valid } => {
            let reference = reference(store, who, height);
            if let Some(chunk) = account.checking.remove(&reference) {
                store.check(&reference, &chunk, valid);
                if valid {
                    account.written.push(reference);
                }
            }
        }
        Event::Pack(height) => {
            store.now_ms = store.now_ms.max(SLOT + height * STEP);
            store.apply(Message::Packed(body(ME, height)));
        }
        Event::Sync => {
            store.sync();
            for reference in std::mem::take(&mut account.written) {
                account.granted.entry(reference).and_modify(|it| *it = true);
            }
        }
        Event::Keep { who, height } => {
            let reference = reference(store, who, height);
            if store.state.locate(&reference).is_some() {
                store.keep(height, std::slice::from_ref(&reference));
                for reference in std::mem::take(&mut account.written) {
                    account.granted.entry(reference).and_modify(|it| *it = true);
                }
                account.granted.remove(&reference);
            }
        }
        Event::Advance { by_ms, who, height } => {
            account.now_ms = account.now_ms.max(SLOT) + by_ms;
            store.now_ms = store.now_ms.max(account.now_ms);
            let executed = account.executed.entry(who).or_insert(0);
            *executed = (*executed).max(height.saturating_sub(HEIGHTS / 2));
            store.advance(account.now_ms, &[(who, *executed)]);
        }
        Event::Restart => {
            store.restart(account.now_ms);
            account.checking.clear();
            account.written.clear();
            // The engine asks again for what it locked and this node never had, so it is not held meanwhile.
            account.granted.retain(|_, durable| *durable);
            let executed: Vec<_> = account
                .executed
                .iter()
                .map(|(who, it)| (*who, *it))
                .collect();
            store.advance(account.now_ms, &executed);
        }
        Event::Arrive { .. } => {}
    }
    let world = &store.world;
    let (now_ms, executed) = (account.now_ms, &account.executed);
    account.granted.retain(|reference, _| {
        let who = (0..3)
            .find(|it| world.key(*it) == reference.sequencer)
            .expect("known");
        let expiry_ms = world
            .genesis
            .expiry_ms(reference.place.slot)
            .expect("a time");
        expiry_ms >= now_ms && reference.place.height > executed.get(&who).copied().unwrap_or(0)
    });
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(400) })]

    // D-08, D-10, D-19, R-08
    #[test]
    fn reserved_never_passes_a_limit_is_freed_once_and_is_the_same_after_a_restart(
        events in vec(event(), 1..200),
    ) {
        // So few bytes that they bind a period as often as the number of its chunks does.
        let mut limits = config(&World::new()).limits;
        limits.rate.max.bytes = 5_000;
        let mut store = Store::limited(limits);
        let mut account = Account { now_ms: 0, ..Account::default() };
        for event in &events {
            step(&mut store, &mut account, event);
            for who in 0..3 {
                let held = store.held(who);
                if who != ME {
                    prop_assert_eq!(held, account.held(&store, who), "{:?}", event);
                    prop_assert!(held.fits(&limits.held));
                }
                prop_assert!(store.remembered(who).fits(&limits.memory));
                for slot in (SLOT..SLOT + HEIGHTS * STEP).step_by(100) {
                    prop_assert!(store.produced(who, slot).fits(&limits.rate.max) || who == ME);
                }
            }
        }
        // In the end everything is free.
        let end_ms = SLOT + 1_000_000;
        store.advance(end_ms, &[]);
        for who in 0..3 {
            prop_assert_eq!(store.held(who), amount(0, 0));
            prop_assert_eq!(store.produced(who, SLOT), amount(0, 0));
        }
    }
}
