//! A node stops with an error only if its disk made one.

use super::{Property, Verdict, Violation};
use crate::{
    System,
    plan::{Fault, Plan},
    trace::{Event, Stamped},
};
use std::collections::BTreeSet;

/// A healthy node stops with an error only if the plan had its disk fail; anything else it must live through.
pub struct StopsOnlyOnDiskErrors {
    /// Nodes that may stop: their disk fails at some time, or they need not behave.
    excused: BTreeSet<usize>,
}

impl StopsOnlyOnDiskErrors {
    /// The property for the runs of a plan.
    pub fn new<S: System>(plan: &Plan<S>) -> Self {
        let failing = plan.faults.iter().filter_map(|window| match window.fault {
            Fault::Disk { node, .. } => Some(node),
            _ => None,
        });
        Self {
            excused: failing.chain(plan.spent()).collect(),
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
        match (&event.what, event.node) {
            (Event::Stopped { error }, Some(node)) if !self.excused.contains(&node) => {
                Err(Violation::by(
                    event,
                    format!("stopped though its disk was in order: {error}"),
                ))
            }
            (Event::Stopped { .. }, _) => Ok(1),
            _ => Ok(0),
        }
    }
}
