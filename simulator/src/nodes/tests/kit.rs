//! What these tests bring to a cluster, and ask of a run.

use crate::{
    Scenario,
    nodes::{Action, Fate, Intent, Nodes, Options, Seen},
    testing::Run,
    time::{millis, secs},
};
use std::collections::BTreeSet;

/// A cluster whose clients bring what the test says and nothing else.
pub fn cluster(nodes: usize, options: Options) -> Scenario<Nodes> {
    Scenario::<Nodes>::cluster(nodes).quiet().options(options)
}

/// Transfers of all accounts by turns, one every so often until a time, each account at one node.
pub fn paying(
    scenario: Scenario<Nodes>,
    nodes: usize,
    every_ms: u64,
    until_us: u64,
) -> Scenario<Nodes> {
    let count = (until_us - secs(1)) / millis(every_ms);
    (0..count).fold(scenario, |scenario, number| {
        let from = (number % 16) as u16;
        let intent = Intent {
            to: vec![usize::from(from) % nodes],
            from,
            payee: (from + 1) % 16,
            amount: 1 + number,
            tip: number % 3,
            lifetime_ms: 60_000,
            unnumbered: false,
            loyal: false,
        };
        scenario.act(secs(1) + number * millis(every_ms), Action::Pay(intent))
    })
}

impl Run<Seen> {
    /// The heights that a node told of, and when.
    pub fn heights(&self, node: usize) -> Vec<(u64, u64)> {
        let executed = self.by(node).filter_map(|it| match it.what {
            Seen::Executed { height, .. } => Some((it.at_us, height)),
            _ => None,
        });
        executed.collect()
    }

    /// How far a node had executed at a time.
    pub fn height(&self, node: usize, at_us: u64) -> u64 {
        let heights = self.heights(node);
        let before = heights.iter().rfind(|it| it.0 <= at_us);
        before.map_or(0, |it| it.1)
    }

    /// Transfers that a node executed.
    pub fn granted(&self, node: usize) -> usize {
        let results = self.by(node).filter_map(|it| match &it.what {
            Seen::Executed { results, .. } => Some(results),
            _ => None,
        });
        // The newest block is told of again after a restart.
        let executed = results.flatten().filter(|it| it.1 == Fate::Executed);
        executed.map(|it| it.0).collect::<BTreeSet<_>>().len()
    }
}
