//! What was accepted leaves with a verdict that is true.

use crate::{
    Plan, Property, Stamped, Violation,
    chunks::{
        clients,
        observation::{Leaving, Seen},
        payment::Payment,
        system::{Chunks, start_ms},
    },
    lanes::Short,
    property::Verdict,
    trace::Event,
};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks that a mempool may be behind its node's executor.
const BEHIND: usize = 3;

/// A payment that an honest node accepted stays until it was executed there, expired by the time executed there, or cannot be
/// made any more: and it leaves with that verdict, unless the node dies.
pub struct LeavesWithVerdict {
    healthy: BTreeSet<usize>,
    payments: BTreeMap<Short, Payment>,
    /// What each node holds, by expiry.
    held: BTreeMap<usize, BTreeSet<(u64, Short)>>,
    executed: BTreeSet<(usize, Short)>,
    used: BTreeMap<(u16, u32), Short>,
    /// The times of the last blocks that each node executed.
    times: BTreeMap<usize, Vec<u64>>,
}

impl LeavesWithVerdict {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        let payments = clients::payments(plan, start_ms());
        Self {
            healthy: plan.healthy(),
            payments: payments
                .into_iter()
                .map(|(id, it)| (Short::of(&id), it))
                .collect(),
            held: BTreeMap::new(),
            executed: BTreeSet::new(),
            used: BTreeMap::new(),
            times: BTreeMap::new(),
        }
    }

    fn left(&mut self, seen: &Stamped<Seen>, node: usize, id: Short, verdict: Leaving) -> Verdict {
        let Some(payment) = self.payments.get(&id).copied() else {
            return Ok(0);
        };
        let held = self.held.entry(node).or_default();
        if !held.remove(&(payment.expiry_ms, id)) {
            let message = format!("payment {id:?} left that was not there");
            return Err(Violation::by(seen, message));
        }
        let time_ms = self
            .times
            .get(&node)
            .and_then(|it| it.last())
            .copied()
            .unwrap_or(0);
        let is_true = match verdict {
            Leaving::Executed => self.executed.contains(&(node, id)),
            Leaving::Expired => payment.expiry_ms <= time_ms,
            Leaving::Invalid => {
                let used = self.used.get(&(payment.account, payment.number));
                !payment.affordable || used.is_some_and(|it| *it != id)
            }
        };
        if is_true {
            return Ok(1);
        }
        let message = format!(
            "payment {id:?} left as {verdict:?} at executed time {time_ms}, which is not so"
        );
        Err(Violation::by(seen, message))
    }

    fn executed(
        &mut self,
        seen: &Stamped<Seen>,
        node: usize,
        time_ms: u64,
        ids: &[Short],
    ) -> Verdict {
        for id in ids {
            self.executed.insert((node, *id));
            if let Some(payment) = self.payments.get(id) {
                self.used.insert((payment.account, payment.number), *id);
            }
        }
        let times = self.times.entry(node).or_default();
        times.push(time_ms);
        if times.len() <= BEHIND {
            return Ok(0);
        }
        let then_ms = times.remove(0);
        let oldest = self.held.get(&node).and_then(|it| it.first());
        match oldest {
            Some((expiry_ms, id)) if *expiry_ms < then_ms => {
                let message = format!(
                    "payment {id:?} expired at {expiry_ms}, was executed past, and has no verdict"
                );
                Err(Violation::by(seen, message))
            }
            _ => Ok(1),
        }
    }
}

impl Property<Seen> for LeavesWithVerdict {
    fn name(&self) -> &'static str {
        "leaves with a verdict"
    }

    fn sentence(&self) -> &'static str {
        "a payment that an honest node accepted leaves it with a verdict, which is true, and not later than it expires"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Accepted { id, .. } => {
                if let Some(payment) = self.payments.get(id) {
                    let held = self.held.entry(node).or_default();
                    held.insert((payment.expiry_ms, *id));
                }
                Ok(0)
            }
            Seen::Left { id, verdict } => self.left(seen, node, *id, *verdict),
            Seen::Executed { time_ms, ids, .. } => self.executed(seen, node, *time_ms, ids),
            _ => Ok(0),
        }
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        if let (Event::Booted, Some(node)) = (&event.what, event.node) {
            self.held.remove(&node);
            self.times.remove(&node);
        }
        Ok(0)
    }
}
