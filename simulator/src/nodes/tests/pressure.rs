//! Executors that are slow.

use super::kit::{cluster, paying};
use crate::{
    Scenario, Stamped,
    nodes::{Nodes, Options, Seen},
    reaches,
    testing::watch,
    time::secs,
};

/// Seven nodes of which some take two seconds to execute a block.
fn slow(nodes: &[usize]) -> Scenario<Nodes> {
    let mut options = Options::all(7);
    // What they are behind by takes them eight seconds.
    options.execution_lag_max = 4;
    options.slow = nodes.iter().map(|node| (*node, 2_000)).collect();
    // The slow ones never catch up with the others: that is no goal.
    let passed = |seen: &Stamped<Seen>| seen.at_us > secs(31);
    let scenario = cluster(7, options).lasting(secs(30));
    paying(scenario, 7, 100, secs(25)).until(reaches("time passes", passed), secs(5))
}

// D-39: f slow executors slow nobody; with more the chain waits, and no block is further ahead of what f+1 have
// executed than the parameter says (which is a property of every run).
#[test]
fn the_chain_waits_for_executors_once_more_than_f_are_slow() {
    let heights = |slow_nodes: &[usize]| {
        let runs = watch(&slow(slow_nodes), 0..1);
        let run = &runs[0];
        let tips = run.by(6).filter_map(|it| match &it.what {
            Seen::Finalized { tips, .. } if it.at_us > secs(20) => Some(tips.len()),
            _ => None,
        });
        (run.height(6, secs(30)), tips.sum::<usize>())
    };
    let (none, _) = heights(&[]);
    let (few, _) = heights(&[0, 1]);
    let (many, tips) = heights(&[0, 1, 2, 3, 4]);
    assert!(few * 10 >= none * 9, "{few} blocks instead of {none}");
    assert!(
        many * 2 < none,
        "{many} blocks though five of seven are slow"
    );
    assert!(tips > 0, "it goes on including, at their pace");
}
