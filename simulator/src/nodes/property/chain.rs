//! One chain, of blocks that honest nodes find valid.

use crate::{
    Plan, Property, Stamped, Violation,
    lanes::Short,
    nodes::{observation::Seen, options::Role, system::Nodes},
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// Whatever two healthy nodes hold final at one height is one block.
pub struct OneChain {
    healthy: BTreeSet<usize>,
    /// The block at each height, and who said so first.
    blocks: BTreeMap<u64, (Short, usize)>,
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
        "healthy nodes hold one block final at each height"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Finalized { height, digest, .. } = &seen.what else {
            return Ok(0);
        };
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        let (first, by) = *self.blocks.entry(*height).or_insert((*digest, node));
        if first == *digest {
            return Ok(1);
        }
        let message = format!("block {height} is {digest:?} here, and {first:?} at node {by}");
        Err(Violation::by(seen, message))
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
