//! Passing, failing, repeating.

use super::{
    four,
    toy::{Add, Bug, Options, Role, Seen, Toy},
};
use crate::{
    Capsule, FailureKind, Fault, Heal, Outcome, Plan, Recording, Scenario, Stamped,
    capsule::Broken,
    property::{NO_PANIC, STEP_BUDGET, reaches},
    time::{millis, mins, secs},
};
use std::panic::{self, AssertUnwindSafe};

fn failure(outcome: &Outcome) -> (FailureKind, &str, Option<usize>) {
    let failure = outcome.failure.as_ref().expect("the run fails");
    (failure.kind, &failure.property, failure.node)
}

fn stored(count: u64) -> impl FnMut(&Stamped<Seen>) -> bool + Clone + Send + Sync {
    move |seen| matches!(seen.what, Seen::Stored { count: stored } if stored == count)
}

#[test]
fn a_cluster_without_faults_converges_at_once() {
    let outcome = four(None)
        .quiet()
        .act(millis(10), Add { node: 1 })
        .lasting(secs(1))
        .run(7);
    assert_eq!(outcome.failure, None);
    assert_eq!(
        (outcome.observed("stored"), outcome.observed("recovered")),
        (1, 4)
    );
    assert!(outcome.simulated_us < secs(2), "{outcome:?}");
    assert_eq!(outcome.properties["all hear all"].checked, 1);
    assert_eq!(outcome.properties["never forgets"].checked, 4);
    assert_eq!(outcome.observed("unreachable"), 0);
}

#[test]
fn a_swarm_of_the_correct_system_passes_every_seed() {
    let outcomes = Scenario::<Toy>::swarm("swarm").run_seeds(0..60);
    let observed = |kind| {
        outcomes
            .iter()
            .map(|outcome: &Outcome| outcome.observed(kind))
            .sum::<u64>()
    };
    // The doubles' clock ran, and nodes came back: otherwise this would pass by doing nothing.
    assert!(observed("tenth") > 10);
    assert!(observed("recovered") > 60 * 7);
    assert!(outcomes.iter().any(|outcome| outcome.drops > 0));
}

#[test]
fn five_seeds_run_the_same_twice_and_differ_from_one_another() {
    let scenario = Scenario::<Toy>::swarm("swarm");
    let hashes: Vec<_> = (0..5).map(|seed| scenario.run(seed).trace_hash).collect();
    assert_eq!(
        hashes,
        (0..5)
            .map(|seed| scenario.run(seed).trace_hash)
            .collect::<Vec<_>>()
    );
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), 5);
}

#[test]
fn recording_the_story_does_not_change_the_run() {
    let scenario = Scenario::<Toy>::swarm("swarm");
    let plan = scenario.plan(3);
    let told = scenario.replay(&plan, Recording::all());
    assert_eq!(told.trace_hash, scenario.run(3).trace_hash);
    assert_eq!(scenario.run(3).story, Vec::<String>::new());
    let one = scenario.replay(
        &plan,
        Recording {
            node: Some(1),
            until_us: Some(secs(1)),
            ..Recording::all()
        },
    );
    assert!(!one.story.is_empty() && one.story.len() < told.story.len());
    assert!(
        one.story
            .iter()
            .all(|line| line.contains("node 1") && line.trim_start().starts_with("0."))
    );
}

#[test]
fn a_plan_read_back_from_json_replays_to_the_same_hash_whatever_its_seed_says() {
    let scenario = Scenario::<Toy>::swarm("swarm");
    let plan = scenario.plan(11);
    let json = serde_json::to_string(&plan).expect("a plan serializes");
    let mut read: Plan<Toy> = serde_json::from_str(&json).expect("a plan reads back");
    assert_eq!(read, plan);
    read.seed = 99;
    let outcome = scenario.replay(&read, Recording::off());
    assert_eq!(outcome.trace_hash, scenario.run(11).trace_hash);
}

#[test]
fn what_is_reported_before_it_is_durable_is_a_safety_failure() {
    let scenario = four(Some(Bug::ReportsBeforeSync))
        .quiet()
        .act(secs(1), Add { node: 2 });
    let scenario = scenario.during(secs(1) + millis(2)..secs(2), crash(2));
    // A sync in flight has happened or not, as drawn: some crashes do no harm.
    let plans = (0..8).map(|seed| {
        let mut plan = scenario.plan(seed);
        plan.nodes[2].disk = super::SLOW;
        plan
    });
    let mut harmed = 0;
    for mut plan in plans {
        let outcome = scenario.replay(&plan, Recording::off());
        if outcome.failure.is_some() {
            assert_eq!(
                failure(&outcome),
                (FailureKind::Safety, "never forgets", Some(2))
            );
            assert_eq!(outcome.properties["never forgets"].violated, 1);
            harmed += 1;
        }
        // The same plan without the bug: the crash alone is no failure.
        plan.options.bug = None;
        assert_eq!(scenario.replay(&plan, Recording::off()).failure, None);
    }
    assert!(harmed > 0);
}

fn crash(node: usize) -> Fault {
    Fault::Crash {
        nodes: [node].into(),
        unsynced: crate::plan::Unsynced::Lost,
    }
}

/// What is said while node 3 is cut off is never said again.
fn nobody_repeats_to_node_3() -> Scenario<Toy> {
    let isolated = Fault::Partition {
        isolate: [3].into(),
    };
    four(Some(Bug::NeverRepeats))
        .quiet()
        .act(secs(2), Add { node: 0 })
        .at(secs(1), isolated)
        .at(secs(4), Heal)
}

#[test]
fn who_never_repeats_itself_misses_the_goal() {
    let scenario = nobody_repeats_to_node_3();
    let outcome = scenario.run(0);
    assert_eq!(
        failure(&outcome),
        (FailureKind::Liveness, "all hear all", None)
    );
    assert_eq!(outcome.simulated_us, secs(14));
    let cured = scenario.options(Options {
        repeat_us: millis(100),
        bug: None,
    });
    assert_eq!(cured.run(0).failure, None);
}

#[test]
fn a_panic_in_any_task_is_caught_with_its_node_its_time_and_its_place() {
    let mut scenario = four(Some(Bug::PanicsAtThree)).quiet().lasting(secs(5));
    for second in 1..=3 {
        scenario = scenario.act(secs(second), Add { node: 1 });
    }
    let outcome = scenario.run(0);
    assert_eq!(failure(&outcome), (FailureKind::Panic, NO_PANIC, Some(1)));
    let failure = outcome.failure.expect("the run fails");
    assert!(
        failure
            .message
            .starts_with("three is too many, simulator/src/world/tests/toy.rs:"),
        "{failure}"
    );
    assert!(
        (secs(3)..secs(3) + millis(1)).contains(&failure.at_us),
        "{failure}"
    );
    assert_eq!(outcome.properties[NO_PANIC].violated, 1);
}

#[test]
fn a_node_that_stops_without_reason_is_a_safety_failure() {
    let mut scenario = four(Some(Bug::StopsAtThree)).quiet().lasting(secs(5));
    for second in 1..=3 {
        scenario = scenario.act(secs(second), Add { node: 1 });
    }
    let outcome = scenario.run(0);
    assert_eq!(
        failure(&outcome),
        (FailureKind::Safety, "stops only on disk errors", Some(1))
    );
}

#[test]
fn a_flood_passes_the_step_budget() {
    let scenario = four(Some(Bug::Floods))
        .quiet()
        .lasting(secs(60))
        .steps_max(100_000);
    let outcome = scenario.run(0);
    assert_eq!(
        failure(&outcome),
        (FailureKind::Liveness, STEP_BUDGET, None)
    );
}

#[test]
fn a_scenario_may_have_a_goal_of_its_own() {
    let scenario = four(None)
        .quiet()
        .act(secs(1), Add { node: 0 })
        .act(secs(2), Add { node: 0 });
    let reached = scenario
        .clone()
        .until(reaches("a second count", stored(2)), secs(5))
        .run(0);
    assert_eq!(reached.failure, None);
    assert!((secs(2)..secs(2) + millis(1)).contains(&reached.simulated_us));
    let missed = scenario
        .until(reaches("a third count", stored(3)), secs(5))
        .run(0);
    assert_eq!(
        failure(&missed),
        (FailureKind::Liveness, "a third count", None)
    );
}

#[test]
fn a_failing_test_prints_the_plan_and_the_command_that_replays_it() {
    let scenario = nobody_repeats_to_node_3();
    let caught = panic::catch_unwind(AssertUnwindSafe(|| scenario.run_seeds([5])))
        .expect_err("the scenario fails");
    let message = caught.downcast_ref::<String>().expect("a formatted panic");
    assert!(
        message.contains("fault     1.000000s until 4.000000s isolate: node 3 cut off"),
        "{message}"
    );
    assert!(
        message.contains("liveness failure of \"all hear all\""),
        "{message}"
    );
    let last = message.lines().last().expect("a message has lines");
    assert!(
        last.starts_with("replay: DRYSTONE_SEED=5 cargo test --release -p "),
        "{last}"
    );
}

#[test]
fn a_capsule_replays_its_failure() {
    let scenario = nobody_repeats_to_node_3();
    let plan = scenario.plan(0);
    let outcome = scenario.replay(&plan, Recording::ends(10, 0));
    let capsule = Capsule::of(&plan, &outcome, "replay it").expect("the run failed");
    let read = Capsule::<Toy>::from_json(&capsule.to_json()).expect("a capsule reads back");
    assert_eq!(read.to_json(), capsule.to_json());
    let again = scenario.replay(&read.plan, Recording::off());
    assert_eq!(
        (again.trace_hash, again.failure),
        (read.trace_hash, Some(read.failure))
    );
    assert_eq!(read.story.len(), 11);
    assert!(
        read.story[10].ends_with("lines left out ..."),
        "{:?}",
        read.story[10]
    );
    assert!(Capsule::of(&plan, &four(None).quiet().run(0), "").is_none());
}

#[test]
fn a_broken_or_foreign_capsule_says_what_is_wrong() {
    let scenario = four(Some(Bug::NeverRepeats)).quiet().steps_max(1);
    let plan = scenario.plan(0);
    let outcome = scenario.replay(&plan, Recording::off());
    let text = Capsule::of(&plan, &outcome, "")
        .expect("the run failed")
        .to_json();
    let read = |text: &str| {
        Capsule::<Toy>::from_json(text)
            .expect_err("the capsule is bad")
            .to_string()
    };
    assert!(read("{").starts_with("not a capsule"));
    assert!(read("{}").contains("missing field"));
    assert_eq!(
        read(&text.replace("\"toy\"", "\"lanes\"")),
        "the capsule is of system \"lanes\", not of \"toy\""
    );
    let newer = text.replacen("\"version\": 1", "\"version\": 2", 1);
    assert_eq!(
        read(&newer),
        "the capsule has version 2, this program reads version 1"
    );
    let liars = text.replace("\"Honest\"", "\"Liar\"");
    assert_eq!(
        read(&liars),
        "the plan is unsound: nodes {0, 1, 2, 3} are faulty, 4 nodes bear 1"
    );
    let gone = Capsule::<Toy>::read("/nonexistent/capsule.json".as_ref());
    assert!(matches!(gone, Err(Broken::Unreadable { .. })));
}

#[test]
fn a_liar_is_kept_within_the_budget_by_the_plan() {
    let one = four(None).role(0, Role::Liar).plan(0);
    assert_eq!((one.spent(), one.healthy()), ([0].into(), [1, 2, 3].into()));
    let two = four(None).role(0, Role::Liar).role(1, Role::Liar);
    let refused = panic::catch_unwind(AssertUnwindSafe(|| two.plan(0)))
        .expect_err("two of four are too many");
    let message = refused.downcast_ref::<String>().expect("a formatted panic");
    assert!(
        message.contains("nodes {0, 1} are faulty, 4 nodes bear 1"),
        "{message}"
    );
}

#[test]
fn an_idle_hour_takes_no_more_steps_than_an_idle_second() {
    let idle = |lasting_us| {
        four(None)
            .options(Options {
                repeat_us: 0,
                bug: None,
            })
            .quiet()
            .lasting(lasting_us)
            .until(reaches("never", |_: &Stamped<Seen>| false), 0)
            .run(0)
    };
    let (second, hour) = (idle(secs(1)), idle(mins(60)));
    assert_eq!(hour.simulated_us, mins(60));
    // What nodes say when they boot, and nothing after that.
    assert_eq!(second.observed("recovered"), 4);
    assert_eq!(hour.steps, second.steps);
}
