//! One chain, and what its blocks say of the state.

use crate::{
    Plan, Property, Stamped, Violation,
    lanes::Short,
    nodes::{observation::Seen, options::Role, system::Nodes},
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// Whatever two healthy nodes hold final at one height is one block, and its time is above that of the one below.
pub struct OneChain {
    healthy: BTreeSet<usize>,
    /// The block at each height, its time, and who said so first.
    blocks: BTreeMap<u64, (Short, u64, usize)>,
}

impl OneChain {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            blocks: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for OneChain {
    fn name(&self) -> &'static str {
        "one chain"
    }

    fn sentence(&self) -> &'static str {
        "healthy nodes hold one block final at each height, and its time is above that of the one below"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Finalized {
            height,
            digest,
            time_ms,
            ..
        } = &seen.what
        else {
            return Ok(0);
        };
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        if let Some((first, _, by)) = self.blocks.get(height) {
            if first == digest {
                return Ok(1);
            }
            let message = format!("block {height} is {digest:?} here, and {first:?} at node {by}");
            return Err(Violation::by(seen, message));
        }
        let below = self.blocks.get(&(height - 1));
        if below.is_some_and(|it| it.1 >= *time_ms) {
            let message =
                format!("the time of block {height}, {time_ms}, is not above its parent's");
            return Err(Violation::by(seen, message));
        }
        self.blocks.insert(*height, (*digest, *time_ms, node));
        Ok(1)
    }
}

/// Where all nodes are honest, whatever one of them proposes is valid to the others, or may become so.
pub struct HonestBlocks {
    all_honest: bool,
}

impl HonestBlocks {
    pub fn new(plan: &Plan<Nodes>) -> Self {
        let honest = plan.nodes.iter().all(|it| it.role == Role::Honest);
        Self { all_honest: honest }
    }
}

impl Property<Seen> for HonestBlocks {
    fn name(&self) -> &'static str {
        "honest blocks are valid"
    }

    fn sentence(&self) -> &'static str {
        "no node finds invalid what an honest node proposes"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        match &seen.what {
            Seen::Refused { reason } if self.all_honest => Err(Violation::by(
                seen,
                format!("found a block invalid, though nobody is Byzantine: {reason}"),
            )),
            Seen::Finalized { .. } if self.all_honest => Ok(1),
            _ => Ok(0),
        }
    }
}

/// A final block names a state that honest nodes reach, never an older one than the block below, and if it includes
/// anything, not one too far behind.
pub struct NamesStates {
    healthy: BTreeSet<usize>,
    lag_max: u64,
    /// The root at each height, as named or executed.
    roots: BTreeMap<u64, Short>,
    /// What each block names.
    named: BTreeMap<u64, u64>,
}

impl NamesStates {
    pub fn new(plan: &Plan<Nodes>) -> Self {
        Self {
            healthy: plan.healthy(),
            lag_max: plan.options.execution_lag_max,
            roots: BTreeMap::new(),
            named: BTreeMap::new(),
        }
    }

    fn root(&mut self, seen: &Stamped<Seen>, height: u64, root: Short) -> Verdict {
        let known = *self.roots.entry(height).or_insert(root);
        if known == root {
            return Ok(1);
        }
        let message = format!("the state of height {height} has root {root:?} and {known:?}");
        Err(Violation::by(seen, message))
    }
}

impl Property<Seen> for NamesStates {
    fn name(&self) -> &'static str {
        "names reached states"
    }

    fn sentence(&self) -> &'static str {
        "a final block names the root that execution comes to, none older than its parent's, and with tips none too old"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        if seen.node.is_none_or(|it| !self.healthy.contains(&it)) {
            return Ok(0);
        }
        match &seen.what {
            Seen::Executed { height, root, .. } | Seen::Opened { height, root } => {
                self.root(seen, *height, *root)
            }
            Seen::Finalized {
                height,
                tips,
                executed,
                root,
                ..
            } => {
                self.root(seen, *executed, *root)?;
                let below = self.named.get(&(height - 1)).copied().unwrap_or(0);
                self.named.insert(*height, *executed);
                if *executed >= *height || *executed < below {
                    let message = format!(
                        "block {height} names the state of {executed}, the one below that of {below}"
                    );
                    return Err(Violation::by(seen, message));
                }
                let lag_max = self.lag_max;
                if *tips > 0 && height - executed > lag_max {
                    let message = format!(
                        "block {height} has tips and names the state of {executed}: {lag_max} below it is allowed"
                    );
                    return Err(Violation::by(seen, message));
                }
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}
