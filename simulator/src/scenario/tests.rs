//! What is drawn, shown with the toy system of the world's tests.

use super::*;
use crate::world::tests::toy::Toy;

const SEEDS: std::ops::Range<u64> = 0..2000;

fn drawn() -> impl Iterator<Item = Plan<Toy>> {
    let swarm = Scenario::<Toy>::swarm("swarm");
    SEEDS.map(move |seed| swarm.plan(seed))
}

#[test]
fn no_seed_draws_more_faulty_nodes_than_the_system_bears() {
    let mut spent = [0; 3];
    for plan in drawn() {
        // Counted here anew, and not by asking the plan.
        let liars = plan.nodes.iter().map(|node| Toy::is_byzantine(&node.role));
        let lost = |node| {
            plan.faults.iter().any(|window| match window.fault {
                Fault::Kill { node: lost } | Fault::Wipe { node: lost } => lost == node,
                _ => false,
            })
        };
        let faulty = liars
            .enumerate()
            .filter(|(node, liar)| *liar || lost(*node))
            .count();
        assert!(faulty <= (plan.nodes.len() - 1) / 3, "{plan}");
        spent[faulty] += 1;
    }
    // The budget is used in part and in full, and left alone.
    assert!(spent.iter().all(|plans| *plans > 50), "{spent:?}");
}

#[test]
fn every_kind_of_fault_is_drawn_and_each_is_left_out_of_half_of_the_plans() {
    let mut plans_with: BTreeMap<&str, usize> = BTreeMap::new();
    for plan in drawn() {
        let kinds: std::collections::BTreeSet<_> = plan
            .faults
            .iter()
            .map(|window| window.fault.kind())
            .collect();
        kinds
            .into_iter()
            .for_each(|kind| *plans_with.entry(kind).or_default() += 1);
    }
    let seeds = usize::try_from(SEEDS.end).expect("few seeds");
    for kind in Fault::KINDS {
        let with = plans_with[kind];
        // Kill and wipe need a node to spare, which many plans do not have.
        assert!(
            (seeds / 20..seeds * 6 / 10).contains(&with),
            "{kind} is in {with} plans of {seeds}"
        );
    }
}

#[test]
fn what_is_drawn_lies_in_the_safety_phase_and_within_the_bounds() {
    for plan in drawn() {
        assert_eq!(plan.check(), Ok(()));
        assert!(Toy::NODES.contains(&plan.nodes.len()));
        let mut last = 0;
        for window in &plan.faults {
            assert!(
                last <= window.at_us && window.until_us <= plan.safety_us,
                "{window}"
            );
            last = window.at_us;
            if let Fault::Clock { offset_us, .. } = window.fault {
                assert!(offset_us.unsigned_abs() <= plan.liveness_us / 4, "{window}");
            }
        }
        let run_us = plan.safety_us + plan.liveness_us;
        let tolerance_us = Toy::skew_us_max(&plan.options);
        for node in &plan.nodes {
            let drift_us = node.clock.drift_ppm.unsigned_abs() * run_us / 1_000_000;
            assert!(
                2 * (node.clock.offset_us.unsigned_abs() + drift_us) <= tolerance_us,
                "{plan}"
            );
        }
    }
}

#[test]
fn leaving_a_kind_out_moves_nothing_else() {
    let all = Scenario::<Toy>::swarm("swarm");
    let some = all.clone().without(&["crash", "split"]);
    for seed in 0..200 {
        let (mut all, some) = (all.plan(seed), some.plan(seed));
        all.faults
            .retain(|window| !["crash", "split"].contains(&window.fault.kind()));
        assert_eq!(all, some);
    }
}

#[test]
fn what_a_scenario_fixes_is_not_drawn() {
    let options = crate::world::tests::toy::Options {
        repeat_us: 5,
        bug: None,
    };
    let link = Link::new(7, 3);
    let swarm = Scenario::<Toy>::swarm("swarm")
        .nodes(5..=5)
        .options(options.clone())
        .link(link)
        .lasting(secs(3))
        .quiet();
    for seed in 0..50 {
        let plan = swarm.plan(seed);
        assert_eq!(
            (plan.nodes.len(), &plan.options, plan.link, plan.safety_us),
            (5, &options, link, secs(3))
        );
        assert_eq!(plan.actions, Vec::new());
    }
}

#[test]
fn heal_ends_what_is_open_and_was_written_before_it() {
    let isolate = |node: usize| Fault::Partition {
        isolate: [node].into(),
    };
    let scenario = Scenario::<Toy>::cluster(4)
        .quiet()
        .at(secs(1), isolate(0))
        .during(secs(2)..secs(8), isolate(1))
        .at(secs(4), Heal)
        .at(secs(5), isolate(2))
        .at(secs(6), Heal);
    let plan = scenario.plan(0);
    let windows: Vec<_> = plan
        .faults
        .iter()
        .map(|window| (window.at_us, window.until_us))
        .collect();
    assert_eq!(
        windows,
        [(secs(1), secs(4)), (secs(2), secs(8)), (secs(5), secs(6))]
    );
    assert_eq!(plan.safety_us, secs(8));
}

#[test]
#[should_panic(expected = "\"crsh\" is not a kind of fault")]
fn a_misspelled_kind_is_refused() {
    let _ = Scenario::<Toy>::swarm("swarm").without(&["crsh"]);
}

#[test]
fn a_plan_prints_every_setting_and_every_event() {
    let plan = drawn()
        .find(|plan| plan.faults.len() > 10 && !plan.actions.is_empty())
        .expect("some plan is rich");
    let shown = plan.to_string();
    assert_eq!(
        shown.lines().count(),
        5 + plan.nodes.len() + plan.faults.len() + plan.actions.len()
    );
    assert!(shown.starts_with(&format!(
        "seed {} of scenario \"swarm\" (system toy, plan version 1)",
        plan.seed
    )));
    assert!(shown.contains(&format!("{:?}", plan.options)));
    assert!(shown.contains(&format!("{:#018x}", plan.streams.schedule)));
}

#[test]
fn a_plan_of_another_version_or_with_a_stranger_is_unsound() {
    let plan = Scenario::<Toy>::cluster(4)
        .at(secs(1), Fault::Pause { node: 3 })
        .lasting(secs(2))
        .plan(0);
    let unsound = |change: fn(&mut Plan<Toy>)| {
        let mut plan = plan.clone();
        change(&mut plan);
        plan.check().expect_err("the plan is unsound").to_string()
    };
    assert!(unsound(|plan| plan.version = 9).contains("it has version 9"));
    assert!(unsound(|plan| plan.nodes.truncate(3)).contains("names node 3, there are 3"));
    assert!(unsound(|plan| plan.faults[0].until_us = 0).contains("ends before it begins"));
}
