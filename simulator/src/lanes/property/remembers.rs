//! A restart forgets no ack.

use super::by_height::ByHeight;
use crate::{
    Property, Stamped, Violation,
    lanes::observation::Seen,
    property::{Kinds, Verdict},
};
use std::collections::{BTreeMap, BTreeSet};

/// A header that an honest validator acked is still locked there in its next life: the same height is not locked anew in
/// the same epoch. Whatever was acked before it was durable shows here at the next crash.
pub struct RemembersAcks {
    healthy: BTreeSet<usize>,
    /// The epoch each node is in.
    entered: BTreeMap<usize, u64>,
    /// The epoch and the life of the last ack.
    acked: ByHeight<(u64, u32)>,
}

impl RemembersAcks {
    pub fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            entered: BTreeMap::new(),
            acked: ByHeight::default(),
        }
    }
}

impl Property<Seen> for RemembersAcks {
    fn name(&self) -> &'static str {
        "remembers acks"
    }

    fn sentence(&self) -> &'static str {
        "an honest validator that restarts does not lock a height anew that it acked in the same epoch"
    }

    fn kinds(&self) -> Kinds {
        Some(&["entered", "acked", "locked"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let Some(node) = seen.node.filter(|node| self.healthy.contains(node)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Entered { epoch } => {
                self.entered.insert(node, *epoch);
                Ok(0)
            }
            Seen::Acked {
                epoch,
                lane,
                height,
                ..
            } => {
                let life = (*epoch, seen.incarnation);
                *self.acked.at(node, *lane, *height) = Some(life);
                Ok(0)
            }
            Seen::Locked { lane, height, .. } => {
                let before = self.acked.get(node, *lane, *height);
                let epoch = self.entered.get(&node).copied().unwrap_or(0);
                if before.is_some_and(|(of, life)| of == epoch && life < seen.incarnation) {
                    let message = format!(
                        "locks height {height} of lane {lane} anew, acked in epoch {epoch} before"
                    );
                    return Err(Violation::by(seen, message));
                }
                Ok(1)
            }
            _ => Ok(0),
        }
    }
}
