use super::{Place, sim, text};
use crate::{
    Capsule, FailureKind, Fault,
    campaign::{
        Exit,
        toy::{Action, Toy},
    },
    plan::Unsynced,
};
use std::fs;

#[test]
fn a_planted_bug_shrinks_to_the_one_crash_and_the_one_poke() {
    let place = Place::new();
    let said = place.sim(&["shrink", text(&place.forgetful())]);
    assert_eq!(said.exit, Exit::Safety);
    let capsule = Capsule::<Toy>::read(&place.path("capsules/forgetful-shrunk.json"))
        .expect("the shrunk capsule");
    let plan = &capsule.plan;
    assert_eq!(plan.nodes.len(), 1);
    let faults: Vec<_> = plan.faults.iter().map(|window| &window.fault).collect();
    assert_eq!(
        faults,
        [&Fault::Crash {
            nodes: [0].into(),
            unsynced: Unsynced::Lost
        }]
    );
    let actions: Vec<_> = plan.actions.iter().map(|timed| timed.action).collect();
    assert_eq!(actions, [Action::Poke(0)]);
    let crash = &plan.faults[0];
    assert_eq!(
        crash.until_us - crash.at_us,
        1_000,
        "a restart after a millisecond shows it too"
    );
    assert_eq!(
        plan.safety_us,
        plan.actions[0]
            .at_us
            .max(plan.faults[0].until_us)
            .div_ceil(1000)
            * 1000
    );
    let signature = capsule.signature;
    assert_eq!(
        (signature.kind, &*signature.property, signature.node),
        (FailureKind::Safety, "remembers", Some(0))
    );
    assert!(
        said.out.contains("nothing more can be left out"),
        "{}",
        said.out
    );
    assert!(
        said.out.contains("5 nodes, 4 faults, 15 actions"),
        "{}",
        said.out
    );
}

#[test]
fn the_shrunk_capsule_replays_by_the_last_line() {
    let place = Place::new();
    let said = place.sim(&["shrink", text(&place.forgetful())]);
    let command: Vec<&str> = said.last_line().split(' ').collect();
    let replayed = sim(&command[1..]);
    assert_eq!(replayed.exit, Exit::Safety);
    assert!(!replayed.out.contains("NOT the run"), "{}", replayed.out);
    assert_eq!(replayed.last_line(), said.last_line());
}

#[test]
fn every_kind_of_failure_of_a_swarm_shrinks_to_its_cause() {
    let place = Place::new();
    for (scenario, cause) in [("stall", Action::Stall), ("trip", Action::Trip)] {
        let found = place.sim(&["run", "--scenario", scenario, "--seeds", "0..40"]);
        let seed = found
            .last_line()
            .rsplit(' ')
            .next()
            .expect("the command ends with the seed");
        let said = place.sim(&["shrink", "--scenario", scenario, "--seed", seed]);
        assert_eq!(said.exit, found.exit);
        let path = place.path(&format!("capsules/toy-{scenario}-{seed}-shrunk.json"));
        let plan = Capsule::<Toy>::read(&path)
            .expect("the shrunk capsule")
            .plan;
        assert_eq!(
            plan.actions
                .iter()
                .map(|timed| timed.action)
                .collect::<Vec<_>>(),
            [cause],
            "{scenario}"
        );
        assert_eq!((plan.faults.len(), plan.nodes.len()), (0, 1), "{scenario}");
    }
}

#[test]
fn shrinking_is_deterministic() {
    let place = Place::new();
    let path = place.path("capsules/forgetful-shrunk.json");
    let shrunk = || {
        let out = place.sim(&["shrink", text(&place.forgetful())]).out;
        (out, fs::read_to_string(&path).expect("the shrunk capsule"))
    };
    assert_eq!(shrunk(), shrunk());
}

#[test]
fn a_spent_budget_leaves_a_capsule_that_still_fails() {
    let place = Place::new();
    for limit in [["--tries", "6"], ["--time-limit", "0"]] {
        let said = place.sim(&[&["shrink", text(&place.forgetful())], &limit[..]].concat());
        assert_eq!(said.exit, Exit::Safety);
        assert!(
            said.out.contains("the budget ended the search"),
            "{}",
            said.out
        );
        let command: Vec<&str> = said.last_line().split(' ').collect();
        assert_eq!(sim(&command[1..]).exit, Exit::Safety);
    }
}

#[test]
fn a_world_that_holds_has_nothing_to_shrink() {
    let place = Place::new();
    let said = place.sim(&["shrink", "--scenario", "sound", "--seed", "1"]);
    assert_eq!(
        (said.exit, &*said.out),
        (
            Exit::Held,
            "everything held: there is no failure to shrink\n"
        )
    );
    assert!(!place.path("capsules").exists());
}
