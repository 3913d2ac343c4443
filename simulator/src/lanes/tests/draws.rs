//! A fault that is taken away moves no other: this is what shrinking rests on.

use super::kit::options;
use crate::{
    Fault, Scenario,
    lanes::{Lanes, Options, Seen},
    testing::watch,
    time::secs,
};
use drystone_engine::scheme::fixture::Free;
use std::collections::BTreeSet;

/// What both runs come to: at twenty heights a second, the partition begins and ends below.
const HEIGHTS: u64 = 150;

#[test]
fn the_application_drops_the_same_questions_whatever_else_happens() {
    let scenario = Scenario::<Lanes<Free>>::cluster(4)
        .quiet()
        .options(Options {
            dropped_ppm: 100_000,
            ..options(4)
        })
        .lasting(secs(10));
    let partition = Fault::Partition {
        isolate: [3].into(),
    };
    let partitioned = scenario.clone().during(secs(1)..secs(4), partition);
    let [without, with] = [scenario, partitioned].map(|scenario| {
        let run = watch(&scenario, 0..1).remove(0);
        let dropped = run.seen().filter_map(|it| match it.what {
            Seen::Unanswered { lane, height } if lane < 3 && height <= HEIGHTS => {
                Some((it.node.filter(|node| *node < 3)?, lane, height))
            }
            _ => None,
        });
        dropped.collect::<BTreeSet<_>>()
    });
    assert!(without.len() > 20, "{without:?}");
    assert_eq!(without, with);
}
