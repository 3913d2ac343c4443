//! What was accepted leaves with a verdict that is true.

use crate::{
    Property, Stamped, Violation,
    lanes::Short,
    nodes::observation::{Fate, Leaving, Seen},
    property::Verdict,
    trace::Event,
};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks that a mempool may be behind its node's executor.
const BEHIND: usize = 3;

/// A transfer that a healthy node accepted stays until it was executed there, expired by the time executed there, or cannot
/// be executed any more: and it leaves with that verdict, unless the node dies.
pub struct LeavesWithVerdict {
    healthy: BTreeSet<usize>,
    /// When each expires, and whose it is.
    signed: BTreeMap<Short, (u64, (u16, u64))>,
    /// What each node holds, by expiry.
    held: BTreeMap<usize, BTreeSet<(u64, Short)>>,
    executed: BTreeSet<(usize, Short)>,
    /// What left each node, with what verdict, and how many blocks the node told of since: a mempool learns of a block just
    /// before the world does.
    unproven: BTreeMap<usize, Vec<(Short, Leaving, usize)>>,
    /// The transfers that used up a nonce.
    used: BTreeMap<(u16, u64), Short>,
    /// The times of the last blocks that each node executed.
    times: BTreeMap<usize, Vec<u64>>,
}

impl LeavesWithVerdict {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            signed: BTreeMap::new(),
            held: BTreeMap::new(),
            executed: BTreeSet::new(),
            unproven: BTreeMap::new(),
            used: BTreeMap::new(),
            times: BTreeMap::new(),
        }
    }

    fn left(&mut self, seen: &Stamped<Seen>, node: usize, id: Short, verdict: Leaving) -> Verdict {
        let Some((expiry_ms, _)) = self.signed.get(&id).copied() else {
            return Ok(0);
        };
        let held = self.held.entry(node).or_default();
        if !held.remove(&(expiry_ms, id)) {
            let message = format!("transfer {id:?} left that was not there");
            return Err(Violation::by(seen, message));
        }
        let unproven = self.unproven.entry(node).or_default();
        unproven.push((id, verdict, 0));
        Ok(0)
    }

    /// Whether a verdict is true at a node that has executed up to a time.
    fn is_true(&self, node: usize, time_ms: u64, id: Short, verdict: Leaving) -> bool {
        let (expiry_ms, wish) = self.signed[&id];
        match verdict {
            Leaving::Executed => self.executed.contains(&(node, id)),
            Leaving::Expired => expiry_ms <= time_ms,
            Leaving::Invalid => self.used.get(&wish).is_some_and(|it| *it != id),
        }
    }

    /// Checks what left a node, now that it told of a block.
    fn prove(&mut self, seen: &Stamped<Seen>, node: usize, time_ms: u64) -> Verdict {
        let (mut proven, mut rest) = (0, Vec::new());
        for (id, verdict, told) in self.unproven.remove(&node).unwrap_or_default() {
            if self.is_true(node, time_ms, id, verdict) {
                proven += 1;
            } else if told < BEHIND {
                rest.push((id, verdict, told + 1));
            } else {
                let message = format!("transfer {id:?} left as {verdict:?}, which is not so");
                return Err(Violation::by(seen, message));
            }
        }
        self.unproven.insert(node, rest);
        Ok(proven)
    }

    fn executed(
        &mut self,
        seen: &Stamped<Seen>,
        node: usize,
        time_ms: u64,
        results: &[(Short, Fate)],
    ) -> Verdict {
        for (id, _) in results.iter().filter(|it| it.1 == Fate::Executed) {
            self.executed.insert((node, *id));
            if let Some((_, wish)) = self.signed.get(id) {
                self.used.insert(*wish, *id);
            }
        }
        let proven = self.prove(seen, node, time_ms)?;
        let times = self.times.entry(node).or_default();
        times.push(time_ms);
        if times.len() <= BEHIND {
            return Ok(proven);
        }
        let then_ms = times.remove(0);
        let oldest = self.held.get(&node).and_then(|it| it.first());
        match oldest {
            Some((expiry_ms, id)) if *expiry_ms < then_ms => {
                let message = format!(
                    "transfer {id:?} expired at {expiry_ms}, was executed past, and has no verdict"
                );
                Err(Violation::by(seen, message))
            }
            _ => Ok(proven + 1),
        }
    }
}

impl Property<Seen> for LeavesWithVerdict {
    fn name(&self) -> &'static str {
        "leaves with a verdict"
    }

    fn sentence(&self) -> &'static str {
        "a transfer that a healthy node accepted leaves it with a verdict, which is true, and not later than it expires"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        if let Seen::Signed {
            id,
            from,
            nonce,
            expiry_ms,
            ..
        } = &seen.what
        {
            self.signed.insert(*id, (*expiry_ms, (*from, *nonce)));
        }
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Accepted { id, .. } => {
                if let Some((expiry_ms, _)) = self.signed.get(id) {
                    let held = self.held.entry(node).or_default();
                    held.insert((*expiry_ms, *id));
                }
                Ok(0)
            }
            Seen::Left { id, verdict } => self.left(seen, node, *id, *verdict),
            Seen::Executed {
                time_ms, results, ..
            } => self.executed(seen, node, *time_ms, results),
            _ => Ok(0),
        }
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        if let (Event::Booted, Some(node)) = (&event.what, event.node) {
            self.held.remove(&node);
            self.times.remove(&node);
            self.unproven.remove(&node);
        }
        Ok(0)
    }
}
