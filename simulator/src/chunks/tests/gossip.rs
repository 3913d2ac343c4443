//! Payments on their way from mempool to mempool.

use super::kit::{BEGIN_US, cluster, paying};
use crate::{
    Fault,
    chunks::{Options, observation::Seen},
    lanes::{self, Short},
    plan::Links,
    testing::watch,
    time::secs,
};
use std::collections::{BTreeMap, BTreeSet};

/// How long the links of these scenarios are bad.
const SAFETY_US: u64 = secs(60);

#[test]
fn gossip_over_lossy_links_brings_every_payment_to_every_validator() {
    // K-02, K-28, K-29, K-30. Nobody packs, so nothing but gossip brings a payment anywhere. One message in five is
    // lost: what is announced is announced again, and what is not served is asked of another.
    let mut scenario = cluster(Options {
        packs: false,
        ..Options::all(7)
    })
    .at(
        0,
        Fault::Loss {
            links: Links::All,
            ppm: 200_000,
        },
    )
    .lasting(SAFETY_US);
    for node in 0..7 {
        scenario = paying(
            scenario,
            BEGIN_US,
            node as usize,
            node * 100..node * 100 + 30,
        );
    }
    for run in watch(&scenario, 0..3) {
        let mut held: BTreeMap<usize, BTreeSet<Short>> = BTreeMap::new();
        for it in run.seen().filter(|it| it.at_us < SAFETY_US) {
            if let (Seen::Accepted { id, .. }, Some(node)) = (&it.what, it.node) {
                let fresh = held.entry(node).or_default().insert(*id);
                assert!(fresh, "node {node} checked {id:?} twice");
            }
        }
        // While messages were lost still, and not by what was announced once they arrived again.
        assert_eq!(held.len(), 7);
        assert!(held.values().all(|it| it.len() == 210), "{held:?}");
        assert_eq!(run.outcome.observed("packed"), 0);
    }
}

#[test]
fn a_payment_given_to_a_node_without_a_lane_is_packed_by_another_after_the_takeover_delay() {
    // The node is a validator and no sequencer: the first of those that are waits for nobody, as nobody's rank is before
    // its own, but as long as it would for a node that may yet pack it.
    let mut options = Options::all(4);
    options.lanes.sequencers = vec![0, 1, 2];
    let (takeover_us, stagger_us) = (options.takeover_ms * 1_000, options.stagger_ms * 1_000);
    let seal_us = options.seal_ms * 1_000;
    let scenario = paying(cluster(options), BEGIN_US, 3, 0..10);
    for run in watch(&scenario, 0..3) {
        let promised = run.promised(3);
        assert_eq!(promised.len(), 10);
        let packed = run.packed();
        for id in &promised {
            let taken = run.by(3).find_map(|it| match it.what {
                Seen::Accepted { id: of, .. } if of == *id => Some(it.at_us),
                _ => None,
            });
            let holding: Vec<_> = packed.iter().filter(|it| it.ids.contains(id)).collect();
            assert_eq!(holding.len(), 1, "{id:?} is in one chunk");
            let waited_us = holding[0].at_us - taken.expect("it was accepted");
            // The time to hear of it and to seal comes on top.
            let latest_us = takeover_us + 3 * stagger_us + seal_us + secs(1) / 10;
            assert!(holding[0].node < 3 && waited_us >= takeover_us && waited_us <= latest_us);
        }
        for node in 0..4 {
            assert!(
                promised
                    .iter()
                    .all(|id| run.executed(node).contains_key(id))
            );
        }
        let sealed = run
            .by(3)
            .any(|it| matches!(it.what, Seen::Lane(lanes::Seen::Proposed { .. })));
        assert!(!sealed, "it has no lane");
    }
}
