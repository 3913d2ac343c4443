//! A producer that wants everything.

use super::kit::{BEGIN_US, cluster, paying};
use crate::{
    Fault,
    chunks::{Options, Role, observation::Seen},
    plan::Unsynced,
    testing::watch,
    time::secs,
};
use std::collections::BTreeMap;

/// Chunks of one producer in a second, at most.
const RATE: u64 = 40;

#[test]
fn a_spammer_stays_within_its_quota_and_does_not_keep_the_others_from_settling() {
    // D-10, D-19, R-07. Node 0 makes chunks of the largest size as fast as they are certified and pushes bodies that no
    // header names; node 1 restarts in the middle and must count again what it holds.
    let mut options = Options {
        chunk_bytes_max: 2_048,
        chunk_items_max: 16,
        payment_bytes_max: 512,
        seal_items: 8,
        rate_period_ms: 1_000,
        rate_chunks_max: RATE,
        ..Options::all(4)
    };
    options.lanes.ahead_max = 64;
    let mut scenario = cluster(options)
        .role(0, Role::Spams)
        .during(
            secs(5)..secs(6),
            Fault::Crash {
                nodes: [1].into(),
                unsynced: Unsynced::Lost,
            },
        )
        .lasting(secs(8));
    for node in 1..4 {
        scenario = paying(
            scenario,
            BEGIN_US,
            node as usize,
            node * 100..node * 100 + 50,
        );
    }
    for run in watch(&scenario, 0..3) {
        // It reached its quota, and no further: that is a property's affair.
        let mut periods: BTreeMap<(usize, u64), u64> = BTreeMap::new();
        for it in run.seen() {
            if let (Seen::Kept { lane: 0, slot, .. }, Some(node)) = (&it.what, it.node)
                && node != 0
            {
                *periods.entry((node, slot / 1_000)).or_default() += 1;
            }
        }
        let fullest = periods.values().max().copied();
        assert_eq!(fullest, Some(RATE), "the quota of a period binds");
        assert!(run.checked("within quota") > 3 * RATE);
        // So did what of its bodies was in memory, at every honest node.
        for node in 1..4 {
            let most = run.by(node).filter_map(|it| match &it.what {
                Seen::Used { shares, .. } => shares.iter().find(|it| it.lane == 0).copied(),
                _ => None,
            });
            let most = most.map(|it| it.memory_most).max();
            let (bound, body) = (2 * 32 * 2_048, 2_048);
            assert!(
                most.is_some_and(|it| it <= bound && it + body > bound / 2),
                "{most:?}"
            );
        }
        assert!(run.checked("within memory") > 0);
        for node in 1..4 {
            let payments = run.promised(node);
            assert_eq!(payments.len(), 50);
            for executor in 1..4 {
                let executed = run.executed(executor);
                assert!(payments.iter().all(|id| executed.contains_key(id)));
            }
        }
    }
}
