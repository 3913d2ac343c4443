//! A node stops with an error only if its disk made one.

use super::{Property, Verdict, Violation};
use crate::{
    System,
    plan::Plan,
    trace::{Event, Stamped},
};
use std::collections::BTreeSet;

/// A healthy node stops with an error only if its disk told it of one in that very life; anything else it must live through,
/// whatever its disk did before.
pub struct StopsOnlyOnDiskErrors {
    /// Nodes that need not behave.
    spent: BTreeSet<usize>,
}

impl StopsOnlyOnDiskErrors {
    /// The property for the runs of a plan.
    pub fn new<S: System>(plan: &Plan<S>) -> Self {
        Self {
            spent: plan.spent(),
        }
    }
}

impl<O> Property<O> for StopsOnlyOnDiskErrors {
    fn name(&self) -> &'static str {
        "stops only on disk errors"
    }

    fn sentence(&self) -> &'static str {
        "a healthy node stops with an error only if its disk made one in that life"
    }

    fn observe(&mut self, _seen: &Stamped<O>) -> Verdict {
        Ok(0)
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        let (Event::Stopped { error, disk_failed }, Some(node)) = (&event.what, event.node) else {
            return Ok(0);
        };
        if *disk_failed || self.spent.contains(&node) {
            return Ok(1);
        }
        Err(Violation::by(
            event,
            format!("stopped though its disk was in order: {error}"),
        ))
    }
}
