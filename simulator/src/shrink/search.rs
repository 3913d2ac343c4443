//! The search for a smaller plan.

use super::{Verdict, lower, minimize, nodes};
use crate::{
    Capsule, Failure, FailureKind, Outcome, Plan, Recording, Scenario, Signature, System,
    TraceHash,
    capsule::STORY_LINES,
    draw::derive,
    host::ClockConfig,
    plan::{Latencies, Link},
    time::millis,
    trace::Hasher,
};
use std::collections::BTreeSet;

/// Schedule seeds a candidate is tried under. The cause of a failure rarely hangs on the order of polling, and where it
/// does by even odds, four orders lose it once in sixteen candidates.
const SCHEDULES: u64 = 4;

/// How much a search may do.
pub struct Budget<'a> {
    tries_left: u32,
    tries: u32,
    stop: &'a dyn Fn() -> bool,
}

impl<'a> Budget<'a> {
    /// So many worlds, and none once `stop` says so.
    pub fn new(tries: u32, stop: &'a dyn Fn() -> bool) -> Self {
        Self {
            tries_left: tries,
            tries: 0,
            stop,
        }
    }

    /// The worlds run so far.
    pub fn tries(&self) -> u32 {
        self.tries
    }

    /// Whether the next world must not be run.
    pub fn is_spent(&self) -> bool {
        self.tries_left == 0 || (self.stop)()
    }

    fn spend(&mut self) {
        self.tries_left -= 1;
        self.tries += 1;
    }
}

/// What makes a plan large.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Nodes.
    pub nodes: usize,
    /// Faults.
    pub faults: usize,
    /// Actions of the workload.
    pub actions: usize,
    /// The safety phase, in virtual microseconds.
    pub safety_us: u64,
}

impl Size {
    fn of<S: System>(plan: &Plan<S>) -> Self {
        let (nodes, faults, actions) = (plan.nodes.len(), plan.faults.len(), plan.actions.len());
        Self {
            nodes,
            faults,
            actions,
            safety_us: plan.safety_us,
        }
    }
}

/// What a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shrunk {
    /// The plan as lines.
    pub plan: String,
    /// Its failure, with the first lines of the story.
    pub outcome: Outcome,
    /// The capsule, as JSON.
    pub capsule: String,
    /// The size it had.
    pub before: Size,
    /// The size it has.
    pub after: Size,
    /// Whether the search ended because nothing smaller was left to try, and not because its budget was spent.
    pub minimal: bool,
}

/// Looks for the smallest plan with the same failure signature as `plan`; `None` if `plan` passes.
///
/// `replay` is the command that will show what is found; it goes into the capsule.
pub fn shrink<S: System>(
    scenario: &Scenario<S>,
    plan: &Plan<S>,
    replay: &str,
    budget: &mut Budget<'_>,
) -> Option<Shrunk> {
    let failure = scenario.replay(plan, Recording::off()).failure?;
    let wanted = Wanted::of(&failure);
    let before = Size::of(plan);
    let mut search = Search {
        scenario,
        wanted,
        best: plan.clone(),
        budget,
        refused: BTreeSet::new(),
    };
    let minimal = search.run(failure.at_us);
    let best = search.best;
    let outcome = scenario.replay(&best, Recording::ends(STORY_LINES, 0));
    let capsule = Capsule::of(&best, &outcome, replay)
        .expect("a plan is taken only after it failed, and runs do not change");
    Some(Shrunk {
        plan: best.to_string(),
        capsule: capsule.to_json(),
        before,
        after: Size::of(&best),
        minimal,
        outcome,
    })
}

/// The failure looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    signature: Signature,
    /// All panics have one property. A candidate that panics for another reason, such as an action that names a node
    /// left out, must not pass for the original: the words of the message, without its numbers, tell them apart.
    panic: Option<String>,
}

impl Wanted {
    fn of(failure: &Failure) -> Self {
        let words = || {
            failure
                .message
                .chars()
                .filter(|c| !c.is_ascii_digit())
                .collect()
        };
        Self {
            signature: failure.signature(),
            panic: (failure.kind == FailureKind::Panic).then(words),
        }
    }
}

struct Search<'a, 'b, S: System> {
    scenario: &'a Scenario<S>,
    wanted: Wanted,
    /// The smallest plan so far that was seen to fail as wanted.
    best: Plan<S>,
    budget: &'a mut Budget<'b>,
    /// Candidates that did not fail as wanted: a later round need not run them again.
    refused: BTreeSet<TraceHash>,
}

impl<S: System> Search<'_, '_, S> {
    /// Leaves things out until a whole round changes nothing; false if the budget ended it.
    fn run(&mut self, failed_at_us: u64) -> bool {
        self.end_after(failed_at_us);
        loop {
            let before = self.best.clone();
            // Short phases first: they make every later try cheaper.
            self.shorten_phases();
            self.drop_faults();
            self.drop_actions();
            self.drop_nodes();
            self.simplify_settings();
            self.shorten_faults();
            if self.budget.is_spent() {
                return false;
            }
            if self.best == before {
                return true;
            }
        }
    }

    /// What comes after a failure did not cause it. A goal is missed at the end of the run, so there it cuts nothing.
    fn end_after(&mut self, failed_at_us: u64) {
        let end_us = failed_at_us + millis(1);
        self.attempt(|plan| {
            plan.faults.retain(|window| window.at_us < end_us);
            plan.actions.retain(|timed| timed.at_us < end_us);
            for window in &mut plan.faults {
                window.until_us = window.until_us.min(end_us);
            }
            plan.safety_us = plan.safety_us.min(end_us);
        });
    }

    fn drop_faults(&mut self) {
        minimize(&self.best.faults.clone(), |kept| {
            self.attempt(|plan| plan.faults = kept.to_vec())
        });
    }

    fn drop_actions(&mut self) {
        minimize(&self.best.actions.clone(), |kept| {
            self.attempt(|plan| plan.actions = kept.to_vec())
        });
    }

    fn drop_nodes(&mut self) {
        for node in (0..self.best.nodes.len()).rev() {
            if let Some(signature) = nodes::signature_without(&self.wanted.signature, node) {
                let wanted = Wanted {
                    signature,
                    ..self.wanted.clone()
                };
                self.attempt_for(wanted, |plan| *plan = nodes::without(plan, node));
            }
        }
    }

    /// Nodes without a role of their own, clocks that are right, disks that take no time, links that only take time.
    fn simplify_settings(&mut self) {
        for node in 0..self.best.nodes.len() {
            self.attempt(|plan| plan.nodes[node].role = S::Role::default());
            self.attempt(|plan| plan.nodes[node].clock = ClockConfig::default());
            self.attempt(|plan| plan.nodes[node].disk = Latencies::default());
        }
        self.attempt(|plan| plan.link = Link::new(plan.link.latency_us, 0));
    }

    fn shorten_phases(&mut self) {
        let ends_us = self.best.faults.iter().map(|window| window.until_us);
        let acts_us = self.best.actions.iter().map(|timed| timed.at_us);
        let floor_us = ends_us.chain(acts_us).max().unwrap_or(0);
        self.shorten_to(self.best.safety_us, floor_us, |plan, us| {
            plan.safety_us = us
        });
        // With less time to converge every run would miss its goal: that is another failure under the same name.
        if self.wanted.signature.kind != FailureKind::Liveness {
            self.shorten_to(self.best.liveness_us, 0, |plan, us| plan.liveness_us = us);
        }
    }

    fn shorten_faults(&mut self) {
        for index in 0..self.best.faults.len() {
            let window = &self.best.faults[index];
            let (at_us, length_us) = (window.at_us, window.until_us - window.at_us);
            // A fault that ends as it begins would be none.
            self.shorten_to(length_us, millis(1), |plan, us| {
                plan.faults[index].until_us = at_us + us
            });
        }
    }

    /// Lowers a time, to the millisecond: finer times cost tries and explain nothing.
    fn shorten_to(&mut self, value_us: u64, floor_us: u64, set: impl Fn(&mut Plan<S>, u64)) {
        let (value, floor) = (value_us / millis(1), floor_us.div_ceil(millis(1)));
        lower(value, floor, |length| {
            self.attempt(|plan| set(plan, millis(length)))
        });
    }

    fn attempt(&mut self, change: impl FnOnce(&mut Plan<S>)) -> Verdict {
        self.attempt_for(self.wanted.clone(), change)
    }

    /// Runs the changed plan, and keeps it if it fails as wanted under any of the schedules.
    fn attempt_for(&mut self, wanted: Wanted, change: impl FnOnce(&mut Plan<S>)) -> Verdict {
        let mut candidate = self.best.clone();
        change(&mut candidate);
        let identity = identity(&candidate);
        if candidate == self.best || candidate.check().is_err() || self.refused.contains(&identity)
        {
            return Verdict::Different;
        }
        let schedule = candidate.streams.schedule;
        for number in 0..SCHEDULES {
            if self.budget.is_spent() {
                return Verdict::Unaffordable;
            }
            self.budget.spend();
            candidate.streams.schedule = if number == 0 {
                schedule
            } else {
                derive(schedule, number)
            };
            let failure = self.scenario.replay(&candidate, Recording::off()).failure;
            if failure.is_some_and(|failure| Wanted::of(&failure) == wanted) {
                self.best = candidate;
                self.wanted = wanted;
                return Verdict::Same;
            }
        }
        self.refused.insert(identity);
        Verdict::Different
    }
}

fn identity<S: System>(plan: &Plan<S>) -> TraceHash {
    let mut hasher = Hasher::default();
    hasher.bytes(&serde_json::to_vec(plan).expect("a plan serializes"));
    hasher.finish()
}
