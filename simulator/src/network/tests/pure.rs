//! Order, draws, quotas and inboxes.

use super::lab::{Lab, NODES, UNLIMITED};
use crate::network::{
    Config, Fate, Link,
    draw::{Purpose, Stream},
    quota::Limiter,
    world::Targets,
};
use commonware_runtime::Quota;
use commonware_utils::{NZU32, NZUsize};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Wake, Waker},
};

const MESSAGES: u64 = 10_000;

/// Sends numbered messages from 0 to 1, one each 50 us, and returns who arrived in which order.
fn arrivals(seed: u64, link: Link) -> Vec<u64> {
    let mut lab = Lab::new(Config {
        inbox_max: NZUsize!(100_000),
        ..Config::new(seed)
    });
    lab.world.set_link(0, 1, link);
    for body in 0..MESSAGES {
        lab.send_one(0, 1, body);
        let next_us = lab.now_us + 50;
        lab.run_until(next_us);
    }
    lab.run();
    lab.bodies(1)
}

fn overtakes(bodies: &[u64]) -> usize {
    bodies.windows(2).filter(|pair| pair[0] > pair[1]).count()
}

#[test]
fn a_link_without_jitter_is_first_in_first_out() {
    let expected: Vec<u64> = (0..MESSAGES).collect();
    assert_eq!(arrivals(1, Link::new(10_000, 0)), expected);
    assert_eq!(arrivals(1, Link::default()), expected);
}

#[test]
fn jitter_and_reordering_let_messages_overtake() {
    let jitter = arrivals(1, Link::new(10_000, 1_000));
    let reorder = arrivals(
        1,
        Link {
            reorder_ppm: 10_000,
            reorder_us: 1_000,
            ..Link::new(10_000, 0)
        },
    );
    for bodies in [&jitter, &reorder] {
        let mut sorted = bodies.clone();
        sorted.sort_unstable();
        assert_eq!(
            sorted,
            (0..MESSAGES).collect::<Vec<_>>(),
            "nothing lost or added"
        );
    }
    assert!(
        overtakes(&jitter) > 2_000,
        "most neighbours lie within the jitter"
    );
    // One in a hundred is held back, and nearly all of them by more than one period.
    assert!(
        (70..=110).contains(&overtakes(&reorder)),
        "{}",
        overtakes(&reorder)
    );
}

#[test]
fn loss_and_duplication_are_exactly_reproducible_by_seed() {
    let link = Link {
        loss_ppm: 100_000,
        duplicate_ppm: 50_000,
        ..Link::new(10_000, 500)
    };
    let bodies = arrivals(1, link);
    assert_eq!(bodies, arrivals(1, link));
    assert_ne!(bodies, arrivals(2, link));
    // 9,000 of 10,000 arrive, of which 450 twice: five standard deviations.
    let mut distinct = bodies.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert!(
        (8_850..=9_150).contains(&distinct.len()),
        "{}",
        distinct.len()
    );
    let duplicates = bodies.len() - distinct.len();
    assert!((345..=555).contains(&duplicates), "{duplicates}");
}

#[test]
fn draws_are_the_same_on_every_machine() {
    // The first outputs of the reference splitmix64 for this seed.
    let gamma = 0x9E37_79B9_7F4A_7C15_u64;
    let outputs: Vec<u64> = (1..=3_u64)
        .map(|step| crate::network::draw::mix(1_234_567_u64.wrapping_add(gamma.wrapping_mul(step))))
        .collect();
    let reference = [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
    ];
    assert_eq!(outputs, reference);

    let draws: Vec<u64> = (0..4)
        .map(|number| {
            Stream::new(7, 2, 5)
                .message(number)
                .up_to(Purpose::Jitter, 999_999)
        })
        .collect();
    // From an independent implementation of the same formulas.
    assert_eq!(draws, [829_611, 282_882, 386_316, 253_079]);
}

#[test]
fn draws_of_different_links_messages_and_purposes_differ() {
    let word = |seed, from, to, number, purpose| {
        Stream::new(seed, from, to)
            .message(number)
            .up_to(purpose, u32::MAX)
    };
    let words = [
        word(0, 0, 1, 0, Purpose::Loss),
        word(0, 0, 1, 0, Purpose::Duplicate),
        word(0, 0, 1, 0, Purpose::Jitter),
        word(0, 0, 1, 1, Purpose::Loss),
        word(0, 1, 0, 0, Purpose::Loss),
        word(1, 0, 1, 0, Purpose::Loss),
        Stream::new(0, 0, 1)
            .message(0)
            .duplicate()
            .up_to(Purpose::Loss, u32::MAX),
    ];
    for (index, word) in words.iter().enumerate() {
        assert!(
            !words[..index].contains(word),
            "draw {index} repeats an earlier one"
        );
    }
}

#[test]
fn certain_chances_are_certain() {
    for number in 0..1_000 {
        let draw = Stream::new(3, 0, 1).message(number);
        assert!(draw.chance(Purpose::Loss, 1_000_000));
        assert!(!draw.chance(Purpose::Loss, 0));
        assert!(draw.up_to(Purpose::Jitter, 5) <= 5);
    }
}

#[test]
fn arrivals_are_rounded_up_to_the_quantum_and_never_in_the_present() {
    let mut lab = Lab::seeded(1);
    lab.world.set_link(0, 1, Link::new(1_001, 0));
    lab.run_until(4);
    lab.send_one(0, 1, 0);
    lab.send_one(0, 2, 0);
    assert_eq!(lab.alarms.iter().copied().collect::<Vec<_>>(), [10, 1_010]);
    lab.run_until(10);
    lab.send_one(0, 2, 1);
    assert!(
        lab.alarms.contains(&20),
        "without latency, the next quantum"
    );
}

#[test]
fn messages_due_together_share_one_alarm_and_one_wake() {
    struct Count(AtomicUsize);
    impl Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(count.clone());
    let mut cx = Context::from_waker(&waker);

    let mut lab = Lab::linked(1, Link::new(1_000, 0));
    assert!(lab.world.poll(lab.ports[1], &mut cx).is_pending());
    for body in 0..10 {
        lab.send_one(0, 1, body);
        lab.send_one(2, 1, body);
    }
    assert_eq!(lab.alarms.len(), 1);
    lab.run();
    assert_eq!(count.0.load(Ordering::Relaxed), 1);
    assert_eq!(lab.bodies(1).len(), 20);
}

#[test]
fn a_full_inbox_drops_the_arriving_message() {
    let mut lab = Lab::new(Config {
        inbox_max: NZUsize!(3),
        ..Config::new(1)
    });
    for body in 0..5 {
        lab.send(0, Targets::One(1), body, body == 4);
    }
    lab.run();
    use Fate::{Delivered, Overflow};
    assert_eq!(
        lab.fates(),
        [Delivered, Delivered, Delivered, Overflow, Overflow]
    );
    assert_eq!(lab.bodies(1), [0, 1, 2]);
    assert_eq!(lab.stats().overflow, 2);
}

#[test]
fn priority_overtakes_what_is_queued_but_not_its_like() {
    let mut lab = Lab::seeded(1);
    for body in 0..6 {
        lab.send(0, Targets::One(1), body, body >= 3);
    }
    lab.run();
    assert_eq!(lab.bodies(1), [3, 4, 5, 0, 1, 2]);
}

#[test]
fn a_node_never_sends_to_itself() {
    let mut lab = Lab::seeded(1);
    lab.send(1, Targets::All, 0, false);
    lab.send(1, Targets::One(1), 1, false);
    lab.send(1, Targets::Some(vec![1, 2]), 2, false);
    lab.run();
    assert_eq!(lab.bodies(0), [0]);
    assert!(lab.bodies(1).is_empty());
    assert_eq!(lab.bodies(2), [0, 2]);
}

#[test]
fn a_quota_allows_a_burst_and_then_its_rate_to_each_recipient() {
    let quota = Quota::per_second(NZU32!(100)).allow_burst(NZU32!(3));
    let mut limiter = Limiter::new(quota, NODES).expect("a limit");
    for _ in 0..3 {
        assert_eq!(limiter.check(1, 5_000), Ok(()));
    }
    assert_eq!(limiter.check(1, 5_000), Err(15_000));
    assert_eq!(limiter.check(2, 5_000), Ok(()), "another recipient");
    assert_eq!(limiter.check(1, 14_999), Err(15_000));
    assert_eq!(limiter.check(1, 15_000), Ok(()), "at the time it named");
    assert_eq!(limiter.check(1, 15_000), Err(25_000));
    for _ in 0..3 {
        assert_eq!(limiter.check(1, 9_000_000), Ok(()), "the burst refills");
    }
    assert_eq!(limiter.check(1, 9_000_000), Err(9_010_000));
}

#[test]
fn a_check_passes_at_the_time_it_named_when_the_interval_is_no_whole_microsecond() {
    let quota = Quota::per_second(NZU32!(300_007)).allow_burst(NZU32!(1));
    let mut limiter = Limiter::new(quota, NODES).expect("a limit");
    let mut now_us = 1;
    for _ in 0..1_000 {
        assert_eq!(limiter.check(0, now_us), Ok(()));
        now_us = limiter.check(0, now_us).expect_err("a burst of one");
    }
}

#[test]
fn a_boundless_quota_is_never_checked() {
    assert!(Limiter::new(UNLIMITED, NODES).is_none());
}

#[test]
fn checks_leave_out_the_limited_and_fail_when_none_is_left() {
    let mut lab = Lab::seeded(1);
    let quota = Quota::per_second(NZU32!(1));
    let (port, limited) = lab.world.register(0, 9, quota);
    assert!(limited);
    let one = lab.world.check(0, port, Targets::One(1));
    assert_eq!(one, Ok(Targets::Some(vec![1])));
    let all = lab.world.check(0, port, Targets::All);
    assert_eq!(
        all,
        Ok(Targets::Some(vec![2])),
        "node 1 has had its message"
    );
    assert_eq!(lab.world.check(0, port, Targets::All), Err(1_000_000));
    let (restarted, _) = lab.world.register(0, 9, quota);
    let stale = lab.world.check(0, port, Targets::One(1));
    assert_eq!(stale, Ok(Targets::One(1)), "its send will find it closed");
    let one = lab.world.check(0, restarted, Targets::One(1));
    assert_eq!(
        one,
        Ok(Targets::Some(vec![1])),
        "the stale check charged nothing"
    );
    let nobody = lab.world.check(0, restarted, Targets::Some(Vec::new()));
    assert_eq!(
        nobody,
        Ok(Targets::Some(Vec::new())),
        "nobody is not limited"
    );
}

#[test]
#[should_panic(expected = "loss_ppm is 1000001")]
fn a_rate_beyond_a_million_is_refused() {
    let link = Link {
        loss_ppm: 1_000_001,
        ..Link::default()
    };
    Lab::seeded(1).world.set_link(0, 1, link);
}
