//! Faults: each does what it says, and nothing to what it does not name.

use super::lab::{End, Lab, NODES};
use crate::network::{
    Config, Fate, Link,
    draw::{Purpose, Stream},
    world::Targets,
};
use commonware_utils::NZUsize;

const FAULTY: Link = Link {
    latency_us: 5_000,
    jitter_us: 10_000,
    loss_ppm: 100_000,
    duplicate_ppm: 100_000,
    reorder_ppm: 100_000,
    reorder_us: 20_000,
};

/// All nodes send to all, 200 times; returns every end.
fn chatter(mut lab: Lab) -> Vec<End> {
    for round in 0..200 {
        for from in 0..NODES {
            lab.send(from, Targets::All, round, false);
        }
        let next_us = lab.now_us + 1_000;
        lab.run_until(next_us);
    }
    lab.run();
    lab.ends()
}

fn on_link(ends: &[End], from: usize, to: usize) -> Vec<End> {
    let on = |end: &&End| (end.from, end.to) == (from, to);
    ends.iter().filter(on).cloned().collect()
}

#[test]
fn removing_one_links_faults_moves_nothing_on_the_others() {
    let faulty = chatter(Lab::linked(1, FAULTY));
    let mut lab = Lab::linked(1, FAULTY);
    lab.world.set_link(0, 1, FAULTY.perfect());
    let healed = chatter(lab);
    assert_ne!(on_link(&faulty, 0, 1), on_link(&healed, 0, 1));
    for (from, to) in [(0, 2), (1, 0), (1, 2), (2, 0), (2, 1)] {
        assert_eq!(on_link(&faulty, from, to), on_link(&healed, from, to));
    }
}

#[test]
fn removing_one_fault_leaves_the_outcome_of_the_others_on_the_same_link() {
    let faulty = chatter(Lab::linked(1, FAULTY));
    let lossless = chatter(Lab::linked(
        1,
        Link {
            loss_ppm: 0,
            ..FAULTY
        },
    ));
    let single = chatter(Lab::linked(
        1,
        Link {
            duplicate_ppm: 0,
            ..FAULTY
        },
    ));
    let delivered = |end: &&End| end.fate == Fate::Delivered;
    assert!(
        faulty
            .iter()
            .filter(delivered)
            .all(|end| lossless.contains(end))
    );
    let original = |end: &&End| !end.duplicate;
    assert_eq!(
        faulty.iter().filter(original).collect::<Vec<_>>(),
        single.iter().collect::<Vec<_>>()
    );
}

#[test]
fn a_cut_does_not_shift_later_draws() {
    let plain = chatter(Lab::linked(1, FAULTY));
    let mut lab = Lab::linked(1, FAULTY);
    lab.world.cut(0, 1);
    for round in 0..200 {
        if round == 100 {
            lab.world.mend(0, 1);
        }
        lab.send(0, Targets::One(1), round, false);
        let next_us = lab.now_us + 1_000;
        lab.run_until(next_us);
    }
    lab.run();
    let late = |end: &&End| end.sequence >= 100;
    assert_eq!(
        lab.ends().iter().filter(late).collect::<Vec<_>>(),
        on_link(&plain, 0, 1)
            .iter()
            .filter(late)
            .collect::<Vec<_>>()
    );
}

#[test]
fn a_duplicate_has_a_delay_of_its_own() {
    let link = Link {
        duplicate_ppm: 1_000_000,
        ..Link::new(1_000, 50_000)
    };
    let mut lab = Lab::linked(1, link);
    lab.send_one(0, 1, 4);
    assert_eq!(lab.alarms.len(), 2);
    lab.run();
    assert_eq!(lab.bodies(1), [4, 4]);
    let stats = lab.stats();
    assert_eq!((stats.sent, stats.duplicated, stats.delivered), (1, 1, 2));
}

#[test]
fn a_cut_loses_what_is_in_flight_even_if_mended_before_arrival() {
    let mut lab = Lab::linked(1, Link::new(1_000, 0));
    lab.send_one(0, 1, 0);
    lab.send_one(1, 0, 1);
    lab.run_until(500);
    lab.world.cut(0, 1);
    lab.send_one(0, 1, 2);
    lab.world.mend(0, 1);
    lab.send_one(0, 1, 3);
    lab.run();
    assert_eq!(lab.bodies(1), [3]);
    assert_eq!(lab.bodies(0), [1], "the other direction is untouched");
    assert_eq!(lab.stats().cut, 2);
}

#[test]
fn overlapping_cuts_nest() {
    let mut lab = Lab::seeded(1);
    lab.world.cut(0, 1);
    lab.world.cut(0, 1);
    lab.world.mend(0, 1);
    lab.send_one(0, 1, 0);
    lab.world.mend(0, 1);
    lab.send_one(0, 1, 1);
    lab.run();
    lab.world.mend(0, 1);
    lab.world.cut(0, 1);
    lab.send_one(0, 1, 2);
    assert_eq!(lab.fates(), [Fate::Cut, Fate::Delivered, Fate::Cut]);
    assert_eq!(lab.bodies(1), [1], "a mend without a cut saves nothing up");
}

#[test]
fn a_clog_holds_what_arrives_and_bursts_in_order() {
    let mut lab = Lab::linked(1, Link::new(1_000, 0));
    lab.world.clog(0, 1);
    lab.world.clog(0, 1);
    for body in 0..3 {
        lab.send_one(0, 1, body);
        let next_us = lab.now_us + 1_000;
        lab.run_until(next_us);
    }
    lab.send_one(0, 1, 3);
    lab.run_until(3_500);
    lab.world.unclog(lab.now_us, 0, 1);
    assert!(lab.bodies(1).is_empty(), "one clog is left");
    assert_eq!(lab.stats().in_flight, 4);
    lab.world.unclog(lab.now_us, 0, 1);
    assert_eq!(lab.bodies(1), [0, 1, 2], "at once");
    assert!(lab.ends().iter().all(|end| end.at_us == 3_500));
    lab.run();
    assert_eq!(lab.bodies(1), [3], "what was still on its way comes after");
}

#[test]
fn a_clogged_link_holds_no_more_than_an_inbox() {
    let mut lab = Lab::new(Config {
        inbox_max: NZUsize!(2),
        ..Config::new(1)
    });
    lab.world.clog(0, 1);
    (0..3).for_each(|body| lab.send_one(0, 1, body));
    lab.run();
    assert_eq!(lab.fates(), [Fate::Overflow]);
    lab.world.unclog(lab.now_us, 0, 1);
    assert_eq!(lab.bodies(1), [0, 1]);
}

#[test]
fn a_cut_loses_what_a_clog_holds() {
    let mut lab = Lab::seeded(1);
    lab.world.clog(0, 1);
    lab.send_one(0, 1, 0);
    lab.run();
    lab.world.cut(0, 1);
    lab.world.mend(0, 1);
    lab.world.unclog(lab.now_us, 0, 1);
    assert_eq!(lab.fates(), [Fate::Cut]);
}

#[test]
fn blocking_stops_both_directions_and_what_is_in_flight() {
    let mut lab = Lab::linked(1, Link::new(1_000, 0));
    lab.send_one(0, 1, 0);
    lab.send_one(1, 0, 1);
    assert!(lab.world.block(0, 1));
    assert!(!lab.world.block(0, 1), "once is enough");
    lab.send_one(1, 0, 2);
    lab.send_one(2, 0, 3);
    lab.run();
    assert_eq!(lab.inbox(0), [(2, 3)]);
    assert!(lab.bodies(1).is_empty());
    assert_eq!(lab.stats().blocked, 3);
}

#[test]
fn a_block_ends_when_every_node_that_made_it_was_taken_down() {
    let mut lab = Lab::seeded(1);
    lab.world.block(0, 1);
    lab.world.block(1, 0);
    lab.world.block(0, 2);
    for (node, expected) in [(0, Fate::Blocked), (1, Fate::Delivered)] {
        lab.world.take_down(node);
        let (port, _) = lab
            .world
            .register(node, super::lab::CHANNEL, super::lab::UNLIMITED);
        lab.ports[node] = port;
        lab.send_one(0, 1, 0);
        lab.run();
        assert_eq!(lab.fates().last(), Some(&expected));
    }
    lab.send_one(2, 0, 0);
    lab.run();
    assert_eq!(lab.fates().last(), Some(&Fate::Delivered));
}

#[test]
fn what_reaches_a_node_that_is_down_is_dropped_and_what_it_sent_arrives() {
    let mut lab = Lab::linked(1, Link::new(1_000, 0));
    lab.send_one(0, 1, 0);
    lab.send_one(1, 0, 1);
    lab.world.take_down(1);
    assert!(
        !lab.send(1, Targets::One(0), 2, false),
        "its sender is closed"
    );
    lab.run();
    assert_eq!(lab.fates(), [Fate::Down, Fate::Delivered]);
    assert_eq!(lab.bodies(0), [1]);
}

#[test]
fn perfect_links_keep_their_latency_and_lose_their_faults() {
    let mut lab = Lab::linked(1, FAULTY);
    lab.world.cut(0, 1);
    lab.world.clog(2, 1);
    lab.world.set_link(2, 1, FAULTY.perfect());
    lab.send_one(2, 1, 1_000);
    lab.run();
    lab.world.block(0, 2);
    lab.world.set_perfect(lab.now_us);
    assert_eq!(lab.bodies(1), [1_000], "the clog burst");
    (0..500).for_each(|body| lab.send_one(0, 1, body));
    lab.send_one(0, 2, 0);
    let sent_us = lab.now_us;
    lab.run();
    let mut bodies = lab.bodies(1);
    bodies.sort_unstable();
    assert_eq!(bodies, (0..500).collect::<Vec<_>>());
    let ends = lab.ends();
    let times = on_link(&ends, 0, 1)
        .into_iter()
        .map(|end| end.at_us - sent_us);
    assert!(
        times
            .clone()
            .all(|time_us| (5_000..=15_010).contains(&time_us))
    );
    assert!(
        times.clone().min() != times.max(),
        "jitter is part of the latency"
    );
    assert_eq!(
        on_link(&ends, 0, 2)[0].fate,
        Fate::Blocked,
        "a block is no fault"
    );
}

/// Any mixture of faults: the numbers agree with what the hook saw, always.
#[test]
fn every_copy_of_a_message_ends_exactly_once() {
    for seed in 0..20 {
        let mut lab = Lab::new(Config {
            inbox_max: NZUsize!(8),
            ..Config::new(seed)
        });
        lab.world.set_links(FAULTY);
        for step in 0..2_000 {
            let draw = Stream::new(seed, 90, 90).message(step);
            let from = draw.up_to(Purpose::Loss, 2) as usize;
            let to = draw.up_to(Purpose::Duplicate, 2) as usize;
            match draw.up_to(Purpose::Jitter, 19) {
                0 => lab.world.cut(from, to),
                1 | 2 => lab.world.mend(from, to),
                3 => lab.world.clog(from, to),
                4 | 5 => lab.world.unclog(lab.now_us, from, to),
                6 if from != to => drop(lab.world.block(from, to)),
                7 => {
                    lab.world.take_down(to);
                    let port = lab
                        .world
                        .register(to, super::lab::CHANNEL, super::lab::UNLIMITED);
                    lab.ports[to] = port.0;
                }
                8 => lab.world.take_down(to),
                9 if step % 7 == 0 => {
                    lab.world.set_perfect(lab.now_us);
                    lab.world.set_links(FAULTY);
                }
                _ => drop(lab.send(from, Targets::All, step, to == 0)),
            }
            let next_us = lab.now_us + draw.up_to(Purpose::Reorder, 2_000);
            lab.run_until(next_us);
            let stats = lab.stats();
            let copies = stats.sent + stats.duplicated;
            assert_eq!(copies, stats.delivered + stats.dropped() + stats.in_flight);
        }
        lab.world.set_perfect(lab.now_us);
        lab.run();
        let (stats, fates) = (lab.stats(), lab.fates());
        assert_eq!(stats.in_flight, 0);
        let count = |fate| fates.iter().filter(|end| **end == fate).count() as u64;
        assert_eq!(stats.delivered, count(Fate::Delivered));
        assert_eq!(stats.delivered_bytes, 8 * stats.delivered);
        assert_eq!(stats.lost, count(Fate::Lost));
        assert_eq!(stats.cut, count(Fate::Cut));
        assert_eq!(stats.overflow, count(Fate::Overflow));
        assert_eq!(stats.blocked, count(Fate::Blocked));
        assert_eq!(stats.down, count(Fate::Down));
        use Fate::{Blocked, Cut, Delivered, Down, Lost, Overflow};
        for fate in [Delivered, Lost, Cut, Overflow, Blocked, Down] {
            assert!(count(fate) > 0, "seed {seed} never ends in {fate:?}");
        }
    }
}
