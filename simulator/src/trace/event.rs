//! What a trace is made of.

use std::fmt;

/// Something that happened, when, to whom and after what.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped<T> {
    /// When, in virtual microseconds.
    pub at_us: u64,
    /// Its place in the trace, from 1. Unique in a run.
    pub number: u64,
    /// The node it happened at; `None` is the world around the nodes.
    pub node: Option<usize>,
    /// Which of the node's lives; 0 is the first.
    pub incarnation: u32,
    /// The number of what last happened to that node before it (a delivery, a boot, a fault): the nearest to a reason
    /// that can be told from outside. 0 if nothing had.
    pub cause: u64,
    /// What happened.
    pub what: T,
}

impl<T> Stamped<T> {
    /// Something else that happened at the same place and time.
    pub const fn with<U>(&self, what: U) -> Stamped<U> {
        Stamped {
            at_us: self.at_us,
            number: self.number,
            node: self.node,
            incarnation: self.incarnation,
            cause: self.cause,
            what,
        }
    }
}

/// What the world does to nodes. What nodes say is an observation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// The node was booted.
    Booted,
    /// The node was killed.
    Crashed,
    /// The node's disk was emptied.
    Wiped,
    /// The node met an error and stopped.
    Stopped {
        /// What it met.
        error: String,
        /// Whether its disk told it of an error in this life.
        disk_failed: bool,
    },
    /// The node ended of its own accord.
    Finished,
    /// A fault began.
    Began {
        /// The fault as it prints.
        fault: String,
    },
    /// A fault ended.
    Ended {
        /// The fault as it prints.
        fault: String,
    },
    /// An action of the plan was carried out.
    Acted {
        /// The action as it prints.
        action: String,
    },
    /// The faults stopped: the liveness phase begins.
    Healed,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Booted => f.write_str("booted"),
            Self::Crashed => f.write_str("killed"),
            Self::Wiped => f.write_str("disk wiped"),
            Self::Stopped { error, .. } => write!(f, "stopped: {error}"),
            Self::Finished => f.write_str("finished"),
            Self::Began { fault } => write!(f, "fault begins: {fault}"),
            Self::Ended { fault } => write!(f, "fault ends: {fault}"),
            Self::Acted { action } => write!(f, "action: {action}"),
            Self::Healed => f.write_str("faults stop, liveness phase begins"),
        }
    }
}
