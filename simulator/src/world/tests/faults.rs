//! What each fault does to a node or a link.

use super::{
    SLOW, four,
    toy::{Add, Bug, Toy},
};
use crate::{
    FailureKind, Fault, Heal, Outcome, Plan, Recording, Scenario,
    plan::{Links, Operation, Unsynced},
    property::NO_PANIC,
    time::{millis, secs},
};

fn pass(scenario: &Scenario<Toy>) -> Outcome {
    told(scenario, &scenario.plan(0))
}

fn told(scenario: &Scenario<Toy>, plan: &Plan<Toy>) -> Outcome {
    let outcome = scenario.replay(
        plan,
        Recording {
            deliveries: false,
            ..Recording::all()
        },
    );
    assert_eq!(outcome.failure, None);
    outcome
}

/// The lines of the story that contain a text, without their numbers.
fn lines<'a>(outcome: &'a Outcome, text: &str) -> Vec<&'a str> {
    outcome
        .story
        .iter()
        .map(|line| line.trim())
        .filter(|line| line.contains(text))
        .collect()
}

fn count(outcome: &Outcome, text: &str) -> usize {
    lines(outcome, text).len()
}

#[test]
fn a_crash_of_all_nodes_at_once_restarts_them_together() {
    let crash = Fault::Crash {
        nodes: [0, 1, 2, 3].into(),
        unsynced: Unsynced::Lost,
    };
    let outcome = pass(&four(None).quiet().during(secs(1)..secs(2), crash));
    let killed = lines(&outcome, ": killed");
    assert_eq!(killed.len(), 4);
    assert!(
        killed.iter().all(|line| line.starts_with("1.0000")),
        "{killed:?}"
    );
    assert_eq!(count(&outcome, "booted"), 8);
    assert_eq!(outcome.observed("recovered"), 8);
}

#[test]
fn a_torn_crash_keeps_what_was_synced_and_perhaps_some_of_the_rest() {
    let mut recovered = std::collections::BTreeSet::new();
    for unsynced in [Unsynced::Lost, Unsynced::Prefix, Unsynced::Subset] {
        let crash = Fault::Crash {
            nodes: [1].into(),
            unsynced,
        };
        let scenario = four(None)
            .quiet()
            .act(secs(1), Add { node: 1 })
            .act(secs(2), Add { node: 1 })
            .during(secs(2) + millis(2)..secs(3), crash);
        for seed in 0..8 {
            let mut plan = scenario.plan(seed);
            plan.nodes[1].disk = SLOW;
            let outcome = told(&scenario, &plan);
            let line = lines(&outcome, "node 1.1")
                .into_iter()
                .find(|line| line.contains("Recovered"));
            let line = line.expect("node 1 recovers in its second life");
            recovered.insert((format!("{unsynced:?}"), line.contains("count: 2")));
            // The first was synced a second before: no crash takes it away.
            assert!(
                line.contains("count: 1") || line.contains("count: 2"),
                "{line}"
            );
        }
    }
    let kept = |kind: &str| recovered.contains(&(kind.to_owned(), true));
    assert!(kept("Prefix") && kept("Subset"), "{recovered:?}");
}

#[test]
fn a_disk_error_stops_a_node_until_its_disk_works_again() {
    let broken = Fault::Disk {
        node: 2,
        operation: Operation::Sync,
        ppm: 1_000_000,
    };
    let scenario = four(None)
        .quiet()
        .act(secs(2), Add { node: 2 })
        .act(secs(4), Add { node: 2 });
    let outcome = pass(&scenario.lasting(secs(5)).during(secs(1)..secs(3), broken));
    let stopped = lines(&outcome, "stopped:");
    assert_eq!(stopped.len(), 1);
    assert!(stopped[0].starts_with("2.0000"), "{stopped:?}");
    let booted = lines(&outcome, "node 2.1");
    assert!(
        booted
            .iter()
            .any(|line| line.starts_with("3.0000") && line.contains("booted")),
        "{booted:?}"
    );
    assert_eq!(outcome.properties["stops only on disk errors"].checked, 1);
    assert_eq!(outcome.observed("stored"), 1);
}

// What the disk of an earlier life did explains nothing.
#[test]
fn a_stop_without_reason_after_a_life_with_a_disk_error_is_a_violation() {
    let broken = Fault::Disk {
        node: 2,
        operation: Operation::Sync,
        ppm: 1_000_000,
    };
    let mut scenario = four(Some(Bug::StopsAtThree)).quiet().lasting(secs(8));
    for second in 2..=7 {
        scenario = scenario.act(secs(second), Add { node: 2 });
    }
    let outcome = scenario.during(secs(1)..secs(3) - millis(1), broken).run(0);
    let failure = outcome.failure.expect("the run fails");
    assert_eq!(
        (failure.kind, failure.property.as_str(), failure.node),
        (FailureKind::Safety, "stops only on disk errors", Some(2))
    );
    // The stop of the first life was excused, that of the second was not.
    let stops = &outcome.properties["stops only on disk errors"];
    assert_eq!((stops.checked, stops.violated), (2, 1));
}

// Of a node's own panics none is excused by what its disk did, not even just before.
#[test]
fn an_unrelated_panic_after_a_disk_error_is_a_violation() {
    let broken = Fault::Disk {
        node: 2,
        operation: Operation::Sync,
        ppm: 1_000_000,
    };
    let outcome = four(Some(Bug::PanicsBesideAnError))
        .quiet()
        .act(secs(2), Add { node: 2 })
        .lasting(secs(5))
        .during(secs(1)..secs(3), broken)
        .run(0);
    let failure = outcome.failure.expect("the run fails");
    assert_eq!(
        (failure.kind, failure.property.as_str(), failure.node),
        (FailureKind::Panic, NO_PANIC, Some(2))
    );
    assert!(failure.message.starts_with("the count is off"), "{failure}");
}

#[test]
fn a_node_is_killed_again_while_it_restarts() {
    let fault = Fault::CrashRestarting {
        node: 0,
        unsynced: Unsynced::Subset,
        restart_at_us: secs(2),
        crash_at_us: secs(2) + 5,
    };
    let outcome = pass(&four(None).quiet().during(secs(1)..secs(3), fault));
    let lives: Vec<_> = lines(&outcome, "node 0")
        .into_iter()
        .filter(|line| line.contains("booted") || line.contains("killed"))
        .collect();
    assert_eq!(lives.len(), 5, "{lives:?}");
    assert!(lives[3].starts_with("2.0000"), "{lives:?}");
    assert!(
        lives[4].starts_with("3.0000") && lives[4].contains("node 0.2"),
        "{lives:?}"
    );
}

#[test]
fn overlapping_crashes_keep_a_node_down_until_the_last_has_ended() {
    let crash = || Fault::Crash {
        nodes: [1].into(),
        unsynced: Unsynced::Lost,
    };
    let outcome = pass(
        &four(None)
            .quiet()
            .during(secs(1)..secs(4), crash())
            .during(secs(2)..secs(3), crash()),
    );
    let booted = lines(&outcome, "node 1.1");
    assert!(
        booted[0].starts_with("4.0000") && booted[0].contains("booted"),
        "{booted:?}"
    );
    assert_eq!(count(&outcome, ": killed"), 1);
}

#[test]
fn a_wiped_node_has_forgotten_and_is_not_counted_on() {
    let scenario = four(None)
        .quiet()
        .act(secs(1), Add { node: 3 })
        .during(secs(2)..secs(3), Fault::Wipe { node: 3 });
    let outcome = pass(&scenario);
    assert_eq!(count(&outcome, "disk wiped"), 1);
    let recovered = lines(&outcome, "node 3.1")
        .into_iter()
        .find(|line| line.contains("Recovered"));
    assert!(recovered.is_some_and(|line| line.contains("count: 0")));
}

#[test]
fn a_node_killed_for_good_stays_down_while_the_others_converge() {
    let outcome = pass(
        &four(None)
            .quiet()
            .during(secs(1)..secs(2), Fault::Kill { node: 3 }),
    );
    assert_eq!(count(&outcome, "booted"), 4);
    assert!(
        lines(&outcome, "node 3")
            .iter()
            .all(|line| line.starts_with("0.") || line.starts_with("1.0000"))
    );
}

#[test]
fn a_paused_node_says_nothing_until_it_goes_on() {
    let outcome = pass(
        &four(None)
            .quiet()
            .during(secs(1)..secs(3), Fault::Pause { node: 2 }),
    );
    let said = |from, to| {
        let at_us = |line: &&str| {
            line.split('s')
                .next()
                .and_then(|at| at.replace('.', "").parse::<u64>().ok())
        };
        lines(&outcome, "node 2")
            .iter()
            .filter(|line| at_us(line).is_some_and(|at_us| from <= at_us && at_us < to))
            .count()
    };
    assert_eq!(said(secs(1) + millis(1), secs(3)), 0);
    assert!(said(0, secs(1)) > 20 && said(secs(3), secs(4)) > 3);
}

#[test]
fn a_partitioned_node_hears_nothing_until_the_world_heals() {
    let scenario = four(None)
        .quiet()
        .at(
            secs(2),
            Fault::Partition {
                isolate: [3].into(),
            },
        )
        .at(secs(9), Heal);
    let outcome = pass(&scenario);
    let heard: Vec<_> = lines(&outcome, "node 3")
        .into_iter()
        .filter(|line| line.contains("Heard"))
        .collect();
    let during = heard.iter().filter(|line| {
        ["3.", "4.", "5.", "6.", "7.", "8."]
            .iter()
            .any(|at| line.starts_with(at))
    });
    assert_eq!(during.count(), 0);
    assert!(heard.iter().any(|line| line.starts_with("9.")));
    assert!(outcome.drops > 0);
}

#[test]
fn one_way_and_ring_cuts_stop_exactly_the_links_they_name() {
    let heard = |fault: Fault| {
        let outcome = pass(&four(None).quiet().during(millis(1_500)..secs(4), fault));
        let mut heard = std::collections::BTreeSet::new();
        for line in lines(&outcome, "Heard")
            .into_iter()
            .filter(|line| line.starts_with("2.") || line.starts_with("3."))
        {
            let to = line
                .split("node ")
                .nth(1)
                .and_then(|rest| rest[..1].parse::<usize>().ok());
            let from = line
                .split("from: ")
                .nth(1)
                .and_then(|rest| rest[..1].parse::<usize>().ok());
            heard.insert(from.zip(to).expect("a line names both"));
        }
        heard
    };
    let one_way = heard(Fault::OneWay {
        from: [0].into(),
        to: [1, 2].into(),
    });
    assert_eq!(one_way.len(), 10);
    assert!(!one_way.contains(&(0, 1)) && !one_way.contains(&(0, 2)) && one_way.contains(&(1, 0)));
    let ring = heard(Fault::Ring {
        order: vec![2, 0, 3, 1],
    });
    // Each hears its two neighbours: with itself three of four.
    assert_eq!(
        ring,
        [
            (0, 2),
            (0, 3),
            (1, 2),
            (1, 3),
            (2, 0),
            (2, 1),
            (3, 0),
            (3, 1)
        ]
        .into()
    );
}

#[test]
fn what_a_clog_held_arrives_in_a_burst() {
    let outcome = pass(&four(None).quiet().during(
        secs(1)..secs(3),
        Fault::Clog {
            links: Links::To(0),
        },
    ));
    let heard = |prefix: &str| {
        lines(&outcome, "node 0")
            .into_iter()
            .filter(|line| line.starts_with(prefix) && line.contains("Heard"))
            .count()
    };
    assert_eq!(heard("2."), 0);
    // Three senders, ten times a second, for two seconds.
    assert!(heard("3.000") >= 57, "{}", heard("3.000"));
}

#[test]
fn removing_one_fault_leaves_what_other_links_lose_unchanged() {
    let scenario = four(None)
        .quiet()
        .lasting(secs(10))
        .during(
            secs(0)..secs(10),
            Fault::Loss {
                links: Links::One { from: 0, to: 1 },
                ppm: 300_000,
            },
        )
        .during(
            secs(2)..secs(5),
            Fault::Crash {
                nodes: [3].into(),
                unsynced: Unsynced::Lost,
            },
        )
        .during(
            secs(1)..secs(6),
            Fault::Loss {
                links: Links::One { from: 2, to: 3 },
                ppm: 500_000,
            },
        );
    let plan = scenario.plan(4);
    let lost = |plan: &Plan<Toy>| {
        let outcome = scenario.replay(
            plan,
            Recording {
                filter: Some("Lost".into()),
                ..Recording::all()
            },
        );
        assert_eq!(outcome.failure, None);
        let of_link = outcome
            .story
            .iter()
            .filter(|line| line.contains("0 -> 1"))
            .map(|line| {
                // The number of the message on its link: times may differ by a turn of the scheduler.
                line.split("message ").nth(1).map(str::to_owned)
            });
        of_link.collect::<Vec<_>>()
    };
    let before = lost(&plan);
    assert!(before.len() > 10, "{before:?}");
    for index in [1, 2] {
        let mut fewer = plan.clone();
        fewer.faults.remove(index);
        assert_eq!(lost(&fewer), before);
    }
}

#[test]
fn a_disk_error_met_as_the_faults_stop_costs_one_more_restart_and_no_failure() {
    let broken = Fault::Disk {
        node: 2,
        operation: Operation::Sync,
        ppm: 1_000_000,
    };
    // The sync begins while the disk is broken and fails after it was freed.
    let scenario = four(None)
        .quiet()
        .act(secs(2) - millis(1), Add { node: 2 })
        .during(secs(1)..secs(2), broken);
    let mut plan = scenario.plan(0);
    plan.nodes[2].disk = SLOW;
    plan.options.repeat_us = millis(200);
    let outcome = told(&scenario, &plan);
    let stopped = lines(&outcome, "stopped:");
    assert_eq!(stopped.len(), 1);
    assert!(stopped[0].starts_with("2.004"), "{stopped:?}");
    let booted = lines(&outcome, "booted");
    assert!(
        booted[4].starts_with("2.104") && booted[4].contains("node 2.1"),
        "{booted:?}"
    );
}

#[test]
fn drawn_faults_reach_the_network_and_the_machines() {
    // A fault that changed nothing would pass every other test of a swarm.
    let scenario = Scenario::<Toy>::swarm("swarm");
    let run = |plan: &Plan<Toy>| scenario.replay(plan, Recording::off());
    let (mut with, mut moved) = (0, 0);
    for seed in 0..40 {
        let plan = scenario.plan(seed);
        let mut calm = plan.clone();
        calm.faults.clear();
        with += u64::from(!plan.faults.is_empty());
        let (stormy, calm) = (run(&plan), run(&calm));
        moved += u64::from(stormy.deliveries != calm.deliveries);
        assert_eq!(calm.failure, None);
    }
    assert!(
        with >= 38 && moved >= with - 2,
        "{moved} of {with} runs with faults differ from those without"
    );
}
