//! One lost message.

use super::kit::options;
use crate::{
    Fault, Scenario,
    lanes::{Certifies, Lanes, Options},
    plan::Links,
    testing::watch,
    time::{millis, secs},
};
use drystone_engine::scheme::fixture::Free;
use std::ops::Range;

/// Three chunks, 100 ms apart; the certificate of the last is assembled two milliseconds after it, a round trip, and
/// travels alone 20 ms later.
fn three_chunks(lost: Range<u64>, links: Links) -> Scenario<Lanes<Free>> {
    Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            sequencers: vec![0],
            chunks_max: 3,
            chunk_every_us: 100_000,
            ..options(4)
        })
        .during(
            lost,
            Fault::Loss {
                links,
                ppm: 1_000_000,
            },
        )
        .until(Certifies::new(0..4, [0], 3), secs(20))
}

#[test]
fn a_lost_newest_certificate_of_a_lane_that_fell_silent_arrives_all_the_same() {
    let lost = 302_500..millis(400);
    for run in watch(&three_chunks(lost.clone(), Links::From(0)), 0..5) {
        // The sequencer had it before the loss, and its own message was lost.
        assert!(
            run.certified_at(0, &[0], 3)
                .is_some_and(|it| it < lost.start)
        );
        assert!(run.outcome.drops >= 3);
        for node in 1..4 {
            let at_us = run.certified_at(node, &[0], 3).expect("the goal");
            assert!(at_us > lost.end, "node {node} had it at {at_us}");
        }
    }
}

#[test]
fn validators_pass_on_a_certificate_that_the_sequencer_cannot_send_to_one_of_them() {
    let lost = 302_500..secs(5);
    for run in watch(
        &three_chunks(lost.clone(), Links::One { from: 0, to: 3 }),
        0..5,
    ) {
        assert!(
            run.certified_at(1, &[0], 3)
                .is_some_and(|it| it < millis(400))
        );
        let at_us = run.certified_at(3, &[0], 3).expect("the goal");
        assert!(
            (lost.start..lost.end).contains(&at_us),
            "node 3 had it at {at_us}"
        );
    }
}
