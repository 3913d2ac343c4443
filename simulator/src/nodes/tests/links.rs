//! Messages that come twice, late, and out of order.

use super::kit::{cluster, paying};
use crate::{
    Fault,
    nodes::{Options, Seen},
    plan::Links,
    testing::watch,
    time::{millis, secs},
};

// K-13, K-14: what decides a block comes before the block, twice, and for a height that is not there yet.
#[test]
fn votes_and_blocks_that_come_twice_and_out_of_order_change_nothing() {
    let reordered = Fault::Reorder {
        links: Links::All,
        ppm: 500_000,
        by_us: 400_000,
    };
    let twice = Fault::Duplicate {
        links: Links::All,
        ppm: 500_000,
    };
    let scenario = cluster(4, Options::all(4))
        .during(millis(500)..secs(12), reordered)
        .during(millis(500)..secs(12), twice)
        .lasting(secs(12));
    let scenario = paying(scenario, 4, 100, secs(10));
    for run in watch(&scenario, 0..4) {
        let blocks = run.height(0, secs(12));
        assert!(blocks > 12, "{blocks} blocks");
        assert!(run.granted(0) > 60);
        let refused = run.seen().any(|it| matches!(it.what, Seen::Refused { .. }));
        assert!(!refused, "nobody takes it for a fault");
    }
}
