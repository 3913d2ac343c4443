//! Epochs only rise.

use crate::{
    Property, Stamped, Violation,
    lanes::observation::Seen,
    property::{Kinds, Verdict},
};
use std::collections::{BTreeMap, BTreeSet};

/// After entering an epoch an honest node never acks in an earlier one, whatever happens to it.
pub struct EpochsRise {
    healthy: BTreeSet<usize>,
    entered: BTreeMap<usize, u64>,
}

impl EpochsRise {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self {
            healthy,
            entered: BTreeMap::new(),
        }
    }
}

impl Property<Seen> for EpochsRise {
    fn name(&self) -> &'static str {
        "epochs rise"
    }

    fn sentence(&self) -> &'static str {
        "an honest validator that entered an epoch never acks in an earlier one, nor enters one"
    }

    fn kinds(&self) -> Kinds {
        Some(&["entered", "acked"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (Some(node), Seen::Entered { epoch } | Seen::Acked { epoch, .. }) =
            (seen.node, &seen.what)
        else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        let entered = self.entered.entry(node).or_insert(0);
        if *epoch < *entered {
            return Err(Violation::by(
                seen,
                format!("acts in epoch {epoch} after entering {entered}"),
            ));
        }
        *entered = *epoch;
        Ok(1)
    }
}
