//! Traces about what a node knows after a restart.

use super::kit::{Gains, options};
use crate::{
    Fault, Scenario,
    lanes::{Action, Certifies, Lanes, Options, Role, Seen},
    plan::{Latencies, Links, Unsynced},
    testing::watch,
    time::{millis, secs},
    trace::Event,
};
use drystone_engine::scheme::fixture::Free;
use std::collections::{BTreeMap, BTreeSet};

#[test]
fn a_validator_that_jumped_by_certificate_and_restarted_acks_no_conflicting_header_below() {
    // Sequencer 0 shows node 3 a second header at every height, first of all and again once the other is certified.
    // What it sends to node 3 is held from 2 s to 8 s, while node 3 jumps by the certificates that others pass on and
    // restarts: then it all arrives at once, far below its base. From the crash on nobody else is heard and the chain says
    // nothing: what node 3 knows of its base, which it acks again in the epoch that begins meanwhile, it has from its disk.
    let held = secs(2)..secs(8);
    let unheard = |from| Fault::Loss {
        links: Links::One { from, to: 3 },
        ppm: 1_000_000,
    };
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
        .during(secs(6)..secs(9), unheard(1))
        .during(secs(6)..secs(9), unheard(2))
        .act(0, Action::StallChain)
        .act(millis(7_500), Action::Enter { epoch: 1 })
        .act(secs(10), Action::ResumeChain)
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
            .filter(|it| it.at_us < held.end)
            .collect();
        assert_eq!(evidence.len(), 1);
        assert!(evidence[0].at_us < held.start);
        let again = run.acks(3, 0).into_iter().find(|it| it.1 == 1);
        assert!(again.is_some_and(|(at_us, _, height)| at_us < held.end && height == base));
        let below = run
            .acks(3, 0)
            .into_iter()
            .filter(|it| it.0 > secs(7) && it.2 < base);
        assert_eq!(below.count(), 0);
        assert_eq!(run.times(3, &Event::Crashed).len(), 1);
        assert_eq!(run.times(3, &Event::Booted).len(), 2);
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
        assert_eq!(run.times(0, &Event::Crashed).len(), 8);
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

#[test]
fn a_sequencer_that_lost_its_disk_extends_what_any_of_a_quorum_holds() {
    // For a second nodes 4 to 6 do not hear the sequencer, so nothing is certified and half of the others hold headers that
    // the rest do not. Any five answers show them, any single one may not.
    let wiped = secs(3)..secs(4);
    let mut scenario = Scenario::<Lanes<Free>>::cluster(7)
        .quiet()
        .options(options(7))
        .during(wiped.clone(), Fault::Wipe { node: 0 })
        .until(Gains::new(1..7, 0..7, 20), secs(60));
    for to in 4..7 {
        scenario = scenario.during(
            secs(2)..wiped.start,
            Fault::Loss {
                links: Links::One { from: 0, to },
                ppm: 1_000_000,
            },
        );
    }
    for run in watch(&scenario, 0..5) {
        let held = |node: usize| {
            run.acks(node, 0)
                .into_iter()
                .filter(|it| it.0 < wiped.start)
        };
        let highest = |node| held(node).map(|it| it.2).max();
        assert!(highest(1) > highest(4).map(|it| it + 10));
        let mut signed: BTreeMap<u64, BTreeSet<_>> = BTreeMap::new();
        for it in run.by(0) {
            if let Seen::Proposed { height, digest, .. } = it.what {
                signed.entry(height).or_default().insert(digest);
            }
        }
        assert!(signed.values().all(|digests| digests.len() == 1));
        assert!(signed.keys().next_back() > highest(1).as_ref());
    }
}

#[test]
fn a_liar_that_names_an_epoch_that_never_comes_does_not_mute_a_node_that_lost_its_disk() {
    // Seven nodes bear two faulty ones: node 0, which loses its disk, and the liar. Node 5 is not heard meanwhile, so that
    // the liar's answer is one of the five that node 0 goes by.
    let scenario = Scenario::<Lanes<Free>>::cluster(7)
        .quiet()
        .options(options(7))
        .role(6, Role::ClaimsEpoch { epoch: u64::MAX })
        .during(secs(3)..secs(4), Fault::Wipe { node: 0 })
        .during(
            secs(2)..secs(5),
            Fault::Loss {
                links: Links::From(5),
                ppm: 1_000_000,
            },
        )
        .act(secs(6), Action::Enter { epoch: 1 })
        .act(secs(8), Action::Enter { epoch: 2 })
        .lasting(secs(9))
        .until(Gains::new(0..6, 0..6, 20), secs(60));
    for run in watch(&scenario, 0..3) {
        assert!(run.entered(6).contains_key(&u64::MAX));
        let acked = run.by(0).filter_map(|it| match it.what {
            Seen::Acked { epoch, .. } if it.incarnation > 0 => Some(epoch),
            _ => None,
        });
        let epochs: BTreeSet<_> = acked.collect();
        // Epoch 0 is the one the others named, it may have been in the next.
        assert_eq!(epochs, BTreeSet::from([2]));
        // It was back before the faults stopped: node 5 was not among those it heard.
        assert!(run.by(0).any(|it| it.incarnation > 0 && it.at_us < secs(5)));
    }
}
