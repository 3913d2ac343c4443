//! Traces about the chain: what stands still, jumps, or cannot take what lanes bring.

use super::kit::{Gains, options};
use crate::{
    Fault, Scenario, System as _,
    lanes::{Action, Lanes, Options, Role, Seen},
    property::reaches,
    testing::watch,
    time::{millis, secs},
    trace::{Observer, Recorder},
};
use commonware_utils::sync::Mutex;
use drystone_engine::scheme::fixture::Free;
use std::{collections::BTreeSet, sync::Arc};

#[test]
fn a_wiped_disk_is_lost_when_it_is_wiped_and_not_at_the_next_block() {
    let wiped_us = millis(1_234);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            block_every_us: secs(2),
            ..options(4)
        })
        .during(wiped_us..wiped_us + 1_000, Fault::Wipe { node: 1 });
    let plan = scenario.plan(0);
    let recorder = Recorder::new(4, Vec::new(), None, u64::MAX, None);
    let observer = Observer::new(Arc::new(Mutex::new(recorder)), Arc::new(|| 0), None, 0);
    let mut system = Lanes::<Free>::new(&plan, observer);
    assert_eq!(system.tick(0), Some(wiped_us));
    assert_eq!(system.tick(wiped_us), Some(secs(2)));
}

#[test]
fn a_withheld_body_is_not_acked_before_chain_time_passes_its_expiry() {
    let resumes = secs(10);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            window_ms: 2_000,
            ..options(4)
        })
        .role(0, Role::Withholds { until_us: u64::MAX })
        .act(secs(1), Action::StallChain)
        .act(resumes, Action::ResumeChain)
        .lasting(resumes)
        .until(
            reaches(
                "the withheld chunk is acked",
                |it: &crate::Stamped<Seen>| {
                    it.node == Some(1) && matches!(it.what, Seen::Acked { lane: 0, .. })
                },
            ),
            secs(20),
        );
    for run in watch(&scenario, 0..3) {
        for node in 1..4 {
            // Locked at once; by every clock expired after some three seconds; acked when the chain says so.
            assert!(run.locked(node, 0).contains(&1));
            let acks = run.acks(node, 0);
            assert!(
                acks.iter().all(|(at_us, ..)| *at_us >= resumes),
                "node {node}: {acks:?}"
            );
            assert!(run.acks(node, 1).iter().any(|(at_us, ..)| *at_us < resumes));
        }
        assert!(!run.acks(1, 0).is_empty());
    }
}

#[test]
fn a_lane_never_certifies_more_than_one_block_takes() {
    let (stalls, resumes) = (secs(2), secs(12));
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            in_flight_max: 8,
            ahead_max: 8,
            headers_max: 32,
            ..options(4)
        })
        .act(stalls, Action::StallChain)
        .act(resumes, Action::ResumeChain)
        .lasting(secs(13))
        .until(Gains::new(0..4, 0..4, 20), secs(30));
    for run in watch(&scenario, 0..3) {
        let included = run.seen().filter_map(|it| match it.what {
            Seen::Included {
                lane: 0,
                height,
                live,
                ..
            } => Some((it.at_us, height, live)),
            _ => None,
        });
        let included: Vec<_> = included.collect();
        let before = included
            .iter()
            .rfind(|(at_us, ..)| *at_us < resumes)
            .expect("blocks were made");
        assert!(before.0 < stalls + secs(1), "the chain stood still");
        let certified = run.certified(1, 0);
        let highest = certified
            .iter()
            .filter(|it| it.0 < resumes)
            .map(|it| it.2)
            .max();
        // The lane stands exactly where an empty block is full, and one block takes it all.
        assert_eq!(highest, Some(before.1 + 8));
        let next = included
            .iter()
            .find(|(at_us, ..)| *at_us >= resumes)
            .expect("it resumed");
        assert_eq!((next.1, next.2), (before.1 + 8, 8));
        assert!(run.checked("fits a block") > 0);
    }
}

/// Slots are milliseconds, so an hour is millions of them.
const JUMP_MS: u64 = 4 * 3_600_000;

#[test]
fn headers_whose_slots_are_millions_ago_are_acked_without_bodies() {
    let jumps = secs(1);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            window_ms: 2_000,
            ahead_max: 64,
            in_flight_max: 32,
            headers_max: 256,
            ..options(4)
        })
        .role(0, Role::Withholds { until_us: u64::MAX })
        .act(jumps, Action::JumpChain { ms: JUMP_MS })
        .lasting(secs(30))
        .until(Gains::new(1..4, 0..4, 20), secs(60));
    for run in watch(&scenario, 0..3) {
        let stored = |node| -> BTreeSet<_> {
            let stored = run.by(node).filter_map(|it| match it.what {
                Seen::Stored { payload } => Some(payload),
                _ => None,
            });
            stored.collect()
        };
        let bodies = run.bodies();
        for node in 1..4 {
            // The withheld lane is acked in order, and no body of it ever arrived.
            let acks = run.acks(node, 0);
            assert!(acks.iter().all(|(at_us, ..)| *at_us >= jumps));
            assert!(acks.len() > 100, "{}", acks.len());
            assert!(
                stored(node)
                    .iter()
                    .all(|it| bodies.get(it).is_none_or(|(lane, _)| *lane != 0))
            );
        }
        // Long expired, it still moves on in blocks, with nothing alive in it.
        let moved = run.seen().any(|it| {
            it.at_us > jumps + millis(1_000)
                && matches!(it.what, Seen::Included { lane: 0, headers, live: 0, .. } if headers >= 128)
        });
        assert!(moved);
    }
}
