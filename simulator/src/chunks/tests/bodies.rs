//! Bodies of which there are few.

use super::kit::{BEGIN_US, cluster, paying, unheard};
use crate::{
    Fault, Heal,
    chunks::{Action, Options, Role, observation::Seen},
    lanes,
    plan::Unsynced,
    testing::watch,
    time::{millis, secs},
};

#[test]
fn what_a_withholder_has_certified_is_fetched_and_executed_everywhere() {
    // D-34, D-38, D-43. Node 0 shows its bodies to nodes 1 and 2, which with its own word are a quorum, and answers no
    // question of node 3. Clients bring it payments all the same.
    let scenario = cluster(Options::all(4)).role(0, Role::Withholds);
    let scenario = paying(scenario, BEGIN_US, 0, 0..30).lasting(secs(4));
    for run in watch(&scenario, 0..3) {
        let tips = run.included(0);
        let highest = tips.last().expect("its lane is included").1;
        let arrived = run.arrived(3, 0);
        assert!((1..=highest).all(|it| arrived.contains_key(&it)));
        let payments = run.promised(0);
        assert_eq!(payments.len(), 30);
        for node in 1..4 {
            let executed = run.executed(node);
            assert!(payments.iter().all(|id| executed.contains_key(id)));
        }
    }
}

#[test]
fn a_liar_in_fetch_wins_nobody_over_and_what_it_lies_about_is_executed() {
    // R-02, D-22. Node 3 does not hear nodes 1 and 2 while they push their bodies, and what it then asks for it asks the
    // liar for as well.
    let scenario = cluster(Options::all(4))
        .role(0, Role::Lies)
        .during(secs(1)..secs(4), unheard(1, 3))
        .during(secs(1)..secs(4), unheard(2, 3))
        .lasting(secs(8));
    let scenario = paying(scenario, BEGIN_US, 1, 0..100);
    let scenario = paying(scenario, BEGIN_US, 2, 100..200);
    for run in watch(&scenario, 0..5) {
        assert!(run.checked("genuine bodies") > 0, "node 3 fetched");
        for node in 1..3 {
            let payments = run.promised(node);
            assert_eq!(payments.len(), 100);
            for executor in 1..4 {
                let executed = run.executed(executor);
                assert!(payments.iter().all(|id| executed.contains_key(id)));
            }
        }
    }
}

#[test]
fn a_body_whose_signers_are_all_down_for_an_hour_is_fetched_when_they_return() {
    // D-38. Node 3 hears nothing while the others certify, and knows from the chain what it lacks. Then it is alone.
    let down = secs(5)..secs(3_605);
    let scenario = cluster(Options::all(4))
        .at(
            millis(900),
            Fault::Partition {
                isolate: [3].into(),
            },
        )
        .at(secs(5), Heal)
        .during(
            down.clone(),
            Fault::Crash {
                nodes: [0, 1, 2].into(),
                unsynced: Unsynced::Lost,
            },
        )
        .act(secs(5), Action::Lane(lanes::Action::StallChain))
        .act(down.end + secs(1), Action::Lane(lanes::Action::ResumeChain));
    let scenario = paying(scenario, BEGIN_US, 0, 0..10).lasting(down.end + secs(2));
    for run in watch(&scenario, 0..2) {
        let payments = run.promised(0);
        assert_eq!(payments.len(), 10);
        let tips = run.included(0);
        assert!(tips.iter().any(|it| it.0 < down.start), "included before");
        let fetched = run.by(3).filter_map(|it| match it.what {
            Seen::Fetched {
                lane: 0,
                genuine: true,
                ..
            } => Some(it.at_us),
            _ => None,
        });
        let fetched: Vec<_> = fetched.collect();
        // Not before there was anybody to ask, and soon after: an hour of silence has not worn the relay out.
        assert!(!fetched.is_empty());
        let soon = down.end..down.end + secs(10);
        assert!(fetched.iter().all(|it| soon.contains(it)), "{fetched:?}");
        let executed = run.executed(3);
        assert!(payments.iter().all(|id| executed.contains_key(id)));
        // It backed off: four fetches a second, of two peers each, would have been 28,800 messages that reach nobody, besides
        // the engine's.
        assert!(run.outcome.drops < 25_000, "{}", run.outcome.drops);
    }
}
