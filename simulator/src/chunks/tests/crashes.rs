//! What is on the disk when everybody has died.

use super::kit::{cluster, paying};
use crate::{
    Fault,
    chunks::{Action, Options},
    lanes,
    plan::{Latencies, Unsynced},
    testing::watch,
    time::{millis, secs},
    trace::Event,
};

fn all_die(nodes: usize) -> Fault {
    Fault::Crash {
        nodes: (0..nodes).collect(),
        unsynced: Unsynced::Lost,
    }
}

#[test]
fn whatever_was_acked_is_on_the_disk_when_all_nodes_lose_their_unsynced_writes() {
    // D-12, D-16. Syncs take so long that every crash finds some on their way.
    let disk = Latencies {
        read_us: 100,
        write_us: 100,
        sync_us: 15_000,
    };
    let mut scenario = cluster(Options::all(4)).disk(disk);
    for crash in 1..=6_u32 {
        let at_us = secs(u64::from(crash)) + u64::from(crash) * 7_300;
        scenario = scenario.during(at_us..at_us + millis(200), all_die(4));
        for node in 0..4 {
            let number = crash * 1_000 + node * 100;
            scenario = paying(
                scenario,
                at_us - millis(400),
                node as usize,
                number..number + 20,
            );
        }
    }
    let mut checked = 0;
    for run in watch(&scenario, 0..10) {
        checked += run.checked("keeps bodies");
        assert!(run.outcome.observed("executed") > 0);
    }
    assert!(
        checked > 100,
        "{checked} bodies were looked for after a crash"
    );
}

#[test]
fn the_certificate_pool_refills_after_a_restart_of_all_nodes() {
    // D-14. What is certified while the chain stands still is nowhere but in the pools and journals when all nodes die;
    // mempools are gone too, so nothing else brings these payments into a block.
    let died = secs(3)..secs(4);
    let scenario = cluster(Options::all(4))
        .act(millis(1_200), Action::Lane(lanes::Action::StallChain))
        .during(died.clone(), all_die(4))
        .act(secs(6), Action::Lane(lanes::Action::ResumeChain))
        .lasting(secs(7));
    let scenario = paying(scenario, millis(1_300), 0, 0..20);
    let scenario = paying(scenario, millis(1_300), 1, 100..120);
    for run in watch(&scenario, 0..3) {
        for lane in 0..2 {
            let certified = run.certified(2, lane);
            let before = certified.iter().rfind(|it| it.0 < died.start);
            let (_, height) = before.expect("it was certified before");
            let included = run.included(lane);
            let (at_us, tip) = included.first().expect("it was included");
            let booted = run.times(2, &Event::Booted);
            assert!(booted.last().is_some_and(|it| at_us > it) && tip >= height);
            let payments = run.promised(lane);
            assert_eq!(payments.len(), 20);
            for node in 0..4 {
                let executed = run.executed(node);
                assert!(payments.iter().all(|id| executed.contains_key(id)));
            }
        }
        let late = run
            .packed()
            .iter()
            .filter(|it| it.at_us > died.start)
            .count();
        assert_eq!(late, 0, "nobody packed them again");
    }
}
