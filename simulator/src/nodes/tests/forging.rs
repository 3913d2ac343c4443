//! Leaders that lie.

use super::kit::{cluster, paying};
use crate::{
    Scenario,
    nodes::{Forgery, Nodes, Options, Role, Seen},
    testing::watch,
    time::secs,
};
use std::collections::BTreeSet;

/// What voters say of forged blocks. They say nothing of one that consensus sees through before it asks, nor of one that may
/// still become valid.
const REASONS: [&str; 12] = [
    "it must be above its parent's",
    "as executed, below its parent's",
    "it must be below its own",
    "it names root",
    "too far below",
    "its certificate is of epoch",
    "an ancestor includes the lane",
    "is ahead of the block's time",
    "expired before the block's time",
    "does not descend",
    "its certificate is invalid",
    "headers: too many",
];

/// Node 3 forges; clients go to the others. A block that does not name the newest state it could has no tips.
fn forging() -> Scenario<Nodes> {
    let options = Options {
        execution_lag_max: 2,
        ..Options::all(4)
    };
    let scenario = cluster(4, options).role(3, Role::Forges).lasting(secs(30));
    paying(scenario, 3, 50, secs(25))
}

// D-29, D-31, K-20: that none of it becomes final is a property of every run.
#[test]
fn whatever_a_leader_forges_is_refused_and_the_chain_goes_on() {
    let (mut forged, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for run in watch(&forging(), 0..16) {
        assert!(run.granted(0) > 300, "{}", run.granted(0));
        let mut lies = BTreeSet::new();
        for seen in run.seen() {
            match &seen.what {
                Seen::Forged { digest, forgery } => {
                    lies.insert(*digest);
                    forged.insert(*forgery);
                }
                Seen::Refused { reason } => {
                    refused.extend(REASONS.iter().filter(|it| reason.contains(**it)));
                }
                Seen::Finalized { digest, .. } => assert!(!lies.contains(digest)),
                _ => {}
            }
        }
        assert!(lies.len() > 10, "{}", lies.len());
    }
    assert_eq!(forged, BTreeSet::from(Forgery::ALL));
    assert_eq!(refused, BTreeSet::from(REASONS.each_ref()));
}
