//! From the lock to the end: durable, accepted, executed past, expired, pruned.

use super::{Message, SLOT, Seen, Store, amount, config};
use crate::{
    chunk::Error,
    chunk_store::{Absence, Restored, Source, State},
    testing::{World, chunk, invalid_chunk},
};
use drystone_engine::Verdict;
use std::collections::BTreeMap;

// D-12
#[test]
fn a_chunk_is_valid_only_once_its_body_is_durable() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let reference = store.world.reference(1, 1, SLOT, &body);
    assert_eq!(store.ask(&reference), [Seen::Want(1)]);
    store.arrive(&reference, &body, false);
    assert_eq!(store.ask(&reference), []);
    store.check(&reference, &body, true);
    // Written, and not synced: no verdict yet.
    assert_eq!(store.ask(&reference), []);
    // A sync that began before the write does not cover it.
    let before = store.state.position() - 1;
    assert_eq!(store.apply(Message::Synced(before)), []);
    assert_eq!(store.sync(), [Seen::Answer(1, Verdict::Valid)]);
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Valid)]);
    // And it is there after a crash.
    store.restart(0);
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Valid)]);
}

// D-23
#[test]
fn a_body_that_comes_twice_is_written_once() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let reference = store.world.reference(1, 1, SLOT, &body);
    store.store(&reference, &body);
    assert_eq!(store.arrive(&reference, &body, true), []);
    assert_eq!(store.disk.len(), 1);
    assert_eq!(store.held(1), amount(1, u64::from(body.payload().bytes)));
}

// D-24, R-02, R-03
#[test]
fn a_body_that_is_not_the_references_gets_no_verdict() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let reference = store.world.reference(1, 1, SLOT, &body);
    store.ask(&reference);
    // Another chunk, valid in itself.
    assert_eq!(store.arrive(&reference, &chunk(2, 100), false), []);
    // Each part of the reference in turn, whether or not that is asked for too. Of one body a second claim is put off.
    let others: Vec<_> = (0..5)
        .map(|part| {
            let (mut other, mut answer) = (reference.clone(), None);
            match part {
                0 => other.place.height += 1,
                1 => other.place.slot += 1,
                2 => other.sequencer = store.world.key(2),
                3 => other.bytes += 1,
                _ => other.items += 1,
            }
            if part > 2 {
                answer = Some(Seen::Answer(1, Verdict::Pending));
            }
            assert_eq!(store.arrive(&other, &body, false), [], "part {part}");
            let want = Seen::Want(other.place.height);
            let asked = store.ask(&other);
            assert_eq!(asked.first(), Some(answer.as_ref().unwrap_or(&want)));
            (other, answer)
        })
        .collect();
    assert_eq!(store.arrive(&reference, &body, false).len(), 2);
    assert_eq!(store.check(&reference, &body, true), []);
    assert_eq!(store.sync(), [Seen::Answer(1, Verdict::Valid)]);
    for (other, answer) in others {
        let again = store.ask(&other);
        assert_eq!(again, Vec::from_iter(answer), "{other:?}");
    }
}

#[test]
fn an_invalid_chunk_is_invalid_whoever_asks_and_keeps_its_quota_until_it_expires() {
    let mut store = Store::new();
    let body = invalid_chunk();
    let reference = store.world.reference(1, 1, SLOT, &body);
    store.ask(&reference);
    store.arrive(&reference, &body, false);
    let seen = store.check(&reference, &body, false);
    assert_eq!(seen, [Seen::Answer(1, Verdict::Invalid)]);
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Invalid)]);
    assert_eq!(store.held(1).chunks, 1);
    assert_eq!(store.disk.len() + store.unsynced.len(), 0);
    // A header that misstates its body is as bad.
    let body = chunk(2, 100);
    let mut reference = store.world.reference(1, 2, SLOT + 1, &body);
    reference.items += 1;
    store.ask(&reference);
    let error = Error::OtherPayload {
        claimed: reference.payload(),
        found: body.payload(),
    };
    let seen = store.apply(Message::Arrived {
        reference,
        chunk: Err(error),
        pushed: false,
    });
    assert_eq!(seen, [Seen::Settle(2), Seen::Answer(2, Verdict::Invalid)]);
    store.advance(store.expiry_ms(SLOT + 1) + 1, &[]);
    assert_eq!(store.held(1), amount(0, 0));
}

#[test]
fn a_body_before_its_header_is_kept_if_its_producer_sent_it() {
    let mut store = Store::new();
    let (body, fetched) = (chunk(1, 100), chunk(2, 100));
    let reference = store.world.reference(1, 1, SLOT, &body);
    let other = store.world.reference(1, 2, SLOT + 1, &fetched);
    store.arrive(&reference, &body, true);
    store.arrive(&other, &fetched, false);
    assert_eq!(store.ask(&reference), [Seen::Check(1)]);
    assert_eq!(store.ask(&other), [Seen::Want(2)]);
    // The header says something else of the early body than it is.
    let early = chunk(3, 100);
    let mut misstated = store.world.reference(1, 3, SLOT + 2, &early);
    store.arrive(&misstated, &early, true);
    misstated.items += 1;
    assert_eq!(store.ask(&misstated), [Seen::Answer(3, Verdict::Invalid)]);
    store.check(&reference, &body, true);
    assert_eq!(store.remembered(1), amount(0, 0));
}

//
#[test]
fn quota_is_freed_once_whatever_comes_first() {
    let mut store = Store::new();
    let bodies: Vec<_> = (0..4).map(|it| chunk(it, 100)).collect();
    let world = &store.world;
    let references: Vec<_> = (0..4)
        .map(|it| world.reference(1, it + 1, SLOT + it, &bodies[it as usize]))
        .collect();
    for (reference, body) in references.iter().zip(&bodies) {
        store.store(reference, body);
    }
    // Accepted, accepted again in a replay, executed past, expired.
    assert_eq!(store.keep(1, &references[..1]), [Seen::Accepted(1)]);
    assert_eq!(store.held(1).chunks, 3);
    store.keep(1, &references[..1]);
    assert_eq!(store.held(1).chunks, 3);
    store.advance(SLOT, &[(1, 2)]);
    assert_eq!(store.held(1).chunks, 2);
    store.keep(2, &references[..2]);
    assert_eq!(store.held(1).chunks, 2);
    store.advance(store.expiry_ms(SLOT + 2), &[(1, 2)]);
    assert_eq!(store.held(1).chunks, 2);
    store.advance(store.expiry_ms(SLOT + 2) + 1, &[]);
    assert_eq!(store.held(1).chunks, 1);
    store.keep(3, &references);
    assert_eq!(store.held(1).chunks, 0);
    store.advance(store.expiry_ms(SLOT + 3) + 1, &[(1, 4)]);
    assert_eq!(store.held(1), amount(0, 0));
    assert_eq!(store.produced(1, SLOT), amount(0, 0));
}

// D-16
#[test]
fn accepting_what_was_never_seen_changes_nothing() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let known = store.world.reference(1, 1, SLOT, &body);
    store.store(&known, &body);
    let unknown = store.world.reference(2, 7, SLOT, &chunk(2, 100));
    assert_eq!(store.state.source(&unknown, None), Source::Nowhere);
    // What is given need not be read, though it lies here.
    let given = store.state.source(&known, Some(body.body().clone()));
    assert_eq!(given, Source::Given(body.body().clone()));
    assert_eq!(store.keep(1, &[unknown]), [Seen::Accepted(1)]);
    assert_eq!(store.held(1).chunks, 1);
    assert_eq!(store.held(2), amount(0, 0));
}

//
#[test]
fn a_restart_does_not_revive_what_was_accepted() {
    let mut store = Store::new();
    let (one, two) = (chunk(1, 100), chunk(2, 100));
    let first = store.world.reference(1, 1, SLOT, &one);
    let second = store.world.reference(1, 2, SLOT + 1, &two);
    store.store(&first, &one);
    store.store(&second, &two);
    store.keep(1, std::slice::from_ref(&first));
    // The state's commit did not come through: executed time is what it was.
    store.restart(0);
    assert_eq!(store.held(1).chunks, 1);
    assert!(!store.state.is_held(&first) && store.state.is_held(&second));
    // Both still count for their period, and both have a durable body.
    assert_eq!(store.produced(1, SLOT).chunks, 2);
    assert_eq!(store.ask(&first), [Seen::Answer(1, Verdict::Valid)]);
    // The block is executed again.
    store.keep(1, &[first]);
    assert_eq!(store.held(1).chunks, 1);
}

// D-13, D-17
#[test]
fn what_expired_goes_with_executed_time_section_by_section() {
    let mut store = Store::new();
    // Expiries 11,001 and 11,099 share a bucket of 100; 11,100 is in the next.
    let slots = [SLOT, SLOT + 98, SLOT + 99];
    let bodies: Vec<_> = (0..3).map(|it| chunk(it, 100)).collect();
    for (index, slot) in slots.into_iter().enumerate() {
        let reference = store
            .world
            .reference(1, index as u64 + 1, slot, &bodies[index]);
        store.store(&reference, &bodies[index]);
    }
    let buckets: Vec<_> = store.disk.keys().map(|it| it.bucket).collect();
    assert_eq!(buckets, [110, 110, 111]);
    assert_eq!(store.advance(11_099, &[]), [Seen::Prune(110)]);
    // The last moment of a chunk of the section, and it is all there.
    assert_eq!(store.disk.len(), 3);
    assert_eq!(store.held(1).chunks, 2);
    assert_eq!(store.advance(11_099, &[]), []);
    assert_eq!(store.advance(11_100, &[]), [Seen::Prune(111)]);
    assert_eq!(store.disk.len(), 1);
    assert_eq!(store.held(1).chunks, 1);
    // Time does not go back.
    assert_eq!(store.advance(0, &[]), []);
    let late = store.world.reference(1, 4, SLOT, &chunk(9, 100));
    assert_eq!(store.ask(&late), [Seen::Answer(4, Verdict::Pending)]);
}

#[test]
fn what_is_still_looked_for_when_it_expires_or_is_executed_past_is_let_go() {
    let mut store = Store::new();
    for height in 1..=2 {
        store.ask(
            &store
                .world
                .reference(1, height, SLOT + height, &chunk(height, 100)),
        );
    }
    let pending = |height| Seen::Answer(height, Verdict::Pending);
    assert_eq!(store.advance(1, &[(1, 1)]), [Seen::Settle(1), pending(1)]);
    let late_ms = store.expiry_ms(SLOT + 2) + 1;
    let seen = store.advance(late_ms, &[]);
    let prune = Seen::Prune(late_ms / 100);
    assert_eq!(seen, [pending(1), Seen::Settle(2), pending(2), prune]);
}

// The executor may have fetched the body, or have it from a sync: the relay would look for it for ever.
#[test]
fn what_is_still_looked_for_when_a_block_accepts_it_is_let_go() {
    let mut store = Store::new();
    let reference = store.world.reference(1, 1, SLOT, &chunk(1, 100));
    assert_eq!(store.ask(&reference), [Seen::Want(1)]);
    let accepted = [
        Seen::Settle(1),
        Seen::Answer(1, Verdict::Pending),
        Seen::Accepted(1),
    ];
    assert_eq!(store.keep(1, std::slice::from_ref(&reference)), accepted);
    // Once: neither when the lane is executed past it nor when it expires.
    assert_eq!(store.advance(1, &[(1, 1)]), []);
}

// D-18
#[test]
fn accepted_bodies_go_at_the_retention_limit_and_not_before_the_window() {
    let mut store = Store::new();
    store.advance(SLOT, &[]);
    let mut retired = Vec::new();
    for height in 1..=50 {
        let body = chunk(height, 100);
        let slot = SLOT + height * 100;
        let reference = store.world.reference(1, height, slot, &body);
        store.store(&reference, &body);
        let mut seen = store.keep(height, &[reference]);
        seen.extend(store.advance(slot, &[(1, height)]));
        retired.extend(seen.into_iter().filter_map(|it| match it {
            Seen::Retire(retired) => Some((height, retired)),
            _ => None,
        }));
    }
    // Four blocks would do, but a window of ten blocks has to pass first. (There is no block 0.)
    assert!(retired.len() > 10, "{retired:?}");
    for (height, retired) in retired {
        assert!(
            retired == 1 || retired + 10 <= height,
            "{retired} at {height}"
        );
    }
    let old = store.world.reference(1, 1, SLOT + 100, &chunk(1, 100));
    assert_eq!(store.state.absence(&old, Some(1)), Absence::Pruned);
}

// D-22
#[test]
fn unknown_expired_and_pruned_are_told_apart() {
    let mut store = Store::new();
    let reference = store.world.reference(1, 1, SLOT, &chunk(1, 100));
    assert_eq!(store.state.absence(&reference, None), Absence::Unknown);
    assert_eq!(store.state.absence(&reference, Some(1)), Absence::Unknown);
    store.advance(store.expiry_ms(SLOT) + 1, &[]);
    assert_eq!(store.state.absence(&reference, None), Absence::Expired);
    // Asked for with a wrong slot, a body that is here is not.
    let body = chunk(2, 100);
    let reference = store.world.reference(1, 1, SLOT + 50, &body);
    store.store(&reference, &body);
    assert!(store.state.locate(&reference).is_some());
    let mut wrong = reference;
    wrong.place.slot += 1;
    assert_eq!(store.state.locate(&wrong), None);
    assert_eq!(store.state.absence(&wrong, None), Absence::Unknown);
}

// D-18, D-22: sections go whole, so some of it may still lie there.
#[test]
fn what_an_earlier_life_may_have_retired_is_pruned_after_a_restart() {
    let world = World::new();
    let restored = Restored {
        executed_ms: SLOT,
        executed_height: 50,
        lanes: BTreeMap::new(),
        residents: Vec::new(),
    };
    let state = State::restore(config(&world), restored);
    let reference = world.reference(1, 1, SLOT, &chunk(1, 100));
    let absence = |height| state.absence(&reference, Some(height));
    assert_eq!(
        (absence(45), absence(46)),
        (Absence::Pruned, Absence::Unknown)
    );
}
