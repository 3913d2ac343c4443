//! One order, one result.

use crate::{
    Property, Stamped, Violation, chunks::observation::Seen, lanes::Short, property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// Honest nodes execute the same payments in a block, and each payment once.
pub struct ExecutesAlike {
    healthy: BTreeSet<usize>,
    blocks: BTreeMap<u64, Vec<Short>>,
    /// Where each payment was executed, and in which block.
    executed: BTreeMap<(usize, Short), u64>,
}

impl ExecutesAlike {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            blocks: BTreeMap::new(),
            executed: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for ExecutesAlike {
    fn name(&self) -> &'static str {
        "executes alike"
    }

    fn sentence(&self) -> &'static str {
        "honest nodes make the same payments in a block, and no payment twice"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (Seen::Executed { height, ids, .. }, Some(node)) = (&seen.what, seen.node) else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        let first = self.blocks.entry(*height).or_insert_with(|| ids.clone());
        if first != ids {
            let message = format!("block {height}: it made {ids:?}, another made {first:?}");
            return Err(Violation::by(seen, message));
        }
        for id in ids {
            let before = self.executed.insert((node, *id), *height);
            if let Some(before) = before.filter(|it| it != height) {
                let message = format!("payment {id:?} was made in block {before} and in {height}");
                return Err(Violation::by(seen, message));
            }
        }
        Ok(1)
    }
}
