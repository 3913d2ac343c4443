//! No honest validator signs two headers for one height of a lane in one epoch, across any crash.

use super::by_height::ByHeight;
use crate::{
    Property, Stamped, Violation,
    lanes::observation::{Seen, Short},
    property::{Kinds, Verdict},
};
use std::collections::BTreeSet;

/// See the module.
pub struct AcksOnce {
    healthy: BTreeSet<usize>,
    /// The newest epoch's ack: that nobody acks in an earlier one is a property of its own.
    acked: ByHeight<(u64, Short)>,
}

impl AcksOnce {
    pub fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            acked: ByHeight::default(),
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

    fn kinds(&self) -> Kinds {
        Some(&["acked"])
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
        let place = self.acked.at(node, *lane, *height);
        let before = place.replace((*epoch, *digest));
        if let Some((of, before)) = before
            && of == *epoch
            && before != *digest
        {
            let message = format!(
                "acked {:016x} of lane {lane} at height {height} in epoch {epoch}, and {:016x} before",
                digest.0, before.0
            );
            return Err(Violation::by(seen, message));
        }
        Ok(1)
    }
}
