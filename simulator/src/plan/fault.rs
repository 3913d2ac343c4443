//! The fault catalogue: every fault is data with a start and an end, so that removing one moves nothing else.

use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A fault, the time it begins and the time it ends.
///
/// What the end means depends on the fault: the links mend, the node restarts, the disk works again. A fault whose end
/// lies beyond the safety phase ends with that phase, [`Fault::Kill`] alone excepted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Window {
    /// When it begins, in virtual microseconds.
    pub at_us: u64,
    /// When it ends, in virtual microseconds; never before `at_us`.
    pub until_us: u64,
    /// What happens.
    pub fault: Fault,
}

/// Something that goes wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// Messages take at least `latency_us`, and up to `jitter_us` more.
    Latency {
        /// The links that are slow.
        links: Links,
        /// The least time a message takes.
        latency_us: u32,
        /// The most it takes beyond that.
        jitter_us: u32,
    },
    /// Messages get lost.
    Loss {
        /// The links that lose them: one alone is a one-way loss.
        links: Links,
        /// How many of a million.
        ppm: u32,
    },
    /// Messages arrive twice.
    Duplicate {
        /// The links that duplicate.
        links: Links,
        /// How many of a million.
        ppm: u32,
    },
    /// Messages are overtaken by later ones.
    Reorder {
        /// The links that reorder.
        links: Links,
        /// How many of a million are delayed.
        ppm: u32,
        /// The most a delayed one is late.
        by_us: u32,
    },
    /// Messages are held, and all arrive in a burst at the end.
    Clog {
        /// The links that hold.
        links: Links,
    },
    /// These nodes and the others cannot hear one another.
    Partition {
        /// One side; the other is everybody else.
        isolate: BTreeSet<usize>,
    },
    /// What one side sends does not reach the other; the way back works.
    OneWay {
        /// Those who are not heard.
        from: BTreeSet<usize>,
        /// Those who do not hear them.
        to: BTreeSet<usize>,
    },
    /// The nodes stand in a ring and each hears only its nearest neighbours, as few as make a quorum of two thirds with
    /// itself: no two nodes hear the same quorum, and each bridges others.
    Ring {
        /// The nodes in the order they stand.
        order: Vec<usize>,
    },
    /// Nodes are killed at once and restarted at the end, each with what its disk kept.
    Crash {
        /// Who is killed.
        nodes: BTreeSet<usize>,
        /// What becomes of the writes they did not sync.
        unsynced: Unsynced,
    },
    /// A node is killed, restarted, killed again while it recovers, and restarted at the end.
    CrashRestarting {
        /// Who is killed.
        node: usize,
        /// What becomes of the writes it did not sync, both times.
        unsynced: Unsynced,
        /// When it is restarted for the first time.
        restart_at_us: u64,
        /// When it is killed again.
        crash_at_us: u64,
    },
    /// A node is killed and does not come back in this run, whatever the end says. Counts against the budget.
    Kill {
        /// Who is killed.
        node: usize,
    },
    /// A node is killed, loses its whole disk, and is restarted at the end. Counts against the budget.
    Wipe {
        /// Who loses its disk.
        node: usize,
    },
    /// A node does nothing, and then goes on where it was: its timers fire late.
    Pause {
        /// Who pauses.
        node: usize,
    },
    /// A node's clock is off.
    Clock {
        /// Whose clock.
        node: usize,
        /// How far ahead of virtual time it jumps; negative is behind.
        offset_us: i64,
        /// How much faster than virtual time it runs.
        drift_ppm: i64,
    },
    /// A node's disk answers some operations with an error.
    Disk {
        /// Whose disk.
        node: usize,
        /// Which operations.
        operation: Operation,
        /// How many of a million.
        ppm: u32,
    },
}

/// Which of the directed links between nodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Links {
    /// Every one.
    All,
    /// Those from a node.
    From(usize),
    /// Those to a node.
    To(usize),
    /// Exactly one.
    One {
        /// Who sends on it.
        from: usize,
        /// Who hears it.
        to: usize,
    },
}

impl Links {
    /// Whether the link from one node to another is among them.
    pub fn covers(self, from: usize, to: usize) -> bool {
        match self {
            Self::All => true,
            Self::From(node) => node == from,
            Self::To(node) => node == to,
            Self::One {
                from: sender,
                to: receiver,
            } => sender == from && receiver == to,
        }
    }

    fn nodes(self) -> BTreeSet<usize> {
        match self {
            Self::All => BTreeSet::new(),
            Self::From(node) | Self::To(node) => [node].into(),
            Self::One { from, to } => [from, to].into(),
        }
    }
}

/// What becomes of the writes a node had not synced when it was killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unsynced {
    /// Nothing of them is kept.
    Lost,
    /// The oldest are kept, the last of them perhaps in part.
    Prefix,
    /// Any part of any of them is kept.
    Subset,
}

/// A disk operation that can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Reading.
    Read,
    /// Writing and resizing.
    Write,
    /// Making writes durable; data whose sync failed may be kept, lost or torn.
    Sync,
}

impl Fault {
    /// Every kind of fault there is, for `list`.
    pub const KINDS: &'static [&'static str] = &[
        "latency",
        "loss",
        "one-way loss",
        "duplicate",
        "reorder",
        "clog",
        "isolate",
        "split",
        "one-way cut",
        "ring",
        "crash",
        "crash many",
        "crash restarting",
        "kill",
        "wipe",
        "pause",
        "clock",
        "disk read",
        "disk write",
        "disk sync",
    ];

    /// The stable name of this kind of fault, one of [`Fault::KINDS`].
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Latency { .. } => "latency",
            Self::Loss {
                links: Links::All, ..
            } => "loss",
            Self::Loss { .. } => "one-way loss",
            Self::Duplicate { .. } => "duplicate",
            Self::Reorder { .. } => "reorder",
            Self::Clog { .. } => "clog",
            Self::Partition { isolate } if isolate.len() == 1 => "isolate",
            Self::Partition { .. } => "split",
            Self::OneWay { .. } => "one-way cut",
            Self::Ring { .. } => "ring",
            Self::Crash { nodes, .. } if nodes.len() == 1 => "crash",
            Self::Crash { .. } => "crash many",
            Self::CrashRestarting { .. } => "crash restarting",
            Self::Kill { .. } => "kill",
            Self::Wipe { .. } => "wipe",
            Self::Pause { .. } => "pause",
            Self::Clock { .. } => "clock",
            Self::Disk {
                operation: Operation::Read,
                ..
            } => "disk read",
            Self::Disk {
                operation: Operation::Write,
                ..
            } => "disk write",
            Self::Disk {
                operation: Operation::Sync,
                ..
            } => "disk sync",
        }
    }

    /// The node that this fault counts against the budget: one that never returns, or that forgot what it signed.
    pub const fn spends(&self) -> Option<usize> {
        match self {
            Self::Kill { node } | Self::Wipe { node } => Some(*node),
            _ => None,
        }
    }

    /// The nodes this fault names. A shrinker that removes a node removes the faults that name it.
    pub fn nodes(&self) -> BTreeSet<usize> {
        match self {
            Self::Latency { links, .. }
            | Self::Loss { links, .. }
            | Self::Duplicate { links, .. }
            | Self::Reorder { links, .. }
            | Self::Clog { links } => links.nodes(),
            Self::Partition { isolate } => isolate.clone(),
            Self::OneWay { from, to } => from.union(to).copied().collect(),
            Self::Ring { order } => order.iter().copied().collect(),
            Self::Crash { nodes, .. } => nodes.clone(),
            Self::CrashRestarting { node, .. }
            | Self::Kill { node }
            | Self::Wipe { node }
            | Self::Pause { node }
            | Self::Clock { node, .. }
            | Self::Disk { node, .. } => [*node].into(),
        }
    }
}
