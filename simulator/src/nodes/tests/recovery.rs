//! What is there when everybody has died.

use super::kit::{cluster, paying};
use crate::{
    Fault,
    nodes::Options,
    plan::{Latencies, Unsynced},
    testing::watch,
    time::{millis, secs},
};

// D-33, D-44: each crash finds syncs, commits and votes on their way.
#[test]
fn all_nodes_die_again_and_again_and_nothing_that_was_told_is_lost() {
    let disk = Latencies {
        read_us: 50,
        write_us: 50,
        sync_us: 9_000,
    };
    for unsynced in [Unsynced::Lost, Unsynced::Prefix, Unsynced::Subset] {
        let mut scenario = cluster(4, Options::all(4)).disk(disk).lasting(secs(14));
        for crash in 1..=5_u64 {
            let at_us = secs(2 * crash) + crash * 137_300;
            let all = Fault::Crash {
                nodes: (0..4).collect(),
                unsynced,
            };
            scenario = scenario.during(at_us..at_us + millis(200), all);
        }
        let scenario = paying(scenario, 4, 40, secs(12));
        for run in watch(&scenario, 0..4) {
            assert!(run.granted(0) > 200);
            let told = run.checked("stays final");
            assert!(told > 50, "{told} blocks were told of");
        }
    }
}
