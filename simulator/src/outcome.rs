//! What became of a run.

use crate::{host::Counters, network::Stats, trace::TraceHash};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, fmt};

/// What became of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// The scenario it was drawn from.
    pub scenario: String,
    /// The seed it was drawn with.
    pub seed: u64,
    /// What went wrong, if anything did.
    pub failure: Option<Failure>,
    /// The identity of the run.
    pub trace_hash: TraceHash,
    /// How much virtual time it took.
    pub simulated_us: u64,
    /// How many messages arrived.
    pub deliveries: u64,
    /// How many messages got lost.
    pub drops: u64,
    /// Deliveries, drops and observations: what the step budget counts.
    pub steps: u64,
    /// What the network carried. All zero if the run panicked.
    pub network: Stats,
    /// What all disks did, together. All zero if the run panicked.
    pub disks: Counters,
    /// How many of their syncs were of each partition. Empty if the run panicked.
    pub syncs: BTreeMap<String, u64>,
    /// Per property, goals included, how often it was checked and violated.
    pub properties: BTreeMap<String, Tally>,
    /// Per kind of observation how many there were; 0 for one that was never reached.
    pub observations: BTreeMap<String, u64>,
    /// The lines of the story that were asked for.
    pub story: Vec<String>,
}

impl Outcome {
    /// Whether everything held.
    pub const fn passed(&self) -> bool {
        self.failure.is_none()
    }

    /// How many observations of a kind there were. Panics if there is no such kind: a test that asks for a misspelled
    /// one proves nothing.
    pub fn observed(&self, kind: &str) -> u64 {
        *self
            .observations
            .get(kind)
            .unwrap_or_else(|| panic!("{kind:?} is not a kind of observation"))
    }
}

/// How often a property was checked, and how often it was found violated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many facts were checked.
    pub checked: u64,
    /// How many of them were wrong.
    pub violated: u64,
}

/// In which way a run failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// Something wrong was observed.
    Safety,
    /// Something owed did not come about in time.
    Liveness,
    /// A node, or the world, panicked.
    Panic,
}

impl fmt::Display for FailureKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safety => "safety",
            Self::Liveness => "liveness",
            Self::Panic => "panic",
        })
    }
}

/// What went wrong first in a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Failure {
    /// In which way.
    pub kind: FailureKind,
    /// Which property was violated, or which goal missed.
    pub property: String,
    /// The node at fault, if it is one.
    pub node: Option<usize>,
    /// When, in virtual microseconds.
    pub at_us: u64,
    /// What was seen.
    pub message: String,
}

impl Failure {
    /// What makes two failures the same one: times and messages may differ.
    pub fn signature(&self) -> Signature {
        Signature {
            kind: self.kind,
            property: self.property.clone(),
            node: self.node,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} failure of {:?}", self.kind, self.property)?;
        if let Some(node) = self.node {
            write!(f, " by node {node}")?;
        }
        write!(f, " at {}: {}", crate::time::show(self.at_us), self.message)
    }
}

/// What makes two failures the same one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Signature {
    /// In which way.
    pub kind: FailureKind,
    /// Which property.
    pub property: String,
    /// Which node, if it is one.
    pub node: Option<usize>,
}
