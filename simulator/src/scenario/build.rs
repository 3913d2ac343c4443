//! How a scenario is put into words.

use super::{Faults, STEPS_MAX, Scenario, Step, Written};
use crate::{
    Fault, Goal, Property, System,
    plan::{Latencies, Link, Plan, Timed},
};
use std::{collections::BTreeMap, ops::Range, sync::Arc};

impl<S: System> Scenario<S> {
    /// Everything is drawn: shape, options, faults, workload.
    pub fn swarm(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            nodes: S::NODES,
            options: None,
            roles: BTreeMap::new(),
            adjust: None,
            link: None,
            disk: None,
            faults: Faults::Swarm {
                without: Vec::new(),
            },
            actions: Vec::new(),
            workload: true,
            safety_us: None,
            liveness_us: None,
            steps_max: STEPS_MAX,
            goal: None,
            properties: None,
        }
    }

    /// So many nodes, on perfect links, and no faults but those written down.
    pub fn cluster(nodes: usize) -> Self {
        Self {
            nodes: nodes..=nodes,
            faults: Faults::Written(Vec::new()),
            ..Self::swarm("test")
        }
    }

    /// Gives it a name, under which the command line finds it and capsules refer to it.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// So many nodes.
    #[must_use]
    pub fn nodes(mut self, nodes: std::ops::RangeInclusive<usize>) -> Self {
        self.nodes = nodes;
        self
    }

    /// These options, instead of drawn ones.
    #[must_use]
    pub fn options(mut self, options: S::Options) -> Self {
        self.options = Some(options);
        self
    }

    /// Changes a part of the options and leaves the rest as drawn or given: `.adjust(|it| it.slot_ms = 1)`.
    #[must_use]
    pub fn adjust(mut self, change: impl Fn(&mut S::Options) + Send + Sync + 'static) -> Self {
        self.adjust = Some(Arc::new(change));
        self
    }

    /// This node does this.
    #[must_use]
    pub fn role(mut self, node: usize, role: S::Role) -> Self {
        self.roles.insert(node, role);
        self
    }

    /// Links are like this when no fault touches them, in the safety phase; afterwards only their latency stays.
    #[must_use]
    pub const fn link(mut self, link: Link) -> Self {
        self.link = Some(link);
        self
    }

    /// Every disk takes so long. Without it those of a written scenario take no time, and a crash finds nothing unsynced.
    #[must_use]
    pub const fn disk(mut self, disk: Latencies) -> Self {
        self.disk = Some(disk);
        self
    }

    /// At a time a [`Fault`] begins, which lasts until the next [`Heal`](super::Heal) or until the safety phase ends; or [`Heal`](super::Heal).
    ///
    /// Panics in a swarm, which draws its faults.
    #[must_use]
    pub fn at(mut self, at_us: u64, step: impl Into<Step>) -> Self {
        let written = self.written();
        match step.into() {
            Step::Fault(fault) => written.push(Written {
                at_us,
                until_us: None,
                fault,
            }),
            Step::Heal => {
                for open in written
                    .iter_mut()
                    .filter(|open| open.until_us.is_none() && open.at_us <= at_us)
                {
                    open.until_us = Some(at_us);
                }
            }
        }
        self
    }

    /// A fault with a start and an end. Panics in a swarm, which draws its faults.
    #[must_use]
    pub fn during(mut self, span_us: Range<u64>, fault: Fault) -> Self {
        self.written().push(Written {
            at_us: span_us.start,
            until_us: Some(span_us.end),
            fault,
        });
        self
    }

    /// A swarm that draws every kind of fault but these, and no Byzantine roles if `"byzantine"` is among them.
    ///
    /// Panics if there is no such kind: a misspelled one would be drawn.
    #[must_use]
    pub fn without(mut self, kinds: &[&'static str]) -> Self {
        for kind in kinds {
            assert!(
                Fault::KINDS.contains(kind) || *kind == super::swarm::BYZANTINE,
                "{kind:?} is not a kind of fault"
            );
        }
        match &mut self.faults {
            Faults::Swarm { without } => without.extend(kinds),
            Faults::Written(_) => panic!("only a swarm draws its faults"),
        }
        self
    }

    /// At a time an action of the system is carried out, besides those drawn.
    #[must_use]
    pub fn act(mut self, at_us: u64, action: S::Action) -> Self {
        self.actions.push(Timed { at_us, action });
        self
    }

    /// No actions are drawn: only those written down happen.
    #[must_use]
    pub const fn quiet(mut self) -> Self {
        self.workload = false;
        self
    }

    /// The safety phase lasts so long, instead of until the last written fault ends.
    #[must_use]
    pub const fn lasting(mut self, safety_us: u64) -> Self {
        self.safety_us = Some(safety_us);
        self
    }

    /// What must come about, and within how much time after the safety phase; instead of the system's own goal.
    #[must_use]
    pub fn until<G>(mut self, goal: G, within_us: u64) -> Self
    where
        G: Goal<S::Observation> + Clone + Sync + 'static,
    {
        self.goal = Some(Arc::new(move |_| Box::new(goal.clone())));
        self.liveness_us = Some(within_us);
        self
    }

    /// These must always hold, instead of the system's own.
    #[must_use]
    pub fn holds<F>(mut self, properties: F) -> Self
    where
        F: Fn(&Plan<S>) -> Vec<Box<dyn Property<S::Observation>>> + Send + Sync + 'static,
    {
        self.properties = Some(Arc::new(properties));
        self
    }

    /// A run may take so many deliveries and observations.
    #[must_use]
    pub const fn steps_max(mut self, steps_max: u64) -> Self {
        self.steps_max = steps_max;
        self
    }

    fn written(&mut self) -> &mut Vec<Written> {
        match &mut self.faults {
            Faults::Written(written) => written,
            Faults::Swarm { .. } => {
                panic!("a swarm draws its faults: write them in a Scenario::cluster")
            }
        }
    }
}
