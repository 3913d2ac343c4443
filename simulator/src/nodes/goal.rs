//! Once faults have stopped, what clients want comes about, everywhere.

use super::{
    observation::{Fate, Seen},
    system::Nodes,
};
use crate::{Goal, Plan, Stamped, lanes::Short};
use std::collections::{BTreeMap, BTreeSet};

/// Blocks that every healthy node must execute beyond the highest one known when the faults stopped.
const PROGRESS_BLOCKS: u64 = 8;

/// Every transfer that a wallet wants is executed at every healthy node, in one version of it; and every healthy node
/// executes blocks that were made after the faults stopped.
pub struct Settles {
    healthy: BTreeSet<usize>,
    /// Whether a healthy node makes chunks: without one nothing need be executed.
    makes: bool,
    healed: bool,
    /// The wish of each version: account and nonce.
    versions: BTreeMap<Short, (u16, u64)>,
    open: BTreeSet<(u16, u64)>,
    /// The height at which each wish was granted last.
    granted: u64,
    /// What each node executed.
    heights: BTreeMap<usize, u64>,
    target: u64,
}

impl Settles {
    pub fn new(plan: &Plan<Nodes>) -> Self {
        let healthy = plan.healthy();
        let sequencers = &plan.options.chunks.lanes.sequencers;
        Self {
            makes: sequencers.iter().any(|it| healthy.contains(it)),
            healthy,
            healed: false,
            versions: BTreeMap::new(),
            open: BTreeSet::new(),
            granted: 0,
            heights: BTreeMap::new(),
            target: u64::MAX,
        }
    }

    fn behind(&self) -> Option<usize> {
        let target = self.target.max(self.granted);
        let height = |node: &usize| self.heights.get(node).copied().unwrap_or(0);
        let mut healthy = self.healthy.iter().copied();
        healthy.find(|it| height(it) < target)
    }
}

impl Goal<Seen> for Settles {
    fn name(&self) -> &'static str {
        "wishes are granted"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        if let Seen::Signed {
            id, from, nonce, ..
        } = &seen.what
        {
            self.versions.insert(*id, (*from, *nonce));
            // A wallet signs again only what is not executed.
            self.open.insert((*from, *nonce));
        }
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return;
        };
        if let Seen::Executed {
            height, results, ..
        } = &seen.what
        {
            self.heights.insert(node, *height);
            for (id, _) in results.iter().filter(|it| it.1 == Fate::Executed) {
                if let Some(wish) = self.versions.get(id)
                    && self.open.remove(wish)
                {
                    self.granted = self.granted.max(*height);
                }
            }
        }
    }

    fn healed(&mut self, _: u64, _: &BTreeSet<usize>) {
        self.healed = true;
        let highest = self.heights.values().max().copied().unwrap_or(0);
        self.target = highest + PROGRESS_BLOCKS;
    }

    fn reached(&self) -> bool {
        self.healed && (self.open.is_empty() || !self.makes) && self.behind().is_none()
    }

    fn missing(&self) -> (Option<usize>, String) {
        if let Some(node) = self.behind() {
            let height = self.heights.get(&node).copied().unwrap_or(0);
            let target = self.target.max(self.granted);
            return (
                Some(node),
                format!("executed up to {height}, not to {target}"),
            );
        }
        let open = self.open.first();
        let wish = open.map(|(account, nonce)| {
            format!(
                "transfer {nonce} of account {account} and {} more were never executed",
                self.open.len() - 1
            )
        });
        (None, wish.unwrap_or_default())
    }
}
