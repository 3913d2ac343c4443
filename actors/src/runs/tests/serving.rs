//! Who is served, from what, and how much.

use super::{HEIGHT, LANE, Runs, Seen, between, lane, question, record};
use drystone_engine::types::{Digest, Signed};

#[test]
fn a_run_comes_from_the_record_which_is_not_read_again_for_the_next() {
    let mut runs = Runs::new(1);
    let world = super::World::new();
    let of = question(&world);
    assert_eq!(runs.asked(1, 5, of.clone()), [Seen::Read(1, 5)]);
    let seen = runs.read(1, 5, of.clone(), Some(record(&world, HEIGHT)));
    assert_eq!(seen, [Seen::Answer(1, 5, Some(4))]);
    // The other lane of the block, another peer.
    let mut other = between(&world.lane(1, 10, 3), HEIGHT, 1, 3);
    other.above = world.root(1);
    assert_eq!(runs.asked(2, 8, other), [Seen::Answer(2, 8, Some(3))]);
    // Two blocks are kept in memory.
    for height in [8, 9] {
        let of = between(&lane(&world), height, 2, 6);
        let peer = 2 + (height - 8) as usize;
        assert_eq!(runs.asked(peer, 9, of.clone()), [Seen::Read(peer, 9)]);
        let seen = runs.read(peer, 9, of, Some(record(&world, height)));
        assert_eq!(seen, [Seen::Answer(peer, 9, Some(4))]);
    }
    assert_eq!(runs.asked(5, 7, of), [Seen::Read(5, 7)]);
}

#[test]
fn what_the_record_does_not_hold_is_not_here() {
    let world = super::World::new();
    let lane = lane(&world);
    let branch = world.branch(LANE, lane[1].tip(), 12, 4, 9);
    let of = |above, to| between(&lane, HEIGHT, above, to);
    let absent = [
        // More than the block stands for, at either end, and another branch.
        of(1, 6),
        of(2, 7),
        of(7, 9),
        super::Question {
            to: branch[3].tip(),
            ..of(2, 6)
        },
        super::Question {
            above: branch[0].tip(),
            ..of(3, 6)
        },
        // A lane that it does not move.
        super::Question {
            sequencer: world.key(2),
            ..of(2, 6)
        },
        // A place that is none.
        super::Question {
            to: drystone_engine::types::Tip {
                digest: Digest::from([7; 32]),
                ..lane[5].tip()
            },
            ..of(2, 6)
        },
    ];
    for (index, question) in absent.into_iter().enumerate() {
        let mut runs = Runs::new(1);
        runs.asked(1, 5, question.clone());
        let seen = runs.read(1, 5, question, Some(record(&world, HEIGHT)));
        assert_eq!(seen, [Seen::Answer(1, 5, None)], "{index}");
    }
    // A part of it is: who asks may be on another branch of blocks.
    let mut runs = Runs::new(1);
    runs.asked(1, 5, of(3, 5));
    let seen = runs.read(1, 5, of(3, 5), Some(record(&world, HEIGHT)));
    assert_eq!(seen, [Seen::Answer(1, 5, Some(2))]);
    // No such block.
    let mut runs = Runs::new(1);
    runs.asked(1, 5, of(2, 6));
    let seen = runs.read(1, 5, of(2, 6), None);
    assert_eq!(seen, [Seen::Answer(1, 5, None)]);
    assert_eq!(
        runs.asked(1, 6, of(2, 6)),
        [Seen::Read(1, 6)],
        "it may come"
    );
}

// D-22
#[test]
fn a_peer_has_a_queue_and_a_rate_and_pays_for_what_is_read() {
    let mut runs = Runs::new(1);
    let world = super::World::new();
    let lane = lane(&world);
    let of = |number: u64| between(&lane, 100 + number, 2, 6);
    let mut seen = Vec::new();
    for number in 0..20 {
        seen.extend(runs.asked(1, number, of(number)));
        assert!(runs.state.queued() <= 3);
    }
    let read = seen.iter().filter(|it| matches!(it, Seen::Read(1, _)));
    let away = seen
        .iter()
        .filter(|it| matches!(it, Seen::Answer(1, _, None)));
    // Two are read at once, three wait, and the rest is turned away.
    assert_eq!((read.count(), away.count()), (2, 15));
    // The same again is not queued again.
    let waiting = seen.len() as u64;
    assert_eq!(waiting, 17);
    for number in 2..5 {
        assert_eq!(runs.asked(1, number, of(number)), []);
    }
    // Both reads are under way: others wait for room, and the record's whole size is paid.
    assert_eq!(runs.asked(2, 50, of(0)), []);
    let seen = runs.read(1, 0, of(0), Some(record(&world, 100)));
    assert_eq!(
        seen,
        [Seen::Answer(1, 0, Some(4)), Seen::Answer(2, 50, Some(4))]
    );
    let record_bytes = 7 * Signed::<super::Nouns>::COMPACT_SIZE as u64;
    runs.read(1, 1, of(1), None);
    let ready_ms = runs.state.wake_ms().expect("it waits");
    assert!(
        ready_ms > record_bytes,
        "a byte is a millisecond: {ready_ms}"
    );
    let mut read = 0;
    while runs.state.queued() > 0 {
        let mut effects = runs.wake();
        while let Some(it) = effects.pop() {
            match it {
                Seen::Read(1, number) => {
                    read += 1;
                    effects.extend(runs.read(1, number, of(number), None));
                }
                Seen::Answer(1, _, None) => {}
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!((read, runs.state.wake_ms()), (3, None));
}

#[test]
fn reads_are_few_at_once_and_validators_come_first() {
    let mut runs = Runs::new(1);
    let world = super::World::new();
    let of = |height| between(&lane(&world), height, 2, 6);
    assert_eq!(runs.asked(5, 1, of(1)), [Seen::Read(5, 1)]);
    assert_eq!(runs.asked(5, 2, of(2)), [Seen::Read(5, 2)]);
    for (who, number) in [(5, 3), (2, 1), (3, 1)] {
        assert_eq!(runs.asked(who, number, of(30 + number)), []);
    }
    let seen = runs.read(5, 1, of(1), None);
    assert_eq!(seen, [Seen::Answer(5, 1, None), Seen::Read(2, 1)]);
    let seen = runs.read(5, 2, of(2), None);
    assert_eq!(seen, [Seen::Answer(5, 2, None), Seen::Read(3, 1)]);
}
