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
use std::collections::{BTreeMap, BTreeSet};

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
fn whatever_is_certified_and_lives_is_had_from_the_honest_nodes() {
    // The chain stands still, so nobody gets anything from it. Node 0 shows its bodies to nodes 1 and 2, and node 3 hears nothing at
    // all until the faults stop: then every honest node is asked for everything that is certified.
    let (healed_us, resumed_us) = (secs(5), secs(9));
    let asked_us = healed_us + millis(20);
    let scenario = cluster(Options::all(4))
        .role(0, Role::Withholds)
        .at(
            millis(1_200),
            Fault::Partition {
                isolate: [3].into(),
            },
        )
        .act(millis(1_200), Action::Lane(lanes::Action::StallChain))
        .act(asked_us, Action::SeekAll)
        .act(resumed_us, Action::Lane(lanes::Action::ResumeChain))
        .lasting(healed_us);
    let scenario = paying(scenario, millis(1_300), 0, 0..100);
    let scenario = paying(scenario, millis(1_300), 1, 100..200);
    for run in watch(&scenario, 0..3) {
        for lane in 0..2 {
            let certified = run.certified(1, lane);
            let before = certified.iter().rfind(|it| it.0 < healed_us);
            let highest = before.expect("it was certified").1;
            assert!(highest > 20, "{highest} chunks");
            let arrived = run.arrived(3, lane);
            assert!(
                arrived.values().all(|at_us| *at_us > healed_us),
                "it had none"
            );
            for node in 1..4 {
                let sought = run.by(node).filter_map(|it| match it.what {
                    Seen::Sought {
                        lane: of, height, ..
                    } if of == lane => Some((it.at_us, height)),
                    _ => None,
                });
                let sought = sought.filter(|it| it.0 >= asked_us);
                let sought: BTreeSet<_> = sought.map(|it| it.1).collect();
                assert!(
                    (1..=highest).all(|it| sought.contains(&it)),
                    "all are asked for"
                );
                let found = run.by(node).filter_map(|it| match it.what {
                    Seen::Fetched {
                        lane: of,
                        height,
                        genuine,
                    } if of == lane => genuine.then_some((it.at_us, height)),
                    _ => None,
                });
                let found = found.filter(|it| (asked_us..resumed_us).contains(&it.0));
                let found: BTreeSet<_> = found.map(|it| it.1).collect();
                assert!(
                    (1..=highest).all(|it| found.contains(&it)),
                    "{found:?} at node {node}"
                );
            }
        }
    }
}

#[test]
fn where_certificates_do_not_tell_who_signed_all_validators_are_asked() {
    // D-43. What the withholder shows node 3 nothing of is asked of a pair of validators, of whom one has it, and not first of the
    // withholder, whose answer would be waited for in vain.
    let options = Options {
        unattributed: true,
        ..Options::all(4)
    };
    let soon_us = (options.patience_ms + options.timeout_ms) * 1_000;
    let scenario = cluster(options).role(0, Role::Withholds);
    let scenario = paying(scenario, BEGIN_US, 0, 0..30).lasting(secs(4));
    for run in watch(&scenario, 0..5) {
        let locked = run.by(3).filter_map(|it| match it.what {
            Seen::Lane(lanes::Seen::Locked {
                lane: 0, height, ..
            }) => Some((height, it.at_us)),
            _ => None,
        });
        let locked: BTreeMap<_, _> = locked.collect();
        let arrived = run.arrived(3, 0);
        assert!(locked.len() > 5, "{locked:?}");
        for (height, locked_us) in &locked {
            let took_us = arrived[height] - locked_us;
            assert!(took_us < soon_us, "{height}: {took_us} us");
        }
        for node in 1..4 {
            let executed = run.executed(node);
            assert!(run.promised(0).iter().all(|id| executed.contains_key(id)));
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
