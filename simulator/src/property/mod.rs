//! What must hold, judged on observations alone.
//!
//! A [`Property`] is a sentence and a synchronous observer. A [`Goal`] is what a run must reach. Neither sees a node's
//! inside, and neither shares arithmetic with the code under test.

mod goal;
mod stops;

use crate::trace::{Event, Stamped};
pub use goal::{Goal, Reaches, reaches};
pub use stops::StopsOnlyOnDiskErrors;

/// The name under which a panic counts as a violated property.
pub const NO_PANIC: &str = "no panic";
/// The name under which a passed step budget counts as a violated property.
pub const STEP_BUDGET: &str = "step budget";

/// What a property makes of one event: how many facts it checked, or what it found wrong.
pub type Verdict = Result<u64, Violation>;

/// Some of [`Observation::KINDS`](crate::Observation::KINDS), or `None` for all.
pub type Kinds = Option<&'static [&'static str]>;

/// A safety property: one sentence, checked event by event.
pub trait Property<O>: Send {
    /// A short stable name, the key in reports and failure signatures.
    fn name(&self) -> &'static str;

    /// The property in one sentence.
    fn sentence(&self) -> &'static str;

    /// Which observations concern it. Others are not shown to it: with a dozen properties, most of what they cost a run is to be
    /// shown everything.
    fn kinds(&self) -> Kinds {
        None
    }

    /// Judges an observation.
    fn observe(&mut self, seen: &Stamped<O>) -> Verdict;

    /// Judges what the world did to a node.
    fn event(&mut self, _event: &Stamped<Event>) -> Verdict {
        Ok(0)
    }

    /// Judges the run as a whole, at its end.
    fn finish(&mut self) -> Verdict {
        Ok(0)
    }
}

/// What a property found wrong. Time and property are added by whoever called it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The node at fault, if it is one.
    pub node: Option<usize>,
    /// What was seen, and what would have been right.
    pub message: String,
}

impl Violation {
    /// A violation by the node that reported.
    pub fn by<O>(seen: &Stamped<O>, message: impl Into<String>) -> Self {
        Self {
            node: seen.node,
            message: message.into(),
        }
    }

    /// A violation of no node in particular.
    pub fn of_all(message: impl Into<String>) -> Self {
        Self {
            node: None,
            message: message.into(),
        }
    }
}
