//! The world as a function of the faults in force.

use super::{four, toy::Toy};
use crate::{
    Fault, Plan,
    host::{ClockConfig, Rate},
    plan::{Links, Operation, Window},
    time::{millis, secs},
    world::wanted::{Active, Wanted},
};

fn plan(faults: Vec<Fault>) -> Plan<Toy> {
    let mut plan = four(None).quiet().lasting(secs(10)).plan(0);
    plan.faults = faults
        .into_iter()
        .map(|fault| Window {
            at_us: 0,
            until_us: secs(1),
            fault,
        })
        .collect();
    plan
}

fn wanted(plan: &Plan<Toy>, active: impl IntoIterator<Item = usize>) -> Wanted {
    Wanted::of(
        plan,
        &Active {
            faults: active.into_iter().collect(),
            ..Active::default()
        },
        false,
    )
}

#[test]
fn each_link_fault_changes_the_links_it_names_and_no_other() {
    let one = Links::One { from: 0, to: 1 };
    let plan = plan(vec![
        Fault::Latency {
            links: one,
            latency_us: 5_000,
            jitter_us: 7,
        },
        Fault::Loss {
            links: Links::From(0),
            ppm: 10,
        },
        Fault::Loss {
            links: one,
            ppm: 20,
        },
        Fault::Duplicate {
            links: Links::To(1),
            ppm: 30,
        },
        Fault::Reorder {
            links: Links::All,
            ppm: 40,
            by_us: 50,
        },
        Fault::Clog { links: one },
    ]);
    let calm = wanted(&plan, []);
    let all = wanted(&plan, 0..6);
    let hit = all.links[0][1];
    assert_eq!((hit.link.latency_us, hit.link.jitter_us), (5_000, 7));
    // Where two faults meet, the worse holds.
    assert_eq!(
        (
            hit.link.loss_ppm,
            all.links[0][2].link.loss_ppm,
            all.links[2][0].link.loss_ppm
        ),
        (20, 10, 0)
    );
    assert_eq!(
        (
            hit.link.duplicate_ppm,
            all.links[3][1].link.duplicate_ppm,
            all.links[1][3].link.duplicate_ppm
        ),
        (30, 30, 0)
    );
    assert_eq!(
        (
            all.links[2][3].link.reorder_ppm,
            all.links[2][3].link.reorder_us
        ),
        (40, 50)
    );
    assert!(hit.clogged && !all.links[1][0].clogged);
    assert_eq!(
        all.links[2][3].link.latency_us,
        calm.links[2][3].link.latency_us
    );
    assert_eq!(all.nodes, calm.nodes);
}

#[test]
fn each_node_fault_changes_its_node_and_no_other() {
    let plan = plan(vec![
        Fault::Clock {
            node: 1,
            offset_us: -5,
            drift_ppm: 9,
        },
        Fault::Disk {
            node: 2,
            operation: Operation::Read,
            ppm: 10,
        },
        Fault::Disk {
            node: 2,
            operation: Operation::Sync,
            ppm: 20,
        },
        Fault::Disk {
            node: 2,
            operation: Operation::Sync,
            ppm: 15,
        },
        Fault::Pause { node: 3 },
    ]);
    let calm = wanted(&plan, []);
    let all = wanted(&plan, 0..5);
    assert_eq!(all.nodes[0], calm.nodes[0]);
    assert_eq!(
        all.nodes[1].clock,
        ClockConfig {
            offset_us: -5,
            drift_ppm: 9
        }
    );
    let disk = all.nodes[2].disk;
    assert_eq!(
        (disk.read, disk.open, disk.sync),
        (Rate::always(10), Rate::always(10), Rate::always(20))
    );
    assert_eq!(disk.write, Rate::default());
    assert!(all.nodes[3].paused && !all.nodes[2].paused);
    assert_eq!(all.links, calm.links);
}

#[test]
fn faults_that_overlap_end_in_any_order_without_a_trace() {
    let partition = |node: usize| Fault::Partition {
        isolate: [node].into(),
    };
    let plan = plan(vec![
        partition(0),
        partition(1),
        Fault::Latency {
            links: Links::All,
            latency_us: 1,
            jitter_us: 0,
        },
    ]);
    assert_eq!(
        wanted(&plan, [0]),
        wanted(&plan, [0, 2]),
        "a shorter latency than the link's own is none"
    );
    let both = wanted(&plan, [0, 1]);
    assert!(
        both.links[0][1].cut
            && both.links[0][2].cut
            && both.links[3][1].cut
            && !both.links[2][3].cut
    );
    assert!(!wanted(&plan, [1]).links[0][2].cut);
    assert_eq!(wanted(&plan, []), wanted(&plan, [2]));
}

#[test]
fn a_healed_world_keeps_only_the_time_that_links_take() {
    let mut plan = plan(vec![]);
    plan.link.loss_ppm = 100;
    plan.link.jitter_us = 9;
    let healed = Wanted::of(&plan, &Active::default(), true);
    assert_eq!(
        (
            healed.links[0][1].link.loss_ppm,
            healed.links[0][1].link.jitter_us
        ),
        (0, 9)
    );
    assert_eq!(u64::from(healed.links[0][1].link.latency_us), millis(1));
}
