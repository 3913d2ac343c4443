//! Whom a body is asked of, and when that ends.

use super::{Answer, Message, Refusal, Relay, Seen, asked};
use crate::{chunk_store::Absence, testing::chunk};
use std::collections::BTreeSet;

const ABSENT: Answer = Answer::Absent(Absence::Unknown);

// D-43
#[test]
fn signers_are_asked_in_random_pairs_then_the_sequencer_then_anyone() {
    let mut pairs = BTreeSet::new();
    for seed in 0..32 {
        let mut relay = Relay::new(seed);
        relay.certify(4, 9, &[0, 1, 2, 3]);
        relay.want(4, 1);
        let first = asked(&relay.wake());
        // Never itself, though it may have signed.
        assert!(first.len() == 2 && !first.contains(&0), "{first:?}");
        pairs.insert(first.clone());
        let second = asked(&relay.wake());
        assert_eq!(second.len(), 1);
        assert!(!first.contains(&second[0]) && second[0] != 4);
        assert_eq!(asked(&relay.wake()), [4]);
        // Everybody was asked: a back-off, and another round.
        assert_eq!(relay.wake(), []);
        assert_eq!(asked(&relay.wake()).len(), 2);
    }
    assert_eq!(pairs.len(), 3);
    // Those who did not sign come last.
    let mut relay = Relay::new(0);
    relay.certify(4, 9, &[0, 2]);
    relay.want(4, 1);
    assert_eq!(asked(&relay.wake()), [2]);
    assert_eq!(asked(&relay.wake()), [4]);
    assert_eq!(asked(&relay.wake()), [1, 3]);
}

// D-43
#[test]
fn without_signers_all_validators_are_asked_and_without_a_certificate_the_sequencer_first() {
    let mut relay = Relay::new(1);
    relay.certify(4, 9, &[]);
    relay.want(4, 1);
    let first = asked(&relay.wake());
    let rest = asked(&relay.wake());
    assert_eq!(first.len() + rest.len(), 3);
    assert_eq!(asked(&relay.wake()), [4]);
    // A certificate below the chunk does not speak for it.
    let mut relay = Relay::new(1);
    relay.certify(4, 9, &[1, 2, 3]);
    relay.want(4, 10);
    assert_eq!(asked(&relay.wake()), [4]);
    assert_eq!(asked(&relay.wake()).len(), 2);
}

#[test]
fn the_chunk_stores_wants_wait_for_the_push_and_a_finalized_blocks_do_not() {
    let mut relay = Relay::new(1);
    relay.want(4, 1);
    assert_eq!(relay.state.wake_ms(), Some(50));
    let reference = relay.reference(4, 2);
    let seen = relay.apply(Message::Needed {
        reference: reference.clone(),
        height: 7,
    });
    assert_eq!(seen, [Seen::Ask(4, 2, Some(7))]);
    assert_eq!(relay.answer(4, &reference), [Seen::Give(2, true)]);
    assert_eq!(relay.state.wants(), 1);
}

//
#[test]
fn a_push_during_a_fetch_ends_it() {
    let mut relay = Relay::new(1);
    let reference = relay.want(4, 1);
    let needed = Message::Needed {
        reference: reference.clone(),
        height: 3,
    };
    assert_eq!(asked(&relay.apply(needed)), [4]);
    let body = Relay::body(1);
    let push = Answer::Body(body.body().clone());
    assert_eq!(relay.deliver(4, &reference, push, true), [Seen::Open(4, 1)]);
    let seen = relay.open(4, &reference, &body, true);
    assert_eq!(seen, [Seen::Give(1, true), Seen::Store(1, true)]);
    relay.apply(Message::Settled(reference.clone()));
    assert_eq!(relay.state.wants(), 0);
    assert_eq!(relay.state.wake_ms(), None);
    // The answer that was under way is not looked at any more, and is nobody's fault.
    let seen = relay.deliver(4, &reference, ABSENT, false);
    assert_eq!(seen, [Seen::Refuse(4, Refusal::Unasked(1))]);
    assert!(!Refusal::Unasked(1).is_attributable());
}

#[test]
fn a_body_that_the_chunk_store_has_no_room_for_is_looked_for_on() {
    let mut relay = Relay::new(1);
    let reference = relay.want(4, 1);
    assert_eq!(asked(&relay.wake()), [4]);
    assert_eq!(relay.answer(4, &reference), [Seen::Store(1, true)]);
    // No word of it.
    assert_eq!(asked(&relay.wake()).len(), 2);
    relay.apply(Message::Settled(reference));
    assert_eq!(relay.state.wants(), 0);
}

//
#[test]
fn a_wrong_body_is_its_senders_fault_and_the_next_is_asked() {
    let mut relay = Relay::new(1);
    relay.certify(4, 9, &[1, 2]);
    let reference = relay.want(4, 1);
    assert_eq!(asked(&relay.wake()), [1, 2]);
    let other = chunk(77, 500);
    let wrong = Answer::Body(other.body().clone());
    relay.deliver(1, &reference, wrong, false);
    let seen = relay.open(1, &reference, &other, false);
    assert_eq!(seen, [Seen::Refuse(1, Refusal::OtherBody(1))]);
    assert!(Refusal::OtherBody(1).is_attributable());
    // The other one says that it has none: on to the sequencer at once.
    let seen = relay.deliver(2, &reference, ABSENT, false);
    assert_eq!(asked(&seen), [4]);
    let seen = relay.deliver(4, &reference, Answer::Busy, false);
    assert_eq!(asked(&seen), [3]);
    // The liar is asked nothing more in this epoch.
    for _ in 0..20 {
        assert!(!asked(&relay.wake()).contains(&1));
    }
    relay.enter();
    assert!((0..20).any(|_| asked(&relay.wake()).contains(&1)));
}

#[test]
fn a_header_that_misstates_its_body_is_not_the_senders_fault() {
    let mut relay = Relay::new(1);
    let mut reference = relay.reference(4, 1);
    reference.items += 1;
    relay.apply(Message::Wanted(reference.clone()));
    relay.wake();
    let body = Relay::body(1);
    relay.deliver(4, &reference, Answer::Body(body.body().clone()), false);
    assert_eq!(
        relay.open(4, &reference, &body, false),
        [Seen::Store(1, false)]
    );
}

#[test]
fn what_was_not_asked_is_not_looked_at_and_one_answer_is_enough() {
    let mut relay = Relay::new(1);
    let reference = relay.want(4, 1);
    let body = Answer::Body(Relay::body(1).body().clone());
    assert_eq!(asked(&relay.wake()), [4]);
    let unasked = |who| [Seen::Refuse(who, Refusal::Unasked(1))];
    assert_eq!(
        relay.deliver(2, &reference, body.clone(), false),
        unasked(2)
    );
    assert_eq!(
        relay.deliver(4, &reference, body.clone(), false),
        [Seen::Open(4, 1)]
    );
    assert_eq!(
        relay.deliver(4, &reference, body.clone(), false),
        unasked(4)
    );
    // A late answer is as good as any.
    let reference = relay.want(4, 2);
    while !relay.wake().contains(&Seen::Ask(4, 2, None)) {}
    while relay.state.wake_ms() < Some(2_000) {
        relay.wake();
    }
    assert_eq!(relay.answer(4, &reference), [Seen::Store(2, true)]);
}

// D-23
#[test]
fn only_a_sequencer_pushes_its_own_chunks_within_its_rate() {
    let mut relay = Relay::new(1);
    let of = |relay: &Relay, who| relay.reference(who, 1);
    let body = || Answer::Body(Relay::body(1).body().clone());
    let theirs = of(&relay, 4);
    let seen = relay.deliver(2, &theirs, body(), true);
    assert_eq!(seen, [Seen::Refuse(2, Refusal::NotProducer(1))]);
    assert!(Refusal::NotProducer(1).is_attributable());
    let stranger = of(&relay, 5);
    let seen = relay.deliver(5, &stranger, body(), true);
    assert_eq!(seen, [Seen::Refuse(5, Refusal::NotSequencer)]);
    // A burst of 3,000 bytes is a few bodies with the work they make; a second brings 10,000 more.
    let bytes = 512 + u64::from(theirs.bytes);
    for _ in 0..3_000 / bytes {
        assert_eq!(relay.deliver(4, &theirs, body(), true), [Seen::Open(4, 1)]);
    }
    let seen = relay.deliver(4, &theirs, body(), true);
    assert_eq!(seen, [Seen::Refuse(4, Refusal::TooFast)]);
    relay.now_ms += 120;
    assert_eq!(relay.deliver(4, &theirs, body(), true), [Seen::Open(4, 1)]);
}

//
#[test]
fn a_fetch_goes_on_for_ever_backing_off_and_ends_when_it_is_dropped() {
    let mut relay = Relay::new(1);
    let reference = relay.reference(4, 1);
    let needed = Message::Needed {
        reference: reference.clone(),
        height: 3,
    };
    let mut rounds = vec![0];
    relay.apply(needed);
    for _ in 0..60 {
        if relay.wake().is_empty() {
            rounds.push(relay.now_ms);
        }
    }
    // A round of three asks takes 300 ms, the first one of which began at once.
    let pauses: Vec<_> = rounds.windows(2).map(|it| it[1] - it[0]).collect();
    assert_eq!(pauses[..4], [300, 500, 700, 1_100]);
    assert!(
        pauses.len() > 10 && pauses[4..].iter().all(|it| *it == 1_100),
        "{pauses:?}"
    );
    relay.apply(Message::Dropped(reference));
    assert_eq!((relay.state.wants(), relay.state.wake_ms()), (0, None));
}

#[test]
fn the_chunk_stores_requests_are_bounded_and_a_finalized_blocks_pass_by() {
    let mut relay = Relay::new(1);
    let references: Vec<_> = (1..=20).map(|it| relay.want(4, it)).collect();
    let seen = relay.wake();
    // Four at once, one left for a pair.
    assert_eq!(asked(&seen).len(), 3);
    let reference = relay.reference(4, 50);
    let needed = Message::Needed {
        reference,
        height: 3,
    };
    assert_eq!(asked(&relay.apply(needed)), [4]);
    // All get their turn as answers come.
    let mut stored = BTreeSet::new();
    let mut waiting = asked_heights(&seen);
    for _ in 0..200 {
        for (who, height) in std::mem::take(&mut waiting) {
            let reference = references[height as usize - 1].clone();
            relay.answer(who, &reference);
            relay.apply(Message::Settled(reference));
            stored.insert(height);
        }
        if stored.len() == 20 {
            return;
        }
        waiting = asked_heights(&relay.wake());
        waiting.retain(|(_, height)| *height <= 20 && !stored.contains(height));
        waiting.dedup_by_key(|it| it.1);
    }
    panic!("only {stored:?} had their turn");
}

fn asked_heights(seen: &[Seen]) -> Vec<(usize, u64)> {
    let asked = seen.iter().filter_map(|it| match it {
        Seen::Ask(who, height, _) => Some((*who, *height)),
        _ => None,
    });
    asked.collect()
}

// D-23: else a sequencer whose headers say one byte would push as much as it likes.
#[test]
fn a_push_is_charged_by_what_came_and_for_its_work_and_is_as_long_as_its_header_says() {
    let mut relay = Relay::new(1);
    let mut reference = relay.reference(4, 1);
    let body = Relay::body(1).body().clone();
    let fit = 3_000 / (512 + body.len());
    for _ in 0..fit {
        let seen = relay.deliver(4, &reference, Answer::Body(body.clone()), true);
        assert_eq!(seen, [Seen::Open(4, 1)]);
    }
    let seen = relay.deliver(4, &reference, Answer::Body(body.clone()), true);
    assert_eq!(seen, [Seen::Refuse(4, Refusal::TooFast)]);
    reference.bytes -= 1;
    let seen = relay.deliver(4, &reference, Answer::Body(body), true);
    assert_eq!(seen, [Seen::Refuse(4, Refusal::OtherBody(1))]);
}
