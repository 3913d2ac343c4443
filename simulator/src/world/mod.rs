//! Runs a plan: boots the nodes, makes the faults happen, drives the system's doubles, and watches.

mod ground;
mod runner;
#[cfg(test)]
pub(crate) mod tests;
mod timeline;
mod wanted;

use crate::{
    FailureKind, Goal, Outcome, Plan, Property, Recording, System, Tally,
    host::Crew,
    panics,
    property::NO_PANIC,
    time::micros,
    trace::{Recorder, Story, known},
};
use commonware_utils::sync::Mutex;
use runner::{Ended, Runner};
use std::{
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How much virtual time one turn of the scheduler takes. Deliveries within it share a wake-up.
const CYCLE: Duration = Duration::from_micros(micros(10));

/// Virtual time zero, in seconds since the epoch: a clock that is behind is still far after the epoch.
const START_S: u64 = 1_000_000_000;

pub(crate) fn start() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(START_S)
}

/// The present virtual time.
pub(crate) fn now_us(clock: &Crew) -> u64 {
    clock.now_us() - START_S * 1_000_000
}

/// Runs a plan.
pub(crate) fn run<S: System>(
    plan: &Plan<S>,
    properties: Vec<Box<dyn Property<S::Observation>>>,
    goal: Box<dyn Goal<S::Observation>>,
    recording: Recording,
) -> Outcome {
    if let Err(unsound) = plan.check() {
        panic!("{unsound}");
    }
    let story = Story::of(recording);
    let (of_system, of_goal) = (S::kinds(), goal.kinds());
    known::<S::Observation>("the system", of_system);
    known::<S::Observation>(goal.name(), of_goal);
    let recorder = Arc::new(Mutex::new(Recorder::new(
        plan.nodes.len(),
        properties,
        of_system
            .zip(of_goal)
            .map(|(system, goal)| [system, goal].concat()),
        plan.steps_max,
        story,
    )));
    let goal_name = goal.name();
    let ended = panics::catch(|| {
        Crew::run(plan.streams.schedule, start(), CYCLE, |crew| {
            Runner::new(&crew, plan, recorder.clone(), goal).run()
        })
    });

    let mut recorder = recorder.lock();
    let ended = ended.unwrap_or_else(|panic| {
        let at_us = recorder.at_us();
        recorder.fail(
            FailureKind::Panic,
            NO_PANIC,
            panic.node,
            at_us,
            panic.message,
        );
        Ended {
            simulated_us: at_us,
            ..Ended::default()
        }
    });
    let collected = recorder.collected();
    let mut properties = collected.properties;
    let panicked = collected
        .failure
        .as_ref()
        .is_some_and(|failure| failure.kind == FailureKind::Panic);
    properties.insert(
        NO_PANIC.into(),
        Tally {
            checked: 1,
            violated: u64::from(panicked),
        },
    );
    // A run that failed before its goal was due says nothing about the goal.
    let tally = ended.reached.map_or_else(Tally::default, |reached| Tally {
        checked: 1,
        violated: u64::from(!reached),
    });
    properties.insert(goal_name.into(), tally);
    Outcome {
        scenario: plan.scenario.clone(),
        seed: plan.seed,
        failure: collected.failure,
        trace_hash: collected.trace_hash,
        simulated_us: ended.simulated_us,
        deliveries: collected.deliveries,
        drops: collected.drops,
        steps: collected.steps,
        network: ended.network,
        disks: ended.disks,
        syncs: ended.syncs,
        properties,
        observations: collected.observations,
        story: collected.story,
    }
}
