//! Traces about epochs.

use super::kit::{Gains, options};
use crate::{
    Fault, Scenario,
    lanes::{Action, Lanes, Options},
    plan::{Latencies, Links, Unsynced},
    testing::watch,
    time::{millis, secs},
    trace::Event,
};
use drystone_engine::scheme::fixture::Free;

#[test]
fn an_idle_lane_is_certified_again_in_every_epoch() {
    // Five chunks for each life of a sequencer, then nothing for four epochs, one of which is skipped. Nothing arrives
    // while the second begins: the acks that validators give on entering are lost, and must be asked for.
    let epochs = [(3, 1), (6, 2), (9, 3), (12, 5)];
    let mut scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            chunks_max: 5,
            ..options(4)
        });
    for (at_s, epoch) in epochs {
        scenario = scenario.act(secs(at_s), Action::Enter { epoch });
    }
    // A second life brings five more: the lane went on from where it was.
    let scenario = scenario
        .during(
            secs(6)..secs(7),
            Fault::Loss {
                links: Links::All,
                ppm: 1_000_000,
            },
        )
        .during(
            secs(15)..secs(16),
            Fault::Crash {
                nodes: (0..4).collect(),
                unsynced: Unsynced::Lost,
            },
        )
        .until(Gains::new(0..4, 0..4, 5), secs(20));
    for run in watch(&scenario, 0..3) {
        for (node, lane) in (0..4).flat_map(|node| (0..4).map(move |lane| (node, lane))) {
            let certified = run.certified(node, lane);
            for (at_s, epoch) in epochs {
                let again = certified.iter().any(|(at_us, of, height)| {
                    (*of, *height) == (epoch, 5) && (secs(at_s)..secs(at_s + 3)).contains(at_us)
                });
                assert!(
                    again,
                    "node {node} lane {lane} epoch {epoch}: {certified:?}"
                );
            }
        }
    }
}

#[test]
fn a_validator_that_crashes_on_entering_an_epoch_never_acks_in_the_last_one() {
    // An epoch a second. A node is told within 20 ms and takes as long to make it durable: it crashes in the middle of
    // being told, of writing and of acking, a little later in each epoch.
    let disk = Latencies {
        read_us: 100,
        write_us: 1_000,
        sync_us: 20_000,
    };
    let mut scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .disk(disk)
        .options(Options {
            chunk_every_us: 20_000,
            ..options(4)
        });
    let epochs = 10;
    for epoch in 1..=epochs {
        let at_us = secs(epoch) + 6_000 * epoch;
        let node = epoch as usize % 4;
        scenario = scenario.act(secs(epoch), Action::Enter { epoch }).during(
            at_us..at_us + millis(300),
            Fault::Crash {
                nodes: [node].into(),
                unsynced: Unsynced::Prefix,
            },
        );
    }
    let scenario = scenario.until(Gains::new(0..4, 0..4, 10), secs(30));
    let (mut before, mut after) = (0, 0);
    for run in watch(&scenario, 0..5) {
        for epoch in 1..=epochs {
            let node = epoch as usize % 4;
            let entered_us = run.entered(node)[&epoch];
            if entered_us < secs(epoch) + 6_000 * epoch {
                after += 1
            } else {
                before += 1
            }
        }
        assert!(run.times(1, &Event::Crashed).len() > 1);
        assert!(run.checked("epochs rise") > 100);
    }
    assert!(
        before > 5 && after > 5,
        "{before} crashes before an epoch was entered, {after} after"
    );
}

#[test]
fn a_certificate_of_the_last_epoch_is_taken_after_its_locks_were_dropped() {
    // Nobody hears sequencer 0 from the moment it assembled the certificate of height 29 until all are in epoch 1.
    let (silent, heard) = (2_901_500, secs(5));
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            chunk_every_us: 100_000,
            rebroadcast_ms: 1_000,
            linger_ms: 500,
            block_delay_us: 1,
            ..options(4)
        })
        .during(
            silent..heard,
            Fault::Loss {
                links: Links::From(0),
                ppm: 1_000_000,
            },
        )
        // Or the chain would include it, and tell.
        .act(millis(2_800), Action::StallChain)
        .act(secs(3), Action::Enter { epoch: 1 })
        .act(secs(6), Action::ResumeChain)
        .until(Gains::new(0..4, 0..4, 10), secs(30));
    for run in watch(&scenario, 0..5) {
        let hidden = run
            .certified(0, 0)
            .into_iter()
            .rfind(|(at_us, epoch, _)| *epoch == 0 && *at_us < secs(3));
        let (_, _, height) = hidden.expect("lane 0 was certified in epoch 0");
        for node in 1..4 {
            assert!(
                run.acks(node, 0)
                    .iter()
                    .any(|(_, epoch, at)| (*epoch, *at) == (0, height))
            );
            let before = run
                .certified(node, 0)
                .into_iter()
                .filter(|(at_us, ..)| *at_us < heard);
            assert!(
                before.map(|it| it.2).max() < Some(height),
                "node {node} knew of {height}"
            );
            assert!(run.entered(node)[&1] < heard);
            let shown = run
                .certified(node, 0)
                .into_iter()
                .find(|(.., at)| *at >= height);
            let (at_us, epoch, _) = shown.expect("it goes on");
            assert!(at_us >= heard && epoch == 0, "node {node}: {at_us} {epoch}");
        }
    }
}

/// A sequencer that nobody hears while two epochs begin: its newest certificate lies outside the bounds of the second.
fn sequencer_apart(stalls_us: u64) {
    let apart = secs(3)..secs(13);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(options(4))
        .during(
            apart.clone(),
            Fault::Partition {
                isolate: [0].into(),
            },
        )
        .act(stalls_us, Action::StallChain)
        .act(secs(5), Action::Enter { epoch: 1 })
        .act(secs(8), Action::Enter { epoch: 2 })
        .act(secs(12), Action::ResumeChain)
        .until(Gains::new(0..4, 0..4, 40), secs(60));
    for run in watch(&scenario, 0..3) {
        for node in 0..4 {
            assert!(run.entered(node)[&2] < apart.end);
            let certified = run.certified(node, 0);
            assert!(
                certified.iter().all(|(_, epoch, _)| *epoch != 1),
                "nobody heard it in epoch 1"
            );
            assert!(
                certified
                    .iter()
                    .any(|(at_us, epoch, _)| *epoch == 2 && *at_us >= apart.end)
            );
        }
        // What was certified before the partition is still there, below what was certified after it.
        let last = run
            .certified(1, 0)
            .into_iter()
            .rfind(|(_, epoch, _)| *epoch == 0)
            .map(|it| it.2);
        let first = run
            .certified(1, 0)
            .into_iter()
            .find(|(_, epoch, _)| *epoch == 2)
            .map(|it| it.2);
        assert!(last > Some(10) && first.is_some(), "{last:?} {first:?}");
    }
}

#[test]
fn a_sequencer_apart_for_two_epochs_goes_on_from_what_was_executed() {
    sequencer_apart(secs(12) - 1);
}

#[test]
fn a_sequencer_apart_for_two_epochs_whose_lane_was_never_included_goes_on() {
    sequencer_apart(0);
}

#[test]
fn validators_whose_bases_differ_and_left_the_bounds_start_again_from_what_was_executed() {
    // The links are cut just after the certificates of one height were assembled, so each half has newer ones of its own
    // lanes. Two epochs later they count for nothing, and were the bases kept, no height of a lane had three acks: two nodes
    // would ack one place of it, two another, and none what lies below.
    let (apart, height) = (millis(3_005)..secs(13), 60);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            in_flight_max: 4,
            ..options(4)
        })
        .act(0, Action::StallChain)
        .during(
            apart.clone(),
            Fault::Partition {
                isolate: [0, 3].into(),
            },
        )
        .act(secs(5), Action::Enter { epoch: 1 })
        .act(secs(8), Action::Enter { epoch: 2 })
        .until(Gains::new(0..4, 0..4, 40), secs(60));
    for run in watch(&scenario, 0..3) {
        for (node, base) in [(0, height), (3, height), (1, height - 1), (2, height - 1)] {
            let before = run.certified(node, 0);
            let before = before.iter().filter(|(at_us, ..)| *at_us < apart.end);
            assert_eq!(before.map(|it| it.2).max(), Some(base), "node {node}");
        }
        // From the first height on.
        let again = run.certified(1, 0).into_iter().find(|it| it.1 == 2);
        assert!(again.is_some_and(|(.., at)| at <= 4), "{again:?}");
    }
}
