//! Payments whose chunk came to nothing.

use super::kit::{BEGIN_US, cluster, paying};
use crate::{
    Fault, Heal,
    chunks::{Action, Options, observation::Seen},
    lanes::{self, Short},
    testing::{Run, watch},
    time::{millis, secs},
};
use std::collections::BTreeSet;

/// Chunks that live two seconds.
fn short_lived() -> Options {
    let mut options = Options::all(4);
    options.lanes.window_ms = 2_000;
    options.lanes.block_every_us = 250_000;
    options
}

/// Asserts that each of these payments was packed anew after the chunk it was in had expired, and then executed everywhere.
fn come_back(run: &Run<Seen>, payments: &BTreeSet<Short>, node: usize, by_us: u64) {
    for id in payments {
        let packed = run.packed();
        let holding: Vec<_> = packed.iter().filter(|it| it.ids.contains(id)).collect();
        let first = holding.first().expect("it was packed");
        assert!(first.node == node && first.at_us < by_us, "{}", first.at_us);
        let again = holding.iter().find(|it| it.payload != first.payload);
        let again = again.expect("it was packed anew");
        assert!(again.at_us >= first.at_us + secs(2), "the first was alive");
        for executor in 0..4 {
            let executed = run.executed(executor).get(id).copied();
            assert!(executed > Some(first.at_us + secs(2)), "{executed:?}");
        }
    }
}

#[test]
fn payments_of_a_chunk_that_expires_uncertified_are_executed_in_another() {
    // D-02, K-34. Node 0 seals while nobody hears it; from the chain it learns that its chunks have expired.
    let isolated = Fault::Partition {
        isolate: [0].into(),
    };
    let scenario = paying(
        cluster(short_lived())
            .at(millis(900), isolated)
            .at(secs(5), Heal),
        BEGIN_US,
        0,
        0..10,
    );
    for run in watch(&scenario, 0..3) {
        let payments = run.promised(0);
        assert_eq!(payments.len(), 10);
        come_back(&run, &payments, 0, millis(1_500));
    }
}

#[test]
fn payments_of_a_chunk_that_expires_unincluded_are_executed_in_another() {
    // D-02. The chunks are certified, but the chain makes no block while they live.
    let scenario = paying(
        cluster(short_lived())
            .act(millis(900), Action::Lane(lanes::Action::StallChain))
            .act(secs(5), Action::Lane(lanes::Action::ResumeChain))
            .lasting(secs(6)),
        BEGIN_US,
        0,
        0..10,
    );
    for run in watch(&scenario, 0..3) {
        let payments = run.promised(0);
        assert_eq!(payments.len(), 10);
        let early = run.certified(1, 0).into_iter().filter(|it| it.0 < secs(2));
        assert!(early.count() > 0, "they were certified");
        come_back(&run, &payments, 0, millis(1_500));
    }
}

#[test]
fn what_a_certified_chunk_of_another_node_holds_is_not_packed_again_however_long_it_waits_for_a_block()
 {
    // K-34. Gossip brings most payments to everybody, and the chunk of node 0 that holds them is certified, but no block comes. Each
    // of the others would pack them after its delay if nobody had certified that chunk.
    let (stalled_us, resumed_us) = (millis(1_200), secs(9));
    let scenario = cluster(Options::all(4))
        .act(stalled_us, Action::Lane(lanes::Action::StallChain))
        .act(resumed_us, Action::Lane(lanes::Action::ResumeChain))
        .lasting(secs(10));
    let scenario = paying(scenario, millis(1_300), 0, 0..10);
    for run in watch(&scenario, 0..3) {
        let payments = run.promised(0);
        assert_eq!(payments.len(), 10);
        assert!(run.certified(1, 0).iter().any(|it| it.0 < secs(2)));
        // What comes just before a chunk is sealed reaches them with the chunk alone.
        let others = run.seen().filter(|it| it.node != Some(0));
        let held = others.filter(|it| matches!(it.what, Seen::Accepted { .. }));
        assert!(held.count() > 0, "the others might pack them");
        for id in &payments {
            let packed = run.packed();
            let holding = packed.iter().filter(|it| it.ids.contains(id));
            assert_eq!(holding.map(|it| it.node).collect::<Vec<_>>(), [0]);
            for node in 0..4 {
                assert!(run.executed(node).get(id) > Some(&resumed_us));
            }
        }
    }
}
