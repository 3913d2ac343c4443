//! Once faults have stopped, lanes advance.

use crate::{
    Goal, Plan, Stamped,
    lanes::{
        observation::Seen,
        system::{Lanes, Named},
    },
    property::Kinds,
};
use std::collections::{BTreeMap, BTreeSet};

/// How many new headers each lane must get certified after the faults have stopped.
const NEW: u64 = 3;

/// Every honest node learns a certificate of every honest sequencer's lane above all that was signed before the faults
/// stopped, and then some; and every node is in the newest epoch.
pub struct LanesAdvance {
    lanes: Vec<usize>,
    /// Heights that each lane must pass, once that is known.
    target: Option<BTreeMap<usize, u64>>,
    healthy: BTreeSet<usize>,
    validators: BTreeSet<usize>,
    signed: BTreeMap<usize, u64>,
    certified: BTreeMap<(usize, usize), u64>,
    entered: BTreeMap<usize, u64>,
    newest_epoch: u64,
    /// What is still to come, so that asking costs nothing.
    wanting: BTreeSet<(usize, usize)>,
}

impl LanesAdvance {
    pub fn new<F: Named>(plan: &Plan<Lanes<F>>) -> Self {
        let healthy = plan.healthy();
        let lanes = plan
            .options
            .sequencers
            .iter()
            .copied()
            .filter(|it| healthy.contains(it));
        let newest_epoch = plan.actions.iter().filter_map(|timed| match timed.action {
            crate::lanes::Action::Enter { epoch } => Some(epoch),
            _ => None,
        });
        let newest_epoch = newest_epoch.max().unwrap_or(0);
        let validators = plan.options.validators_of(newest_epoch).iter().copied();
        Self {
            lanes: lanes.collect(),
            target: None,
            validators: validators.filter(|it| healthy.contains(it)).collect(),
            healthy,
            signed: BTreeMap::new(),
            certified: BTreeMap::new(),
            entered: BTreeMap::new(),
            newest_epoch,
            wanting: BTreeSet::new(),
        }
    }
}

impl Goal<Seen> for LanesAdvance {
    fn name(&self) -> &'static str {
        "lanes advance"
    }

    fn kinds(&self) -> Kinds {
        Some(&["proposed", "certified", "entered"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        match (&seen.what, seen.node) {
            (Seen::Proposed { lane, height, .. }, _) => {
                let signed = self.signed.entry(*lane).or_insert(0);
                *signed = (*signed).max(*height);
            }
            (Seen::Certified { lane, height, .. }, Some(node)) => {
                let certified = self.certified.entry((node, *lane)).or_insert(0);
                *certified = (*certified).max(*height);
                let target = self.target.as_ref().and_then(|it| it.get(lane));
                if target.is_some_and(|it| *certified >= *it) {
                    self.wanting.remove(&(node, *lane));
                }
            }
            (Seen::Entered { epoch }, Some(node)) => {
                self.entered.insert(node, *epoch);
            }
            _ => {}
        }
    }

    fn healed(&mut self, _: u64, healthy: &BTreeSet<usize>) {
        self.healthy.clone_from(healthy);
        let target = |lane: &usize| (*lane, self.signed.get(lane).copied().unwrap_or(0) + NEW);
        self.target = Some(self.lanes.iter().map(target).collect());
        let nodes = self.validators.iter().filter(|it| healthy.contains(it));
        self.wanting = nodes
            .flat_map(|node| self.lanes.iter().map(|lane| (*node, *lane)))
            .collect();
    }

    fn reached(&self) -> bool {
        let current = |node: &usize| {
            self.entered
                .get(node)
                .is_some_and(|it| *it >= self.newest_epoch)
        };
        self.target.is_some() && self.wanting.is_empty() && self.validators.iter().all(current)
    }

    fn missing(&self) -> (Option<usize>, String) {
        if let Some((node, lane)) = self.wanting.first() {
            let height = self.certified.get(&(*node, *lane)).copied().unwrap_or(0);
            let target = self.target.as_ref().map_or(0, |it| it[lane]);
            let message = format!(
                "lane {lane} is certified to height {height} there, it should have passed {target} \
                 ({} of {} such facts are missing)",
                self.wanting.len(),
                self.validators.len() * self.lanes.len()
            );
            return (Some(*node), message);
        }
        let behind = self.validators.iter().find(|it| {
            self.entered
                .get(it)
                .is_none_or(|epoch| *epoch < self.newest_epoch)
        });
        (
            behind.copied(),
            format!("it has not entered epoch {}", self.newest_epoch),
        )
    }
}
