//! The plan: the full, explicit outcome of drawing a scenario with a seed.
//!
//! A plan alone replays a run: it is JSON, it prints, and nothing in a run is decided by anything else. Times are
//! virtual microseconds, rates are parts per million, and there are no floats.

mod fault;
mod show;

pub use crate::network::Link;
use crate::{System, draw::derive, host::ClockConfig};
pub use fault::{Fault, Links, Operation, Unsynced, Window};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, fmt};

/// The version of the plan's JSON. A plan of another version is refused, not guessed at.
pub const VERSION: u32 = 1;

/// Everything that decides a run of the system `S`.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Plan<S: System> {
    /// [`VERSION`] of the program that drew it.
    pub version: u32,
    /// The scenario it was drawn from: names the goal and the properties.
    pub scenario: String,
    /// The seed it was drawn with; a run does not read it.
    pub seed: u64,
    /// The sub-seeds a run draws from.
    pub streams: Streams,
    /// The system's own settings.
    pub options: S::Options,
    /// One entry per node.
    pub nodes: Vec<Node<S::Role>>,
    /// Every link, when no fault touches it.
    pub link: Link,
    /// What goes wrong, ordered by the time it begins.
    pub faults: Vec<Window>,
    /// What is done to the system, ordered by time.
    pub actions: Vec<Timed<S::Action>>,
    /// How long the safety phase lasts: faults happen, nothing wrong may be observed.
    pub safety_us: u64,
    /// How long the system may take to converge after that.
    pub liveness_us: u64,
    /// The most deliveries and observations a run may take.
    pub steps_max: u64,
}

/// One sub-seed per stream, so that a draw in one moves nothing in another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Streams {
    /// The runtime's: the order in which ready tasks are polled.
    pub schedule: u64,
    /// The links'.
    pub network: u64,
    /// The disks'.
    pub disks: u64,
    /// The nodes' own randomness; a node's host derives one for each of its lives.
    pub nodes: u64,
}

impl Streams {
    /// The streams of a seed.
    pub const fn of(seed: u64) -> Self {
        Self {
            schedule: derive(seed, 1),
            network: derive(seed, 2),
            disks: derive(seed, 3),
            nodes: derive(seed, 4),
        }
    }
}

/// One node's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Node<R> {
    /// What it does; the system says which roles are Byzantine.
    pub role: R,
    /// How its clock reads against virtual time when no fault touches it: within what the system tolerates.
    pub clock: ClockConfig,
    /// How long its disk takes.
    pub disk: Latencies,
}

/// How long the operations of a disk take, in microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Latencies {
    /// A read.
    pub read_us: u64,
    /// A write or a resize, until it is accepted.
    pub write_us: u64,
    /// A sync.
    pub sync_us: u64,
}

/// Something and the virtual time at which it happens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Timed<A> {
    /// When, in virtual microseconds.
    pub at_us: u64,
    /// What.
    pub action: A,
}

impl<S: System> Plan<S> {
    /// The nodes that need not behave, or need not come back: Byzantine, wiped and killed ones. What is promised of
    /// honest nodes is promised of the others only.
    pub fn spent(&self) -> BTreeSet<usize> {
        let byzantine = self
            .nodes
            .iter()
            .enumerate()
            .filter(|(_, node)| S::is_byzantine(&node.role))
            .map(|(index, _)| index);
        byzantine
            .chain(
                self.faults
                    .iter()
                    .filter_map(|window| window.fault.spends()),
            )
            .collect()
    }

    /// The nodes that are not [`Plan::spent`]: honest, with the disk they started with, and up at the end.
    pub fn healthy(&self) -> BTreeSet<usize> {
        let spent = self.spent();
        (0..self.nodes.len())
            .filter(|node| !spent.contains(node))
            .collect()
    }

    /// What is wrong with the plan, if it is not one that could have been drawn or written.
    pub fn check(&self) -> Result<(), Unsound> {
        let count = self.nodes.len();
        let unsound = |what: String| Err(Unsound(what));
        if self.version != VERSION {
            return unsound(format!(
                "it has version {}, this program reads version {VERSION}",
                self.version
            ));
        }
        if count == 0 {
            return unsound("it has no nodes".into());
        }
        for window in &self.faults {
            if window.until_us < window.at_us {
                return unsound(format!("{window} ends before it begins"));
            }
            if let Some(node) = window.fault.nodes().into_iter().find(|node| *node >= count) {
                return unsound(format!("{window} names node {node}, there are {count}"));
            }
            if let Fault::CrashRestarting {
                restart_at_us,
                crash_at_us,
                ..
            } = window.fault
                && !(window.at_us <= restart_at_us
                    && restart_at_us <= crash_at_us
                    && crash_at_us <= window.until_us)
            {
                return unsound(format!("{window} has its steps out of order"));
            }
        }
        let (spent, budget) = (self.spent(), S::faulty_max(&self.options, count));
        if spent.len() > budget {
            return unsound(format!(
                "nodes {spent:?} are faulty, {count} nodes bear {budget}"
            ));
        }
        Ok(())
    }
}

/// A plan that cannot be run.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the plan is unsound: {0}")]
pub struct Unsound(String);

// Derives would ask `S` itself to be cloned and shown, where only its associated types are held.
impl<S: System> Clone for Plan<S> {
    fn clone(&self) -> Self {
        Self {
            version: self.version,
            scenario: self.scenario.clone(),
            seed: self.seed,
            streams: self.streams,
            options: self.options.clone(),
            nodes: self.nodes.clone(),
            link: self.link,
            faults: self.faults.clone(),
            actions: self.actions.clone(),
            safety_us: self.safety_us,
            liveness_us: self.liveness_us,
            steps_max: self.steps_max,
        }
    }
}

impl<S: System> PartialEq for Plan<S> {
    fn eq(&self, other: &Self) -> bool {
        self.version == other.version
            && self.scenario == other.scenario
            && self.seed == other.seed
            && self.streams == other.streams
            && self.options == other.options
            && self.nodes == other.nodes
            && self.link == other.link
            && self.faults == other.faults
            && self.actions == other.actions
            && (self.safety_us, self.liveness_us, self.steps_max)
                == (other.safety_us, other.liveness_us, other.steps_max)
    }
}

impl<S: System> fmt::Debug for Plan<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
