//! A scenario: cluster shape, workload, properties, and where faults come from. Drawn with a seed it gives a plan.

mod build;
mod run;
mod swarm;
#[cfg(test)]
mod tests;

use crate::{
    Goal, Property, System,
    draw::Draw,
    host::ClockConfig,
    plan::{self, Fault, Latencies, Link, Node, Plan, Streams, Timed, Window},
    system::Span,
    time::secs,
};
use std::{collections::BTreeMap, ops::RangeInclusive, sync::Arc};
use swarm::Swarm;

/// How many deliveries and observations a run may take, unless the scenario says.
///
/// A run of ten virtual minutes at ten thousand messages a second stays below it; a loop that sends without end meets
/// it in seconds.
pub const STEPS_MAX: u64 = 10_000_000;

/// The link of a scenario that is written and does not say.
pub const LINK: Link = Link::new(1_000, 0);

type Adjust<S> = Arc<dyn Fn(&mut <S as System>::Options) + Send + Sync>;
type MakeGoal<S> = Arc<dyn Fn(&Plan<S>) -> Box<dyn Goal<<S as System>::Observation>> + Send + Sync>;
type MakeProperties<S> =
    Arc<dyn Fn(&Plan<S>) -> Vec<Box<dyn Property<<S as System>::Observation>>> + Send + Sync>;

/// Where plans come from. What it does not fix is drawn from the seed.
pub struct Scenario<S: System> {
    name: String,
    nodes: RangeInclusive<usize>,
    options: Option<S::Options>,
    roles: BTreeMap<usize, S::Role>,
    adjust: Option<Adjust<S>>,
    link: Option<Link>,
    disk: Option<Latencies>,
    faults: Faults,
    actions: Vec<Timed<S::Action>>,
    workload: bool,
    safety_us: Option<u64>,
    liveness_us: Option<u64>,
    steps_max: u64,
    goal: Option<MakeGoal<S>>,
    properties: Option<MakeProperties<S>>,
}

/// Where a scenario's faults come from.
#[derive(Clone)]
enum Faults {
    /// Drawn from the seed, all kinds but these.
    Swarm { without: Vec<&'static str> },
    /// Written down. Without an end, a fault lasts as long as the safety phase.
    Written(Vec<Written>),
}

/// A fault written down, perhaps without an end.
#[derive(Clone)]
struct Written {
    at_us: u64,
    until_us: Option<u64>,
    fault: Fault,
}

/// Ends every fault that was written before it and has no end of its own: `.at(secs(9), Heal)`.
#[derive(Clone, Copy, Debug)]
pub struct Heal;

/// What a written scenario does at a time: a [`Fault`], or [`Heal`].
pub enum Step {
    /// A fault begins.
    Fault(Fault),
    /// Those without an end of their own end.
    Heal,
}

impl From<Fault> for Step {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<Heal> for Step {
    fn from(_: Heal) -> Self {
        Self::Heal
    }
}

impl<S: System> Scenario<S> {
    /// The plan for a seed. The same scenario and seed give the same plan on any machine.
    ///
    /// Panics if what is written down makes a plan that is unsound: that is a mistake in the scenario.
    pub fn plan(&self, seed: u64) -> Plan<S> {
        let draw = Draw::new(seed).split(S::NAME);
        let count = draw
            .split("nodes")
            .within(*self.nodes.start() as u64..=*self.nodes.end() as u64);
        let count = usize::try_from(count).expect("a count of nodes is small");
        let mut options = match &self.options {
            Some(options) => options.clone(),
            None => S::draw_options(&mut draw.split("options"), count),
        };
        if let Some(adjust) = &self.adjust {
            adjust(&mut options);
        }
        let liveness_us = self.liveness_us.unwrap_or_else(|| S::liveness_us(&options));
        let safety_us = self.safety_us(&draw);
        let span = Span {
            safety_us,
            liveness_us,
        };

        let mut roles = self.roles(&draw, &options, count);
        let Surroundings {
            mut faults,
            link,
            clocks,
            mut disks,
        } = match &self.faults {
            Faults::Written(written) => Surroundings::calm(written, safety_us, count),
            Faults::Swarm { without } => {
                let mut swarm = Swarm::<S>::new(&draw, &options, span, without);
                swarm.draw_byzantine(&mut roles, &self.roles);
                swarm.draw(count)
            }
        };
        if let Some(disk) = self.disk {
            disks.fill(disk);
        }
        let mut actions = self.actions.clone();
        if self.workload {
            actions.extend(S::draw_actions(
                &mut draw.split("actions"),
                &options,
                count,
                span,
            ));
        }
        // Stable sorts: what is written or drawn first goes first within an instant.
        actions.sort_by_key(|timed| timed.at_us);
        faults.sort_by_key(|window| window.at_us);

        let nodes = roles.into_iter().zip(clocks).zip(disks);
        let nodes = nodes.map(|((role, clock), disk)| Node { role, clock, disk });
        let plan = Plan {
            version: plan::VERSION,
            scenario: self.name.clone(),
            seed,
            streams: Streams::of(seed),
            options,
            nodes: nodes.collect(),
            link: self.link.unwrap_or(link),
            faults,
            actions,
            safety_us,
            liveness_us,
            steps_max: self.steps_max,
        };
        if let Err(unsound) = plan.check() {
            panic!("scenario {:?}, seed {seed}: {unsound}", self.name);
        }
        plan
    }

    fn roles(&self, draw: &Draw, options: &S::Options, count: usize) -> Vec<S::Role> {
        let mut roles = S::draw_roles(&mut draw.split("roles"), options, count);
        assert_eq!(roles.len(), count, "draw_roles gives one role per node");
        for (node, role) in &self.roles {
            assert!(*node < count, "there are {count} nodes, none is {node}");
            roles[*node] = role.clone();
        }
        roles
    }

    fn safety_us(&self, draw: &Draw) -> u64 {
        if let Some(safety_us) = self.safety_us {
            return safety_us;
        }
        match &self.faults {
            Faults::Swarm { .. } => draw.split("safety").within(secs(5)..=secs(20)),
            Faults::Written(written) => {
                // As short as what is written allows: a run without faults is all liveness.
                let ends = written
                    .iter()
                    .map(|written| written.until_us.unwrap_or(written.at_us));
                ends.max().unwrap_or(0)
            }
        }
    }
}

/// What is around the nodes.
struct Surroundings {
    faults: Vec<Window>,
    link: Link,
    clocks: Vec<ClockConfig>,
    disks: Vec<Latencies>,
}

impl Surroundings {
    /// Nothing goes wrong but what is written down.
    fn calm(written: &[Written], safety_us: u64, nodes: usize) -> Self {
        let window = |written: &Written| Window {
            at_us: written.at_us,
            until_us: written.until_us.unwrap_or(safety_us).max(written.at_us),
            fault: written.fault.clone(),
        };
        Self {
            faults: written.iter().map(window).collect(),
            link: LINK,
            clocks: vec![ClockConfig::default(); nodes],
            disks: vec![Latencies::default(); nodes],
        }
    }
}

impl<S: System> Clone for Scenario<S> {
    fn clone(&self) -> Self {
        Self {
            name: self.name.clone(),
            nodes: self.nodes.clone(),
            options: self.options.clone(),
            roles: self.roles.clone(),
            adjust: self.adjust.clone(),
            link: self.link,
            disk: self.disk,
            faults: self.faults.clone(),
            actions: self.actions.clone(),
            workload: self.workload,
            safety_us: self.safety_us,
            liveness_us: self.liveness_us,
            steps_max: self.steps_max,
            goal: self.goal.clone(),
            properties: self.properties.clone(),
        }
    }
}
