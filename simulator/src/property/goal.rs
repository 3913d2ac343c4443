//! What a run must reach.

use super::Kinds;
use crate::trace::Stamped;
use std::collections::BTreeSet;

/// What must come about within the plan's bound. Judged on observations only.
pub trait Goal<O>: Send {
    /// A short stable name, the key in reports and failure signatures.
    fn name(&self) -> &'static str;

    /// Which observations concern it: the run does not stop to show it others, though they may be shown too. Only these and
    /// [`healed`](Self::healed) may change whether it is reached. A run stops at other moments for a goal of other kinds, so two
    /// such goals make two runs of one plan.
    fn kinds(&self) -> Kinds {
        None
    }

    /// Takes note of an observation.
    fn observe(&mut self, seen: &Stamped<O>);

    /// The faults have stopped: from here on the healthy nodes owe progress. A goal that asks for new progress takes
    /// its starting point here.
    fn healed(&mut self, _at_us: u64, _healthy: &BTreeSet<usize>) {}

    /// Whether it is reached. Asked often: it should only compare.
    fn reached(&self) -> bool;

    /// What is missing, and the node it is missing of if it is one. Asked once, when the time is up.
    fn missing(&self) -> (Option<usize>, String);
}

/// A goal made of a closure.
#[derive(Clone)]
pub struct Reaches<F> {
    name: &'static str,
    reached: bool,
    predicate: F,
}

/// The goal that `predicate`, which is given every observation, becomes true once.
pub const fn reaches<F>(name: &'static str, predicate: F) -> Reaches<F> {
    Reaches {
        name,
        reached: false,
        predicate,
    }
}

impl<O, F: FnMut(&Stamped<O>) -> bool + Send> Goal<O> for Reaches<F> {
    fn name(&self) -> &'static str {
        self.name
    }

    fn observe(&mut self, seen: &Stamped<O>) {
        self.reached = self.reached || (self.predicate)(seen);
    }

    fn reached(&self) -> bool {
        self.reached
    }

    fn missing(&self) -> (Option<usize>, String) {
        (None, format!("{:?} was never observed", self.name))
    }
}
