//! Nodes that were away.

use super::kit::{cluster, paying};
use crate::{Fault, nodes::Options, plan::Unsynced, testing::watch, time::secs};

fn down(node: usize) -> Fault {
    Fault::Crash {
        nodes: [node].into(),
        unsynced: Unsynced::Subset,
    }
}

// headers and bodies of what expired while it was away are nowhere but with those who executed it.
#[test]
fn a_node_that_was_down_for_longer_than_chunks_live_executes_what_it_missed() {
    let mut options = Options::all(4);
    options.chunks.lanes.window_ms = 4_000;
    let scenario = cluster(4, options)
        .during(secs(3)..secs(15), down(2))
        .lasting(secs(16));
    let scenario = paying(scenario, 4, 100, secs(14));
    for run in watch(&scenario, 0..3) {
        let (missed, there) = (run.height(2, secs(15)), run.height(0, secs(15)));
        // Every fourth leader is missing.
        assert!(there > missed + 12, "it missed {missed} to {there}");
        assert_eq!(run.granted(2), run.granted(0));
    }
}

// Everything but the key is lost: it begins at the genesis, votes in no epoch of before, and executes all of it.
#[test]
fn a_node_that_lost_its_disk_executes_the_chain_from_the_beginning() {
    let scenario = cluster(4, Options::all(4))
        .during(secs(6)..secs(8), Fault::Wipe { node: 3 })
        .lasting(secs(20));
    let scenario = paying(scenario, 3, 100, secs(12));
    for run in watch(&scenario, 0..3) {
        let again = run.heights(3);
        let first = again.iter().position(|it| it.0 > secs(8));
        let first = first.expect("it executes again");
        assert_eq!(again[first].1, 1, "from the first block on");
        let there = run.height(0, secs(18));
        assert!(run.height(3, secs(20)) >= there, "it has caught up");
    }
}
