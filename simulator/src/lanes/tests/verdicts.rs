//! What the application says, does not say, and is not asked again.

use super::kit::{Gains, options};
use crate::{
    Fault, Scenario, Stamped,
    lanes::{Lanes, Options, Seen, observation::Short},
    plan::Links,
    testing::{Run, watch},
    time::secs,
};
use drystone_engine::scheme::fixture::Free;
use std::collections::BTreeMap;

/// A lane and a height.
type Place = (usize, u64);

/// How often each node saw something of each thing.
fn counts<K: Ord>(
    run: &Run<Seen>,
    pick: impl Fn(&Stamped<Seen>) -> Option<K>,
) -> BTreeMap<(usize, K), u64> {
    let mut counts = BTreeMap::new();
    for it in run.seen() {
        if let (Some(node), Some(key)) = (it.node, pick(it)) {
            *counts.entry((node, key)).or_insert(0) += 1;
        }
    }
    counts
}

fn refused(it: &Stamped<Seen>) -> Option<Place> {
    match it.what {
        Seen::Refused { lane, height } => Some((lane, height)),
        _ => None,
    }
}

#[test]
fn a_lane_goes_on_past_a_refused_chunk_once_that_has_expired() {
    let window_us = secs(2);
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            window_ms: 2_000,
            invalid_ppm: 30_000,
            ..options(4)
        })
        .lasting(secs(20))
        .until(Gains::new(0..4, 0..4, 20), secs(60));
    for run in watch(&scenario, 0..5) {
        let refusals = counts(&run, refused);
        // No is for ever: it is said once, however often the header comes.
        assert!(
            refusals.len() > 4 && refusals.values().all(|it| *it == 1),
            "{refusals:?}"
        );
        let mut waited = 0;
        for it in run.seen() {
            let (Some((lane, height)), Some(node)) = (refused(it), it.node) else {
                continue;
            };
            let acks = run.acks(node, lane);
            if let Some((acked_us, ..)) = acks.iter().find(|(.., at)| *at == height) {
                assert!(
                    *acked_us >= it.at_us + window_us,
                    "acked a refused chunk before it expired"
                );
                waited += 1;
            }
        }
        assert!(
            waited > 4,
            "{waited} refused chunks were acked after they expired"
        );
    }
}

#[test]
fn a_dropped_verdict_is_asked_for_again() {
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            dropped_ppm: 300_000,
            ..options(4)
        })
        .until(Gains::new(0..4, 0..4, 100), secs(60));
    for run in watch(&scenario, 0..5) {
        let dropped = counts(&run, |it| match it.what {
            Seen::Unanswered { lane, height } => Some((lane, height)),
            _ => None,
        });
        let acked = |(node, (lane, height)): &&(usize, Place)| {
            run.acks(*node, *lane).iter().any(|it| it.2 == *height)
        };
        // Some were dropped more than once in a row, and acked all the same.
        assert!(dropped.values().any(|it| *it > 2));
        assert!(dropped.keys().filter(acked).count() > 20);
    }
}

#[test]
fn a_flood_of_resends_asks_the_application_nothing_again() {
    // Nothing reaches sequencer 0, so it resends what it has, two hundred times a second. What was acked meanwhile is acked
    // again once it hears: nothing else would get its lane on.
    let scenario = |rebroadcast_ms| {
        Scenario::<Lanes<Free>>::cluster(4)
            .quiet()
            .options(Options {
                rebroadcast_ms,
                invalid_ppm: 20_000,
                window_ms: 30_000,
                ..options(4)
            })
            .during(
                secs(1)..secs(6),
                Fault::Loss {
                    links: Links::To(0),
                    ppm: 1_000_000,
                },
            )
            .until(Gains::new(0..4, 0..1, 1), secs(60))
    };
    let calm = watch(&scenario(1_000), 0..3);
    for (run, calm) in watch(&scenario(5), 0..3).iter().zip(calm) {
        let resent = run.outcome.drops + run.outcome.deliveries;
        assert!(
            resent > 5 * (calm.outcome.drops + calm.outcome.deliveries),
            "{resent}"
        );
        // A verdict given is not asked for again: yes shows as one more report of the body, no as a refusal.
        let bodies = run.bodies();
        let stored = counts(run, |it| match it.what {
            Seen::Stored { payload } => Some(payload),
            _ => None,
        });
        let others =
            |(node, payload): &(usize, Short)| bodies.get(payload).is_some_and(|it| it.0 != *node);
        assert!(stored.iter().filter(|(key, _)| others(key)).count() > 50);
        assert!(
            stored
                .iter()
                .all(|(key, count)| !others(key) || *count == 1),
            "{stored:?}"
        );
        let refusals = counts(run, refused);
        assert!(
            !refusals.is_empty() && refusals.values().all(|it| *it == 1),
            "{refusals:?}"
        );
    }
}
