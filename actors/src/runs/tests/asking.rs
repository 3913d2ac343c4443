//! Whom a run is asked of, and when that ends.

use super::{
    Bytes, HEIGHT, LANE, Message, Refusal, Runs, Seen, asked, between, compact, lane, question, run,
};
use drystone_engine::types::Digest;
use std::collections::BTreeSet;

#[test]
fn nobody_is_asked_before_patience_ends() {
    let mut runs = Runs::new(1);
    runs.want(5);
    assert_eq!(runs.state.wake_ms(), Some(100));
    // The engine had it.
    assert_eq!(runs.apply(Message::Ended(5)), []);
    assert_eq!((runs.state.wants(), runs.state.wake_ms()), (0, None));
    runs.want(6);
    assert!((1..4).contains(&asked(&runs.wake(), 6)));
    assert_eq!(runs.now_ms, 100);
    // The engine has it after all: what the peer says is not looked at any more.
    assert_eq!(runs.apply(Message::Ended(6)), []);
    assert_eq!((runs.state.wants(), runs.state.wake_ms()), (0, None));
    let right = compact(&run(&runs.world));
    let seen = runs.answer(1, 6, Some(right));
    assert_eq!(seen, [Seen::Refuse(1, Refusal::Unasked(6))]);
    assert!(!Refusal::Unasked(6).is_attributable());
}

//
#[test]
fn peers_are_asked_in_turn_in_any_order_whether_they_have_nothing_or_say_nothing() {
    let mut orders = BTreeSet::new();
    for seed in 0..64 {
        let mut runs = Runs::new(seed);
        let first = runs.ask(5);
        // Not here: the next one at once.
        let second = asked(&runs.answer(first, 5, None), 5);
        assert_eq!(runs.now_ms, 100);
        // No word.
        let third = asked(&runs.wake(), 5);
        assert_eq!(runs.now_ms, 150);
        let order = [first, second, third];
        assert_eq!(BTreeSet::from(order), BTreeSet::from([1, 2, 3]));
        orders.insert(order);
        // A right answer that is late is as good as any.
        let right = compact(&run(&runs.world));
        assert_eq!(runs.answer(second, 5, Some(right)), [Seen::Give(5, 4)]);
        assert_eq!((runs.state.wants(), runs.state.wake_ms()), (0, None));
    }
    assert_eq!(orders.len(), 6);
}

//
#[test]
fn it_goes_on_for_ever_backing_off_and_ends_when_nobody_waits() {
    let mut runs = Runs::new(1);
    runs.want(5);
    let mut rounds = Vec::new();
    for _ in 0..60 {
        if runs.wake().is_empty() {
            rounds.push(runs.now_ms);
        }
    }
    // A round of three takes 150 ms.
    let pauses: Vec<_> = rounds.windows(2).map(|it| it[1] - it[0]).collect();
    assert_eq!(pauses[..3], [350, 550, 950]);
    assert!(pauses.len() > 10 && pauses[3..].iter().all(|it| *it == 950));
    runs.apply(Message::Ended(5));
    assert_eq!((runs.state.wants(), runs.state.wake_ms()), (0, None));
}

//
#[test]
fn other_headers_than_those_asked_for_are_their_senders_fault_and_the_next_is_asked() {
    let world = super::World::new();
    let (lane, right) = (lane(&world), run(&world));
    let reversed: Vec<_> = right.iter().rev().cloned().collect();
    let twice = [&right[..], &right[..]].concat();
    let mut mixed = right.clone();
    mixed[1] = world.branch(LANE, lane[2].tip(), 13, 1, 9)[0].clone();
    let wrong = [
        // A branch that parts above the lowest place, and one that parts below.
        world.branch(LANE, lane[1].tip(), 12, 4, 9),
        world.branch(LANE, world.root(LANE), 10, 6, 9)[2..].to_vec(),
        // Too few, too many, others of the lane, one in the middle, in another order, of another lane.
        right[1..].to_vec(),
        right[..3].to_vec(),
        lane[1..6].to_vec(),
        lane[2..7].to_vec(),
        lane[3..7].to_vec(),
        mixed,
        reversed,
        twice,
        world.lane(1, 10, 9)[2..6].to_vec(),
    ];
    for (index, wrong) in wrong.iter().enumerate() {
        let mut runs = Runs::new(index as u64);
        let liar = runs.ask(5);
        let seen = runs.answer(liar, 5, Some(compact(wrong)));
        let [Seen::Refuse(who, refusal), Seen::Ask(next, 5)] = &seen[..] else {
            panic!("{index}: {seen:?}");
        };
        assert_eq!((*who, refusal), (liar, &Refusal::OtherRun(HEIGHT)));
        assert!(refusal.is_attributable() && *next != liar);
        // The liar is asked nothing more in this epoch.
        for _ in 0..20 {
            assert!(!runs.wake().contains(&Seen::Ask(liar, 5)));
        }
        runs.enter();
        assert!((0..20).any(|_| runs.wake().contains(&Seen::Ask(liar, 5))));
        let seen = runs.answer(liar, 5, Some(compact(&right)));
        assert!(seen.contains(&Seen::Give(5, 4)));
    }
}

#[test]
fn bytes_that_are_no_headers_are_their_senders_fault() {
    let mut runs = Runs::new(1);
    let right = compact(&run(&runs.world));
    for len in [1, right.len() - 1, right.len() + 1] {
        let mut bytes = right.to_vec();
        bytes.resize(len, 0);
        let who = runs.ask(len as u64);
        let seen = runs.answer(who, len as u64, Some(Bytes::from(bytes)));
        assert_eq!(seen[0], Seen::Refuse(who, Refusal::OtherRun(HEIGHT)));
        runs.apply(Message::Ended(len as u64));
        runs.enter();
    }
}

/// The digests lead to them. Whether a block may stand for them is judged by who asked.
#[test]
fn a_run_that_does_not_follow_the_place_below_is_handed_on() {
    let mut runs = Runs::new(1);
    let mut question = question(&runs.world);
    question.above.digest = Digest::from([9; 32]);
    runs.apply(Message::Wanted(5, question));
    let who = asked(&runs.wake(), 5);
    let right = compact(&run(&runs.world));
    assert_eq!(runs.answer(who, 5, Some(right)), [Seen::Give(5, 4)]);
}

#[test]
fn what_was_not_asked_is_not_looked_at_and_one_answer_is_enough() {
    let mut runs = Runs::new(1);
    let right = compact(&run(&runs.world));
    let unasked = |who, number| [Seen::Refuse(who, Refusal::Unasked(number))];
    assert_eq!(runs.answer(1, 5, Some(right.clone())), unasked(1, 5));
    let who = runs.ask(5);
    let other = who % 3 + 1;
    assert_eq!(
        runs.answer(other, 5, Some(right.clone())),
        unasked(other, 5)
    );
    assert_eq!(runs.answer(who, 6, Some(right.clone())), unasked(who, 6));
    let next = asked(&runs.answer(who, 5, None), 5);
    assert_eq!(runs.answer(who, 5, Some(right.clone())), unasked(who, 5));
    assert_eq!(runs.answer(next, 5, Some(right)), [Seen::Give(5, 4)]);
}

#[test]
fn the_lowest_blocks_are_asked_for_first_and_few_at_once() {
    let mut runs = Runs::new(1);
    let lane = lane(&runs.world);
    // The numbers are not in the order of the blocks.
    for number in 0..6 {
        let question = between(&lane, 20 - number, 2, 6);
        runs.apply(Message::Wanted(number, question));
    }
    let right = compact(&run(&runs.world));
    let mut seen = runs.wake();
    let mut order = Vec::new();
    for _ in 0..3 {
        assert_eq!(seen.len(), 2, "{seen:?}");
        let asks = std::mem::take(&mut seen);
        for it in asks {
            let Seen::Ask(who, number) = it else {
                panic!("{it:?}");
            };
            order.push(number);
            let mut effects = runs.answer(who, number, Some(right.clone()));
            assert_eq!(effects.remove(0), Seen::Give(number, 4));
            seen.extend(effects);
        }
    }
    assert_eq!((order, seen), (vec![5, 4, 3, 2, 1, 0], vec![]));
    assert_eq!(runs.state.wake_ms(), None);
}

#[test]
fn a_want_that_ends_makes_room_for_another() {
    let mut runs = Runs::new(1);
    for number in 1..4 {
        runs.want(number);
    }
    let seen = runs.wake();
    assert!(matches!(seen[..], [Seen::Ask(_, 1), Seen::Ask(_, 2)]));
    asked(&runs.apply(Message::Ended(1)), 3);
}

#[test]
fn a_run_that_no_block_can_stand_for_is_the_engines_alone() {
    let mut runs = Runs::new(1);
    let max = runs.world.genesis.lane_headers_max;
    for part in 0..4 {
        let mut question = question(&runs.world);
        match part {
            0 => question.to.height = question.above.height,
            1 => question.to.height = question.above.height + max + 1,
            2 => question.to.slot = u64::MAX,
            _ => question.height = 0,
        }
        assert_eq!(runs.apply(Message::Wanted(part, question)), []);
        assert_eq!((runs.state.wants(), runs.state.wake_ms()), (0, None));
        assert_eq!(runs.apply(Message::Ended(part)), []);
    }
}
