//! Byzantine nodes, one kind at a time.

use super::kit::{cluster, paying};
use crate::{
    lanes,
    nodes::{Options, Role, Seen},
    testing::watch,
    time::secs,
};

// What one key can sign twice is signed twice: headers, acks, votes.
#[test]
fn twins_split_nothing() {
    let mut evidence = 0;
    for nodes in [4, 7] {
        let scenario = cluster(nodes, Options::all(nodes))
            .role(1, Role::Twins)
            .lasting(secs(10));
        let scenario = paying(scenario, nodes, 50, secs(9));
        for run in watch(&scenario, 0..6) {
            assert!(run.granted(0) > 100);
            let proofs = run
                .seen()
                .filter(|it| matches!(it.what, Seen::Lane(lanes::Seen::Evidence { lane: 1, .. })));
            evidence += proofs.count();
        }
    }
    assert!(evidence > 0, "nobody noticed that there were two of them");
}

#[test]
fn a_node_that_garbles_withholds_or_abstains_stops_nobody() {
    for role in [Role::Garbles, Role::Withholds, Role::Abstains] {
        let scenario = cluster(4, Options::all(4)).role(2, role).lasting(secs(10));
        // Its clients go to others: who is told nothing waits for nothing.
        let scenario = paying(scenario, 2, 50, secs(9));
        for run in watch(&scenario, 0..3) {
            assert!(run.granted(0) > 100, "{role:?}");
        }
    }
}
