//! No honest validator signs two headers for one height of a lane in one epoch, across any crash.

use crate::{
    Property, Stamped, Violation,
    lanes::observation::{Seen, Short},
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// See the module.
pub struct AcksOnce {
    healthy: BTreeSet<usize>,
    /// By node, epoch, lane and height.
    acked: BTreeMap<(usize, u64, usize, u64), Short>,
}

impl AcksOnce {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            acked: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for AcksOnce {
    fn name(&self) -> &'static str {
        "acks once"
    }

    fn sentence(&self) -> &'static str {
        "no honest validator acks two headers at one height of a lane in one epoch"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (
            Some(node),
            Seen::Acked {
                epoch,
                lane,
                height,
                digest,
                ..
            },
        ) = (seen.node, &seen.what)
        else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        let before = *self
            .acked
            .entry((node, *epoch, *lane, *height))
            .or_insert(*digest);
        if before != *digest {
            let message = format!(
                "acked {:016x} of lane {lane} at height {height} in epoch {epoch}, and {:016x} before",
                digest.0, before.0
            );
            return Err(Violation::by(seen, message));
        }
        Ok(1)
    }
}
