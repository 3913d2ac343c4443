//! Evidence convicts the guilty alone.

use crate::{
    Property, Stamped, Violation,
    lanes::observation::Seen,
    property::{Kinds, Verdict},
};
use std::collections::BTreeSet;

/// Evidence is genuine, and no honest sequencer is ever accused by an honest node.
pub struct NobodyFramed {
    healthy: BTreeSet<usize>,
}

impl NobodyFramed {
    pub const fn new(healthy: BTreeSet<usize>) -> Self {
        Self { healthy }
    }
}

impl Property<Seen> for NobodyFramed {
    fn name(&self) -> &'static str {
        "nobody framed"
    }

    fn sentence(&self) -> &'static str {
        "evidence that an honest node keeps is genuine and is of a faulty sequencer"
    }

    fn kinds(&self) -> Kinds {
        Some(&["evidence"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (
            Some(node),
            Seen::Evidence {
                lane,
                height,
                genuine,
            },
        ) = (seen.node, &seen.what)
        else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        if !genuine {
            return Err(Violation::by(
                seen,
                format!("keeps evidence at height {height} of lane {lane} that proves nothing"),
            ));
        }
        if self.healthy.contains(lane) {
            return Err(Violation::by(
                seen,
                format!("holds proof that honest lane {lane} signed height {height} twice"),
            ));
        }
        Ok(1)
    }
}
