//! Transfers of clients that know one node alone.

use super::kit::cluster;
use crate::{
    Fault, Heal, Scenario, lanes,
    nodes::{Action, Answer, Fate, Intent, Nodes, Options, Seen},
    testing::{Run, watch},
    time::{millis, secs},
};
use std::collections::BTreeMap;

/// A client of each account brings a transfer to a node, one every 200 ms from a time on.
fn paying(
    scenario: Scenario<Nodes>,
    from_us: u64,
    node: usize,
    count: u16,
    loyal: bool,
) -> Scenario<Nodes> {
    (0..count).fold(scenario, |scenario, from| {
        let intent = Intent {
            to: vec![node],
            from,
            payee: (from + 1) % 16,
            amount: 1,
            tip: 0,
            lifetime_ms: 60_000,
            unnumbered: false,
            loyal,
        };
        let at_us = from_us + u64::from(from) * millis(200);
        scenario.act(at_us, Action::Pay(intent))
    })
}

impl Run<Seen> {
    /// What each node told clients, and when.
    fn answers(&self) -> BTreeMap<usize, Vec<(u64, Answer)>> {
        let mut answers: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for it in self.seen() {
            if let (Seen::Answered { answer, .. }, Some(node)) = (&it.what, it.node) {
                answers.entry(node).or_default().push((it.at_us, *answer));
            }
        }
        answers
    }

    fn accepted(&self, node: usize) -> usize {
        let accepted = self.by(node);
        let accepted = accepted.filter(|it| matches!(it.what, Seen::Accepted { .. }));
        accepted.count()
    }
}

// K-33: it has heard of no block since it started, so it does not know how far the chain is.
#[test]
fn who_hears_of_no_block_takes_no_transfers_until_it_has_caught_up() {
    let healed_us = secs(8);
    let isolated = Fault::Partition {
        isolate: [3].into(),
    };
    let scenario = cluster(4, Options::all(4))
        .at(0, isolated)
        .at(healed_us, Heal)
        .lasting(secs(10));
    let scenario = paying(scenario, secs(3), 3, 10, true);
    for run in watch(&scenario, 0..3) {
        let answers = run.answers();
        assert_eq!(
            answers.keys().collect::<Vec<_>>(),
            [&3],
            "nobody else is asked"
        );
        let (before, after): (Vec<&(u64, Answer)>, Vec<_>) =
            answers[&3].iter().partition(|it| it.0 < healed_us);
        assert!(before.len() > 20 && before.iter().all(|it| it.1 == Answer::Busy));
        let accepted = after.iter().filter(|it| it.1 == Answer::Accepted);
        let accepted: Vec<_> = accepted.map(|it| it.0).collect();
        assert_eq!(accepted.len(), 10, "each of them comes back");
        // Whoever takes a transfer knows what it is worth.
        let height = run.height(3, accepted[0]);
        assert!(height + 16 >= run.height(0, accepted[0]) && height > 0);
        assert_eq!(run.granted(0), 10);
    }
}

// K-33
#[test]
fn who_follows_blocks_only_for_good_takes_no_transfers_and_executes_all_of_them() {
    let mut options = Options::all(4);
    options.archives = vec![3];
    let scenario = cluster(4, options).lasting(secs(8));
    let scenario = paying(scenario, secs(2), 3, 10, false);
    let scenario = paying(scenario, secs(4), 0, 10, false);
    for run in watch(&scenario, 0..3) {
        let answers = &run.answers()[&3];
        assert!(answers.len() >= 10, "it was asked");
        assert!(answers.iter().all(|it| it.1 == Answer::Closed));
        assert_eq!(run.accepted(3), 0, "nor from other nodes");
        assert_eq!((run.granted(3), run.granted(0)), (20, 20));
    }
}

// K-11: node 4 neither votes nor has a lane, and is all that its clients know.
#[test]
fn what_a_follower_alone_is_brought_becomes_final() {
    let mut options = Options::all(5);
    options.chunks.lanes.validators = vec![(0..4).collect()];
    options.chunks.lanes.sequencers = (0..4).collect();
    let (takeover_ms, stagger_ms) = (options.chunks.takeover_ms, options.chunks.stagger_ms);
    let scenario = paying(cluster(5, options).lasting(secs(12)), secs(2), 4, 16, true);
    for run in watch(&scenario, 0..3) {
        let answers = run.answers();
        assert_eq!(answers.keys().collect::<Vec<_>>(), [&4]);
        let accepted = answers[&4].iter().filter(|it| it.1 == Answer::Accepted);
        assert_eq!(accepted.count(), 16);
        for node in 0..5 {
            assert_eq!(run.granted(node), 16);
        }
        let lanes = run.by(4).any(|it| {
            use lanes::Seen::{Acked, Proposed};
            matches!(it.what, Seen::Lane(Acked { .. } | Proposed { .. }))
        });
        assert!(!lanes, "it takes no part in lanes");
        // Gossip, the delay before another node packs it, and a few blocks.
        let last_us = run.seen().filter_map(|it| match &it.what {
            Seen::Executed { results, .. } => {
                let executed = results.iter().any(|it| it.1 == Fate::Executed);
                executed.then_some(it.at_us)
            }
            _ => None,
        });
        let bound_us = secs(2) + 16 * millis(200) + millis(takeover_ms + 3 * stagger_ms) + secs(5);
        assert!(last_us.max().is_some_and(|it| it < bound_us));
    }
}
