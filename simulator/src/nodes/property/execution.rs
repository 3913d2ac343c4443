//! What execution comes to.

use crate::{
    Property, Stamped, Violation,
    lanes::Short,
    nodes::observation::{Fate, Seen},
    property::Verdict,
    trace::Event,
};
use std::collections::{BTreeMap, BTreeSet};

/// What one block came to.
#[derive(PartialEq)]
struct Execution {
    digest: Short,
    time_ms: u64,
    root: Short,
    results: Vec<(Short, Fate)>,
}

/// Healthy nodes execute the blocks that are final, and each comes to the same everywhere.
pub struct ExecutesAlike {
    healthy: BTreeSet<usize>,
    finals: BTreeMap<u64, Short>,
    executions: BTreeMap<u64, (usize, Execution)>,
}

impl ExecutesAlike {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            finals: BTreeMap::new(),
            executions: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for ExecutesAlike {
    fn name(&self) -> &'static str {
        "executes alike"
    }

    fn sentence(&self) -> &'static str {
        "a block comes to the same root and results at every healthy node, and is the one that is final at its height"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Finalized { height, digest, .. } => {
                self.finals.insert(*height, *digest);
                Ok(0)
            }
            Seen::Executed {
                height,
                digest,
                time_ms,
                root,
                results,
                ..
            } => {
                if self.finals.get(height) != Some(digest) {
                    let message =
                        format!("executed {digest:?} at height {height}: it is not final");
                    return Err(Violation::by(seen, message));
                }
                let execution = Execution {
                    digest: *digest,
                    time_ms: *time_ms,
                    root: *root,
                    results: results.clone(),
                };
                let first = self.executions.entry(*height);
                let (by, first) = first.or_insert((node, execution));
                let same =
                    (first.time_ms, first.root) == (*time_ms, *root) && first.results == *results;
                if same {
                    return Ok(1);
                }
                let message = format!(
                    "block {height} came to {root:?} with {} results here, and to {:?} with {} at node {by}",
                    results.len(),
                    first.root,
                    first.results.len()
                );
                Err(Violation::by(seen, message))
            }
            _ => Ok(0),
        }
    }
}

/// What a node told of its executed blocks stays: it tells of every height in order, over all its lives, and opens its
/// state where it stood or above.
pub struct StaysFinal {
    healthy: BTreeSet<usize>,
    told: BTreeMap<usize, (u64, Short)>,
    /// Nodes that have told of nothing in this life.
    silent: BTreeSet<usize>,
}

impl StaysFinal {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            told: BTreeMap::new(),
            silent: BTreeSet::new(),
        }
    }
}

impl Property<Seen> for StaysFinal {
    fn name(&self) -> &'static str {
        "stays final"
    }

    fn sentence(&self) -> &'static str {
        "a healthy node tells of each executed height once a life, in order, and after a restart has all that it told"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Opened { height, root } => {
                let Some((told, then)) = self.told.get(&node) else {
                    return Ok(0);
                };
                // A block that was committed when the node died was not told of.
                if height < told || height == told && root != then {
                    let message = format!(
                        "told of height {told} and root {then:?}, and woke at {height}, {root:?}"
                    );
                    return Err(Violation::by(seen, message));
                }
                Ok(1)
            }
            Seen::Executed { height, root, .. } => {
                let told = self.told.insert(node, (*height, *root));
                let told = told.map_or(0, |it| it.0);
                // The newest one is told of again after a restart, first of all.
                let again = self.silent.remove(&node) && *height == told;
                if *height != told + 1 && !again {
                    let message = format!("told of height {height} after {told}");
                    return Err(Violation::by(seen, message));
                }
                Ok(1)
            }
            _ => Ok(0),
        }
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        if let (Event::Booted, Some(node)) = (&event.what, event.node) {
            self.silent.insert(node);
        }
        Ok(0)
    }
}

/// A block executes what its unexpired chunks hold, and nothing else.
pub struct ExecutesLive {
    healthy: BTreeSet<usize>,
}

impl ExecutesLive {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self { healthy }
    }
}

impl Property<Seen> for ExecutesLive {
    fn name(&self) -> &'static str {
        "executes what lives"
    }

    fn sentence(&self) -> &'static str {
        "a block has a result for each transfer in its unexpired chunks and no other"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Executed {
            height,
            items,
            results,
            ..
        } = &seen.what
        else {
            return Ok(0);
        };
        if seen.node.is_none_or(|it| !self.healthy.contains(&it)) {
            return Ok(0);
        }
        if results.len() as u64 != *items {
            let message = format!(
                "block {height} has {} results, its unexpired chunks hold {items} transfers",
                results.len()
            );
            return Err(Violation::by(seen, message));
        }
        Ok(1)
    }
}

/// No transfer is executed twice.
pub struct ExecutesOnce {
    healthy: BTreeSet<usize>,
    executed: BTreeMap<Short, u64>,
}

impl ExecutesOnce {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            executed: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for ExecutesOnce {
    fn name(&self) -> &'static str {
        "executes once"
    }

    fn sentence(&self) -> &'static str {
        "no transfer is executed at two heights, or twice at one"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Seen::Executed {
            height, results, ..
        } = &seen.what
        else {
            return Ok(0);
        };
        if seen.node.is_none_or(|it| !self.healthy.contains(&it)) {
            return Ok(0);
        }
        let executed = results.iter().filter(|it| it.1 == Fate::Executed);
        let mut here = BTreeSet::new();
        for (id, _) in executed {
            let first = *self.executed.entry(*id).or_insert(*height);
            if first != *height || !here.insert(*id) {
                let message =
                    format!("transfer {id:?} was executed at height {first} and at {height}");
                return Err(Violation::by(seen, message));
            }
        }
        Ok(here.len() as u64)
    }
}
