//! Traces about what a node knows after a restart.

use super::kit::{Gains, options, watch};
use crate::{
    Fault, Scenario,
    lanes::{Action, Certifies, Lanes, Options, Role, Seen},
    plan::{Latencies, Links, Unsynced},
    time::{millis, secs},
    trace::Event,
};
use drystone_engine::scheme::fixture::Free;
use std::collections::BTreeMap;

#[test]
fn a_validator_that_jumped_by_certificate_and_restarted_acks_no_conflicting_header_below() {
    // Sequencer 0 shows node 3 a second header at every height, first of all and again once the other is certified.
    // What it sends to node 3 is held from 2 s to 8 s, while node 3 jumps by the certificates that others pass on and
    // restarts: then it all arrives at once, far below its base.
    let held = secs(2)..secs(8);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(options(4))
        .role(0, Role::ShowsTwins { to: 3 })
        .during(
            held.clone(),
            Fault::Clog {
                links: Links::One { from: 0, to: 3 },
            },
        )
        .during(
            secs(6)..secs(7),
            Fault::Crash {
                nodes: [3].into(),
                unsynced: Unsynced::Lost,
            },
        )
        .lasting(secs(12))
        .until(Certifies::new([3], [0], 300), secs(30));
    for run in watch(&scenario, 0..5) {
        let certified = run.certified(3, 0);
        let base = certified
            .iter()
            .rfind(|(at_us, ..)| *at_us < secs(6))
            .expect("it jumped")
            .2;
        let jumped = certified
            .iter()
            .any(|(at_us, ..)| (secs(3)..secs(6)).contains(at_us));
        let late = run
            .by(3)
            .filter(|it| it.at_us >= secs(3) && it.at_us < held.end);
        let locked = late
            .filter(|it| matches!(it.what, Seen::Locked { lane: 0, .. }))
            .count();
        assert!(jumped && locked == 0 && base > 40, "{base} {locked}");
        // It kept proof of the first conflict, once, and after the restart acked nothing it had jumped over.
        let evidence: Vec<_> = run
            .by(3)
            .filter(|it| {
                matches!(
                    it.what,
                    Seen::Evidence {
                        lane: 0,
                        genuine: true,
                        ..
                    }
                )
            })
            .collect();
        assert_eq!(evidence.len(), 1);
        assert!(evidence[0].at_us < held.start);
        let below = run
            .acks(3, 0)
            .into_iter()
            .filter(|it| it.0 > secs(7) && it.2 < base);
        assert_eq!(below.count(), 0);
        assert_eq!(run.events(3, &Event::Crashed), 1);
        assert_eq!(run.events(3, &Event::Booted), 2);
    }
}

#[test]
fn a_sequencer_that_resends_after_a_newer_certificate_arrived_signs_nothing_twice() {
    // Its newest certificate is on the wire before it is on its disk: every crash loses some, and peers that took it
    // show it again when the sequencer resends what was certified long ago.
    let disk = Latencies {
        read_us: 100,
        write_us: 1_000,
        sync_us: 60_000,
    };
    let mut scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .disk(disk)
        .options(Options {
            linger_ms: 0,
            rebroadcast_ms: 100,
            chunk_every_us: 20_000,
            ..options(4)
        });
    for crash in 1..=8 {
        let at_us = secs(crash) + crash * 7_300;
        scenario = scenario.during(
            at_us..at_us + millis(200),
            Fault::Crash {
                nodes: [0].into(),
                unsynced: Unsynced::Lost,
            },
        );
    }
    let scenario = scenario.until(Gains::new(0..4, 0..4, 20), secs(30));
    let mut relearned = 0;
    for run in watch(&scenario, 0..5) {
        let mut highest = BTreeMap::new();
        for it in run.by(0) {
            if let Seen::Certified {
                lane: 0, height, ..
            } = it.what
            {
                let before = highest.insert(it.incarnation, height);
                let last = it
                    .incarnation
                    .checked_sub(1)
                    .and_then(|life| highest.get(&life));
                // The first certificate of a life is one that the life before had, and lost.
                relearned +=
                    u64::from(before.is_none() && last.is_some_and(|last| height <= *last));
            }
        }
        assert_eq!(run.events(0, &Event::Crashed), 8);
        assert_eq!(run.outcome.observed("evidence"), 0);
        assert!(run.checked("proposes once") > 100);
    }
    assert!(
        relearned > 5,
        "{relearned} certificates were lost and learned again"
    );
}

#[test]
fn a_sequencer_that_lost_its_disk_goes_on_beside_a_header_that_only_one_validator_holds() {
    // Seven nodes bear two faulty ones, so five answers are enough, and node 6 is not heard: what node 0 sent to it alone
    // is unseen when the lane goes on. The lane is split at that height until the next epoch.
    let wiped = secs(3)..secs(4);
    let mut scenario = Scenario::<Lanes<Free>>::cluster(7)
        .quiet()
        .options(options(7))
        .during(wiped.clone(), Fault::Wipe { node: 0 })
        .during(
            secs(2)..secs(6),
            Fault::Loss {
                links: Links::From(6),
                ppm: 1_000_000,
            },
        )
        .act(secs(9), Action::Enter { epoch: 1 })
        .act(secs(12), Action::Enter { epoch: 2 })
        .lasting(secs(13))
        .until(Gains::new(0..7, 0..7, 20), secs(60));
    for to in 1..6 {
        scenario = scenario.during(
            secs(2)..wiped.start,
            Fault::Loss {
                links: Links::One { from: 0, to },
                ppm: 1_000_000,
            },
        );
    }
    for run in watch(&scenario, 0..5) {
        let mut signed: BTreeMap<u64, BTreeMap<u32, _>> = BTreeMap::new();
        for it in run.by(0) {
            if let Seen::Proposed { height, digest, .. } = it.what {
                signed
                    .entry(height)
                    .or_default()
                    .insert(it.incarnation, digest);
            }
        }
        let split: Vec<_> = signed
            .iter()
            .filter(|(_, digests)| {
                digests
                    .get(&0)
                    .is_some_and(|old| digests.get(&1).is_some_and(|new| new != old))
            })
            .map(|(height, _)| *height)
            .collect();
        assert!(
            !split.is_empty(),
            "it signed other headers at the heights only node 6 knew"
        );
        // Node 6 kept its word, and the proof; the others never saw the first header.
        assert!(split.iter().any(|it| run.locked(6, 0).contains(it)));
        assert!(run.by(6).any(|it| matches!(
            it.what,
            Seen::Evidence {
                lane: 0,
                genuine: true,
                ..
            }
        )));
        // The lane went on without it in epoch 0, and with it once an epoch had dropped the lock.
        let first = split[0];
        let others = run.certified(1, 0);
        assert!(
            others
                .iter()
                .any(|(_, epoch, height)| *epoch == 0 && *height > first),
            "{first} {others:?}"
        );
        assert!(
            run.acks(6, 0)
                .iter()
                .any(|(_, epoch, height)| *epoch > 0 && *height > first)
        );
        // The wiped node signs in no epoch it may have signed in before.
        assert!(
            run.by(0)
                .all(|it| !matches!(it.what, Seen::Acked { epoch: 0 | 1, .. })
                    || it.incarnation == 0)
        );
        assert!(
            run.by(0)
                .any(|it| matches!(it.what, Seen::Acked { epoch: 2, .. }))
        );
    }
}
