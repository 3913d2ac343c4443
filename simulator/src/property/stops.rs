//! A node stops with an error only if its disk made one.

use super::{Property, Verdict, Violation};
use crate::{
    System,
    plan::{Fault, Plan},
    trace::{Event, Stamped},
};
use std::collections::BTreeSet;

/// A healthy node stops with an error only if the plan had its disk fail; anything else it must live through. Once the
/// disks are freed it may stop once more, of an error it met just before.
pub struct StopsOnlyOnDiskErrors {
    /// Nodes that may stop because their disk fails at some time.
    failing: BTreeSet<usize>,
    /// Nodes that need not behave.
    spent: BTreeSet<usize>,
    healed: bool,
}

impl StopsOnlyOnDiskErrors {
    /// The property for the runs of a plan.
    pub fn new<S: System>(plan: &Plan<S>) -> Self {
        let failing = plan.faults.iter().filter_map(|window| match window.fault {
            Fault::Disk { node, .. } => Some(node),
            _ => None,
        });
        Self {
            failing: failing.collect(),
            spent: plan.spent(),
            healed: false,
        }
    }
}

impl<O> Property<O> for StopsOnlyOnDiskErrors {
    fn name(&self) -> &'static str {
        "stops only on disk errors"
    }

    fn sentence(&self) -> &'static str {
        "a healthy node stops with an error only if its disk failed"
    }

    fn observe(&mut self, _seen: &Stamped<O>) -> Verdict {
        Ok(0)
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        self.healed |= event.what == Event::Healed;
        let (Event::Stopped { error }, Some(node)) = (&event.what, event.node) else {
            return Ok(0);
        };
        let excused = if self.healed {
            self.failing.remove(&node)
        } else {
            self.failing.contains(&node)
        };
        if excused || self.spent.contains(&node) {
            return Ok(1);
        }
        Err(Violation::by(
            event,
            format!("stopped though its disk was in order: {error}"),
        ))
    }
}
