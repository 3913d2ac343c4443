//! The scenarios of the ordered broadcast that this protocol descends from, over every scheme.
//!
//! Heights and times are those of upstream. Pairings and secp256r1 cost a hundred times more than the free scheme, so they
//! have one lane.

use super::kit::{Gains, options};
use crate::{
    Fault, Scenario,
    lanes::{Action, Certifies, Lanes, Named, Options},
    plan::{Latencies, Link, Links, Unsynced},
    testing::watch,
    time::{millis, secs},
    trace::Event,
};
use drystone_engine::scheme::fixture::Free;
#[cfg(feature = "signatures")]
use drystone_engine::scheme::fixture::{Ed25519, Multisig, Secp256r1, Threshold};
use std::ops::Range;

/// As many lanes as validators.
const ALL: usize = 4;
/// Where a signature takes a millisecond, one lane shows the same.
#[cfg(feature = "signatures")]
const ONE: usize = 1;

/// The first nodes sequence.
fn sequenced(lanes: usize, nodes: usize) -> Options {
    Options {
        sequencers: (0..lanes).collect(),
        ..options(nodes)
    }
}

/// The goal that nodes know certificates of all lanes at a height.
fn certifies<F: Named>(
    scenario: Scenario<Lanes<F>>,
    nodes: usize,
    lanes: Range<usize>,
    height: u64,
    within_us: u64,
) -> Scenario<Lanes<F>> {
    scenario.until(Certifies::new(0..nodes, lanes, height), within_us)
}

fn all_online<F: Named>(lanes: usize) {
    let height = 100;
    let scenario = Scenario::<Lanes<F>>::cluster(4)
        .quiet()
        .options(sequenced(lanes, 4));
    let scenario = certifies(scenario, 4, 0..lanes, height, secs(30));
    for run in watch(&scenario, 0..2) {
        for node in 0..4 {
            for lane in 0..lanes {
                // Contiguous: every height was locked here, none was only jumped over.
                let locked = run.locked(node, lane);
                assert!(
                    (1..=height).all(|it| locked.contains(&it)),
                    "{node} {lane}: {locked:?}"
                );
                assert!(run.acks(node, lane).len() as u64 >= height);
            }
        }
        assert!(run.checked("genuine certificates") > 0);
    }
}

fn unclean_shutdown<F: Named>(lanes: usize) {
    let (height, named) = (30, (0..lanes).collect::<Vec<_>>());
    let disk = Latencies {
        read_us: 100,
        write_us: 200,
        sync_us: 5_000,
    };
    let mut scenario = Scenario::<Lanes<F>>::cluster(4)
        .quiet()
        .disk(disk)
        .options(Options {
            // As many chunks in all, however many lanes.
            chunk_every_us: 120_000 / lanes as u64,
            ..sequenced(lanes, 4)
        });
    let crashes = 6;
    for crash in 1..=crashes {
        // All, then all but one, each at another point of what is being written.
        let nodes = if crash % 2 == 1 {
            (0..4).collect()
        } else {
            (1..4).collect()
        };
        let unsynced = [Unsynced::Lost, Unsynced::Prefix, Unsynced::Subset][crash as usize % 3];
        let at_us = secs(5 * crash) + crash * 2_700;
        scenario = scenario.during(at_us..at_us + millis(500), Fault::Crash { nodes, unsynced });
    }
    let scenario = scenario.until(Gains::new(0..4, 0..lanes, 3), secs(60));
    for run in watch(&scenario, 0..2) {
        assert_eq!(run.times(1, &Event::Crashed).len() as u64, crashes);
        // Each life did something, and every life of every node was judged.
        let lives = run.by(1).map(|it| it.incarnation).max();
        assert_eq!(lives.map(u64::from), Some(crashes));
        assert!(run.certified_at(1, &named, height).is_some());
        assert!(run.checked("acks once") > 4 * height && run.checked("proposes once") > height);
    }
}

fn partition<F: Named>(lanes: usize) {
    let gained = 100;
    let scenario = Scenario::<Lanes<F>>::cluster(4)
        .quiet()
        .options(sequenced(lanes, 4))
        .during(
            secs(5)..secs(35),
            Fault::Partition {
                isolate: [0, 1].into(),
            },
        )
        .until(Gains::new(0..4, 0..lanes, gained), secs(60));
    for run in watch(&scenario, 0..2) {
        let mut certified = run.certified(2, 0);
        let before = certified
            .iter()
            .rposition(|(at_us, ..)| *at_us < secs(5))
            .expect("it ran before");
        let after = certified.split_off(before + 1);
        // No side has a quorum; what was on its way when the links were cut may still be counted.
        assert!(
            after.iter().all(|(at_us, ..)| *at_us >= secs(35)),
            "{after:?}"
        );
        assert!(!after.is_empty());
    }
}

fn lossy<F: Named>(lanes: usize) -> Scenario<Lanes<F>> {
    Scenario::<Lanes<F>>::cluster(4)
        .quiet()
        .options(sequenced(lanes, 4))
        .link(Link::new(10_000, 80_000))
        .during(
            0..secs(60),
            Fault::Loss {
                links: Links::All,
                ppm: 500_000,
            },
        )
}

fn half_of_all_messages_lost<F: Named>(lanes: usize) {
    let (height, named) = (40, (0..lanes).collect::<Vec<_>>());
    let scenario = certifies(lossy::<F>(lanes), 4, 0..lanes, height, secs(1));
    for run in watch(&scenario, 0..2) {
        for node in 0..4 {
            // While messages were still being lost.
            let at_us = run.certified_at(node, &named, height);
            assert!(
                at_us.is_some_and(|it| it < secs(60)),
                "node {node}: {at_us:?}"
            );
        }
        let sent = run.outcome.drops + run.outcome.deliveries;
        assert!(
            (40..60).contains(&(run.outcome.drops * 100 / sent)),
            "{}",
            run.outcome.drops
        );
    }
}

fn same_seed_same_trace<F: Named>(lanes: usize) {
    let scenario = lossy::<F>(lanes).lasting(secs(5)).during(
        secs(1)..secs(2),
        Fault::Crash {
            nodes: [0, 2].into(),
            unsynced: Unsynced::Subset,
        },
    );
    let hashes = |_| -> Vec<_> {
        let outcomes = scenario.run_seeds(0..5);
        assert!(outcomes.iter().all(|it| it.observed("certified") > 0));
        outcomes.into_iter().map(|it| it.trace_hash).collect()
    };
    let [first, second] = [(); 2].map(hashes);
    assert_eq!(first, second);
    let distinct: std::collections::BTreeSet<_> =
        first.iter().map(|it| format!("{it:?}")).collect();
    assert_eq!(distinct.len(), first.len(), "seeds differ: {first:?}");
}

fn epoch_change_in_a_partition<F: Named>(lanes: usize) {
    let options = Options {
        validators: vec![vec![0, 1, 2, 3], vec![1, 2, 3, 4]],
        ..sequenced(lanes, 5)
    };
    // The partition leaves each epoch three of its four validators on one side.
    let scenario = Scenario::<Lanes<F>>::cluster(5)
        .quiet()
        .options(options)
        .act(secs(4), Action::Enter { epoch: 1 })
        .during(
            secs(2)..secs(8),
            Fault::Partition {
                isolate: [3].into(),
            },
        )
        .until(Gains::new(1..5, 0..lanes, 20), secs(60));
    for run in watch(&scenario, 0..2) {
        let after = run.certified(3, 0);
        // Node 3 was in epoch 1 alone, and learned of the lane only when the links mended.
        assert!(run.entered(3)[&1] < secs(5));
        assert!(
            after
                .iter()
                .all(|(at_us, epoch, _)| *epoch == 0 || *at_us >= secs(8))
        );
        // The others went on meanwhile: in epoch 0 first, and in epoch 1 with the validator that joined.
        let others = run.certified(4, 0);
        assert!(
            others
                .iter()
                .any(|(at_us, epoch, _)| *epoch == 1 && *at_us < secs(8)),
            "{others:?}"
        );
        assert!(run.acks(4, 0).iter().all(|(_, epoch, _)| *epoch == 1));
        assert!(run.acks(0, 0).iter().all(|(_, epoch, _)| *epoch == 0));
    }
}

fn external_sequencer<F: Named>() {
    let height = 100;
    let options = Options {
        validators: vec![vec![0, 1, 2, 3]],
        sequencers: vec![4],
        ..options(5)
    };
    let scenario = Scenario::<Lanes<F>>::cluster(5).quiet().options(options);
    let scenario = certifies(scenario, 5, 4..5, height, secs(30));
    for run in watch(&scenario, 0..2) {
        assert!(run.acks(4, 4).is_empty() && run.locked(4, 4).is_empty());
        assert!(run.acks(0, 4).len() as u64 >= height);
    }
}

#[test]
fn ten_validators_and_five_sequencers_reach_height_1000() {
    let options = Options {
        sequencers: (0..5).collect(),
        chunk_every_us: 2_000,
        block_every_us: 100_000,
        ..Options::all(10)
    };
    let scenario = Scenario::<Lanes<Free>>::cluster(10)
        .quiet()
        .options(options);
    let scenario = certifies(scenario, 10, 0..5, 1000, secs(60));
    for run in watch(&scenario, 0..1) {
        // Everybody locked and acked everything of every lane.
        for (node, lane) in (0..10).flat_map(|node| (0..5).map(move |lane| (node, lane))) {
            assert!(run.locked(node, lane).len() >= 1000 && run.acks(node, lane).len() >= 1000);
        }
    }
}

#[test]
fn a_run_without_chunks_certifies_nothing() {
    let options = Options {
        sequencers: vec![0],
        chunk_every_us: secs(3_600),
        ..Options::all(4)
    };
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(options)
        .lasting(secs(20))
        .until(Certifies::new(0..0, [], 0), secs(1));
    for run in watch(&scenario, 0..1) {
        assert_eq!(
            run.outcome.observed("certified") + run.outcome.observed("acked"),
            0
        );
        // Idle time costs nothing: no message is sent in twenty seconds.
        assert_eq!(run.outcome.deliveries, 0);
    }
}

macro_rules! over_every_scheme {
    ($($scheme:ident, $module:ident, $lanes:expr;)*) => {
        $(mod $module {
            use super::*;

            #[test]
            fn all_online_reach_a_contiguous_height() {
                all_online::<$scheme>($lanes);
            }

            #[test]
            fn unclean_shutdowns_every_five_seconds_make_nobody_sign_twice() {
                unclean_shutdown::<$scheme>($lanes);
            }

            #[test]
            fn a_partition_of_thirty_seconds_is_made_up_for() {
                partition::<$scheme>($lanes);
            }

            #[test]
            fn slow_links_that_lose_half_of_all_messages_do_not_stop_lanes() {
                half_of_all_messages_lost::<$scheme>($lanes);
            }

            #[test]
            fn the_same_seed_gives_the_same_trace() {
                same_seed_same_trace::<$scheme>($lanes);
            }

            #[test]
            fn an_epoch_begins_during_a_partition() {
                epoch_change_in_a_partition::<$scheme>($lanes);
            }

            #[test]
            fn a_sequencer_need_not_be_a_validator() {
                external_sequencer::<$scheme>();
            }
        })*
    };
}

over_every_scheme! {
    Free, free, ALL;
}

#[cfg(feature = "signatures")]
over_every_scheme! {
    Ed25519, ed25519, ALL;
    Secp256r1, secp256r1, ONE;
    Multisig, multisig, ONE;
    Threshold, threshold, ONE;
}
