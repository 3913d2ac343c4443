//! Once faults have stopped, what clients were promised comes about.

use super::{
    clients,
    observation::{Answer, Seen},
    payment::Payment,
    system::{Chunks, start_ms},
};
use crate::{
    Goal, Plan, Stamped,
    lanes::{self, Short},
};
use std::collections::{BTreeMap, BTreeSet};

/// Chain time that every node must execute beyond the end of the faults.
const PROGRESS_MS: u64 = 2_000;

/// Every payment that an honest node accepted from a client, and has not forgotten in a crash since, is executed
/// everywhere, if it lives long enough (or, where no chunks are made, it has spread to every mempool); what a client looks
/// for is found; and every node executes blocks made after the faults stopped.
pub struct Settles {
    payments: BTreeMap<Short, Payment>,
    /// Whether a node that makes chunks is healthy: without one nothing need be executed.
    makes: bool,
    packs: bool,
    bound_ms: u64,
    healthy: BTreeSet<usize>,
    /// What chain time was when the faults stopped.
    healed_ms: Option<u64>,
    chain_ms: u64,
    /// Each node's life.
    lives: BTreeMap<usize, u32>,
    /// What each node owes its clients.
    owed: BTreeSet<(usize, Short)>,
    /// Where each payment is in a mempool.
    held: BTreeMap<Short, BTreeSet<usize>>,
    /// The time of the block that each payment was executed in: the same everywhere.
    executed: BTreeMap<Short, u64>,
    /// Numbers used, and by what.
    used: BTreeMap<(u16, u32), Short>,
    executed_ms: BTreeMap<usize, u64>,
    included: BTreeMap<usize, u64>,
    /// By node, lane and height: what is looked for, and when it expires.
    sought: BTreeMap<(usize, usize, u64), u64>,
}

impl Settles {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        let payments = clients::payments(plan, start_ms());
        Self {
            payments: payments
                .into_iter()
                .map(|(id, it)| (Short::of(&id), it))
                .collect(),
            makes: plan
                .options
                .lanes
                .sequencers
                .iter()
                .any(|it| plan.healthy().contains(it)),
            packs: plan.options.packs,
            bound_ms: plan.liveness_us / 1_000,
            healthy: plan.healthy(),
            healed_ms: None,
            chain_ms: 0,
            lives: BTreeMap::new(),
            owed: BTreeSet::new(),
            held: BTreeMap::new(),
            executed: BTreeMap::new(),
            used: BTreeMap::new(),
            executed_ms: BTreeMap::new(),
            included: BTreeMap::new(),
            sought: BTreeMap::new(),
        }
    }

    /// A node that starts anew has forgotten what it held.
    fn lives(&mut self, node: usize, incarnation: u32) {
        let life = self.lives.entry(node).or_insert(incarnation);
        if *life < incarnation {
            *life = incarnation;
            self.owed.retain(|it| it.0 != node);
            self.sought.retain(|it, _| it.0 != node);
            for held in self.held.values_mut() {
                held.remove(&node);
            }
        }
    }

    /// Whether a payment is where it should be.
    fn is_settled(&self, id: &Short) -> bool {
        let Some(payment) = self.payments.get(id) else {
            return true;
        };
        let healed_ms = self.healed_ms.unwrap_or(self.chain_ms);
        if payment.expiry_ms <= healed_ms + self.bound_ms {
            return true;
        }
        if !self.packs {
            let held = self.held.get(id);
            return held.is_some_and(|it| it.is_superset(&self.healthy));
        }
        if !self.makes {
            return true;
        }
        let used = self.used.get(&(payment.account, payment.number));
        let executed = self.executed.get(id);
        executed.is_some_and(|at_ms| self.lowest_ms() >= *at_ms) || used.is_some_and(|it| it != id)
    }

    /// What every healthy node has executed.
    fn lowest_ms(&self) -> u64 {
        let executed = |node| self.executed_ms.get(node).copied().unwrap_or(0);
        self.healthy.iter().map(executed).min().unwrap_or(0)
    }

    fn unsettled(&self) -> Option<&(usize, Short)> {
        self.owed.iter().find(|(_, id)| !self.is_settled(id))
    }

    fn behind(&self) -> Option<usize> {
        let target = self.healed_ms? + PROGRESS_MS;
        let executed = |node: &usize| self.executed_ms.get(node).copied().unwrap_or(0);
        self.healthy
            .iter()
            .copied()
            .find(|it| executed(it) < target)
    }

    fn unfound(&self) -> Option<&(usize, usize, u64)> {
        let open = self
            .sought
            .iter()
            .find(|((node, lane, height), expiry_ms)| {
                let included = self.included.get(lane).copied().unwrap_or(0);
                self.healthy.contains(node) && **expiry_ms > self.chain_ms && *height > included
            });
        open.map(|it| it.0)
    }
}

impl Goal<Seen> for Settles {
    fn name(&self) -> &'static str {
        "payments settle"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        if let Seen::Lane(lanes::Seen::Included {
            block_ms,
            lane,
            height,
            ..
        }) = &seen.what
        {
            self.chain_ms = self.chain_ms.max(*block_ms);
            self.included.insert(*lane, *height);
        }
        let Some(node) = seen.node else { return };
        self.lives(node, seen.incarnation);
        if !self.healthy.contains(&node) {
            return;
        }
        match &seen.what {
            Seen::Answered {
                id,
                answer: Answer::Accepted,
            } => {
                self.owed.insert((node, *id));
            }
            Seen::Accepted { id, .. } => {
                self.held.entry(*id).or_default().insert(node);
            }
            Seen::Executed { time_ms, ids, .. } => {
                self.chain_ms = self.chain_ms.max(*time_ms);
                self.executed_ms.insert(node, *time_ms);
                for id in ids {
                    if let Some(payment) = self.payments.get(id) {
                        self.used.insert((payment.account, payment.number), *id);
                        self.executed.insert(*id, *time_ms);
                    }
                }
            }
            Seen::Sought {
                lane,
                height,
                expiry_ms,
            } => {
                self.sought.insert((node, *lane, *height), *expiry_ms);
            }
            Seen::Fetched { lane, height, .. } => {
                self.sought.remove(&(node, *lane, *height));
            }
            _ => {}
        }
    }

    fn healed(&mut self, at_us: u64, healthy: &BTreeSet<usize>) {
        self.healthy.clone_from(healthy);
        self.healed_ms = Some(self.chain_ms.max(start_ms() + at_us / 1_000));
    }

    fn reached(&self) -> bool {
        self.healed_ms.is_some()
            && self.behind().is_none()
            && self.unfound().is_none()
            && self.unsettled().is_none()
    }

    fn missing(&self) -> (Option<usize>, String) {
        if let Some(node) = self.behind() {
            let executed_ms = self.executed_ms.get(&node).copied().unwrap_or(0);
            let message = format!(
                "it has executed up to chain time {executed_ms}, before the faults stopped"
            );
            return (Some(node), message);
        }
        if let Some((node, lane, height)) = self.unfound() {
            let message = format!(
                "the certified body at height {height} of lane {lane} was not found from there"
            );
            return (Some(*node), message);
        }
        let Some((node, id)) = self.unsettled() else {
            return (None, String::new());
        };
        let executed = self.executed.contains_key(id);
        let held = self.held.get(id).map_or(0, BTreeSet::len);
        let message = format!(
            "payment {id:?}, which it accepted, is held at {held} of {} nodes; executed: {executed}",
            self.healthy.len()
        );
        (Some(*node), message)
    }
}
