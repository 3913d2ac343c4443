//! What a producer may have here.

use super::{ME, SLOT, Seen, Store, amount, config};
use crate::testing::{World, chunk};
use drystone_engine::Verdict;

// D-10
#[test]
fn exactly_the_limit_is_granted_one_more_is_pending_and_no_fault() {
    let mut store = Store::new();
    for height in 1..=8 {
        let reference = store
            .world
            .reference(1, height, SLOT + height, &chunk(height, 100));
        assert_eq!(store.ask(&reference), [Seen::Want(height)]);
    }
    let ninth = store.world.reference(1, 9, SLOT + 9, &chunk(9, 100));
    assert_eq!(store.ask(&ninth), [Seen::Answer(9, Verdict::Pending)]);
    assert_eq!(store.held(1).chunks, 8);
    // Another producer's quota is its own.
    let other = store.world.reference(2, 1, SLOT, &chunk(50, 100));
    assert_eq!(store.ask(&other), [Seen::Want(1)]);
}

// D-10
#[test]
fn bytes_are_limited_apart_from_chunks() {
    let mut store = Store::new();
    let mut bytes = 0;
    for height in 1..=7 {
        let body = chunk(height, 1_000);
        bytes += u64::from(body.payload().bytes);
        let reference = store.world.reference(1, height, SLOT + height, &body);
        assert_eq!(store.ask(&reference), [Seen::Want(height)]);
    }
    // A byte more than what is left, and what is left.
    let mut reference = store.world.reference(1, 8, SLOT + 8, &chunk(8, 900));
    reference.bytes = u32::try_from(8_000 - bytes + 1).unwrap();
    assert_eq!(store.ask(&reference), [Seen::Answer(8, Verdict::Pending)]);
    reference.bytes -= 1;
    assert_eq!(store.ask(&reference), [Seen::Want(8)]);
    assert_eq!(store.held(1), amount(8, 8_000));
}

// D-07
#[test]
fn a_period_of_slots_has_a_limit_of_its_own() {
    let mut store = Store::new();
    // Ten chunks fit a period of a hundred slots, though never more than eight at once.
    for height in 1..=10 {
        let body = chunk(height, 100);
        let reference = store.world.reference(1, height, SLOT + height, &body);
        store.store(&reference, &body);
        store.keep(height, &[reference]);
    }
    assert_eq!(store.held(1), amount(0, 0));
    assert_eq!(store.produced(1, SLOT).chunks, 10);
    let eleventh = store.world.reference(1, 11, SLOT + 99, &chunk(11, 100));
    assert_eq!(store.ask(&eleventh), [Seen::Answer(11, Verdict::Pending)]);
    let next_period = store.world.reference(1, 11, SLOT + 100, &chunk(12, 100));
    assert_eq!(store.ask(&next_period), [Seen::Want(11)]);
}

// D-07, D-10
#[test]
fn a_period_of_slots_is_limited_in_bytes_as_well() {
    let mut limits = config(&World::new()).limits;
    limits.rate.max = amount(100, 1_000);
    let mut store = Store::limited(limits);
    let ask = |store: &mut Store, height, slot, bytes| {
        let mut reference = store.world.reference(1, height, slot, &chunk(height, 100));
        reference.bytes = bytes;
        store.ask(&reference)
    };
    let pending = |height| [Seen::Answer(height, Verdict::Pending)];
    assert_eq!(ask(&mut store, 1, SLOT, 600), [Seen::Want(1)]);
    assert_eq!(ask(&mut store, 2, SLOT + 98, 401), pending(2));
    assert_eq!(ask(&mut store, 2, SLOT + 98, 400), [Seen::Want(2)]);
    assert_eq!(store.produced(1, SLOT), amount(2, 1_000));
    assert_eq!(ask(&mut store, 3, SLOT + 99, 1), pending(3));
    assert_eq!(ask(&mut store, 3, SLOT + 100, 1), [Seen::Want(3)]);
}

// D-10
#[test]
fn no_dimension_of_an_amount_overflows() {
    for full in [amount(u64::MAX, 0), amount(0, u64::MAX)] {
        assert_eq!(full.with(1), None);
    }
    let most = amount(u64::MAX, u64::MAX);
    assert_eq!(amount(u64::MAX - 1, u64::MAX - 1).with(1), Some(most));
}

//
#[test]
#[should_panic(expected = "freed once, after it was reserved")]
fn a_chunk_that_was_never_reserved_is_not_freed() {
    let _ = amount(0, 1).without(1);
}

//
#[test]
#[should_panic(expected = "freed once, after it was reserved")]
fn bytes_that_were_never_reserved_are_not_freed() {
    let _ = amount(1, 0).without(1);
}

// D-07
#[test]
fn the_last_slots_there_are_overflow_nothing() {
    let mut store = Store::new();
    for slot in [u64::MAX, u64::MAX - 1] {
        let reference = store.world.reference(1, 1, slot, &chunk(1, 100));
        assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Pending)]);
    }
    // This one has an expiry and is granted its quota, but no bucket is that late: its body is never written.
    let body = chunk(1, 100);
    let reference = store.world.reference(1, 1, u64::MAX - 2_000, &body);
    assert_eq!(store.ask(&reference), [Seen::Want(1)]);
    store.arrive(&reference, &body, false);
    let seen = store.check(&reference, &body, true);
    assert_eq!(seen, [Seen::Answer(1, Verdict::Pending)]);
    assert_eq!(store.sync(), []);
}

//
#[test]
fn two_chunks_that_arrive_together_do_not_both_pass_a_quota_that_one_fits() {
    let mut store = Store::new();
    for height in 1..=7 {
        store.ask(
            &store
                .world
                .reference(1, height, SLOT + height, &chunk(height, 100)),
        );
    }
    let (eight, nine) = (chunk(8, 100), chunk(9, 100));
    let first = store.world.reference(1, 8, SLOT + 8, &eight);
    let second = store.world.reference(1, 9, SLOT + 9, &nine);
    // Both bodies are here before either header is locked.
    store.arrive(&first, &eight, true);
    store.arrive(&second, &nine, true);
    assert_eq!(store.ask(&first), [Seen::Check(8)]);
    assert_eq!(store.ask(&second), [Seen::Answer(9, Verdict::Pending)]);
    assert_eq!(store.held(1).chunks, 8);
}

// D-08
#[test]
fn quota_is_given_in_the_order_of_heights() {
    let mut store = Store::new();
    for height in 1..=7 {
        store.ask(
            &store
                .world
                .reference(1, height, SLOT + height, &chunk(height, 1_000)),
        );
    }
    let mut large = store.world.reference(1, 8, SLOT + 8, &chunk(8, 1_000));
    large.bytes = 2_000;
    let small = store.world.reference(1, 9, SLOT + 9, &chunk(9, 20));
    assert_eq!(store.ask(&large), [Seen::Answer(8, Verdict::Pending)]);
    // It would fit, but its turn has not come.
    assert_eq!(store.ask(&small), [Seen::Answer(9, Verdict::Pending)]);
    // A certificate went past the large one: nobody asks for it any more.
    let sequencer = store.world.key(1);
    store.apply(super::Message::Certified {
        sequencer,
        height: 8,
    });
    assert_eq!(store.ask(&small), [Seen::Want(9)]);
}

#[test]
fn a_refused_chunk_that_expired_holds_nobody_back() {
    let mut store = Store::new();
    for height in 1..=7 {
        store.ask(
            &store
                .world
                .reference(1, height, SLOT + 50, &chunk(height, 1_000)),
        );
    }
    let mut large = store.world.reference(1, 8, SLOT, &chunk(8, 1_000));
    large.bytes = 2_000;
    let small = store.world.reference(1, 9, SLOT + 60, &chunk(9, 20));
    store.ask(&large);
    assert_eq!(store.ask(&small), [Seen::Answer(9, Verdict::Pending)]);
    store.advance(store.expiry_ms(SLOT) + 1, &[]);
    assert_eq!(store.ask(&small), [Seen::Want(9)]);
}

// D-08
#[test]
fn freed_quota_is_told_to_the_engine_if_it_was_refused_before() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let first = store.world.reference(1, 1, SLOT, &body);
    store.store(&first, &body);
    for height in 2..=8 {
        store.ask(
            &store
                .world
                .reference(1, height, SLOT + height, &chunk(height, 100)),
        );
    }
    let ninth = store.world.reference(1, 9, SLOT + 9, &chunk(9, 100));
    assert_eq!(store.ask(&ninth), [Seen::Answer(9, Verdict::Pending)]);
    assert_eq!(store.keep(1, &[first]), [Seen::Accepted(1), Seen::Stir]);
    assert_eq!(store.ask(&ninth), [Seen::Want(9)]);
}

// D-19
#[test]
fn a_flood_of_one_producer_evicts_nothing_of_another() {
    let mut store = Store::new();
    let quiet = chunk(1, 500);
    let reference = store.world.reference(2, 1, SLOT, &quiet);
    store.arrive(&reference, &quiet, true);
    for height in 1..=1_000 {
        let body = chunk(height, 900);
        let flood = store.world.reference(1, height, SLOT + height, &body);
        store.arrive(&flood, &body, true);
        assert!(store.remembered(1).fits(&amount(3, 2_000)));
    }
    assert_eq!(store.remembered(2).chunks, 1);
    assert_eq!(store.ask(&reference), [Seen::Check(1)]);
    // The newest of the flood are what is left of it.
    let last = store
        .world
        .reference(1, 1_000, SLOT + 1_000, &chunk(1_000, 900));
    assert_eq!(store.ask(&last), [Seen::Check(1_000)]);
}

// D-19
#[test]
fn bodies_being_checked_count_as_memory_and_what_does_not_fit_is_fetched_again() {
    let mut store = Store::new();
    let bodies: Vec<_> = (1..=3).map(|it| chunk(it, 900)).collect();
    let world = &store.world;
    let references: Vec<_> = (1..=3)
        .map(|it| world.reference(1, it, SLOT + it, &bodies[it as usize - 1]))
        .collect();
    for reference in &references {
        store.ask(reference);
    }
    for (reference, body) in references.iter().zip(&bodies).take(2) {
        assert_eq!(store.arrive(reference, body, false).len(), 2);
    }
    // No settling: the relay goes on asking.
    assert_eq!(store.arrive(&references[2], &bodies[2], false), []);
    store.check(&references[0], &bodies[0], true);
    assert_eq!(store.arrive(&references[2], &bodies[2], false).len(), 2);
    assert_eq!(store.held(ME), amount(0, 0));
}
