//! A sweep's result as one JSON object. The field names are a contract with other programs.

use super::{Exit, Kind};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, path::PathBuf};

/// What a sweep found. Times are virtual unless the name says wall.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Report {
    /// The scenario's name.
    pub scenario: String,
    /// The simulator's version.
    pub version: String,
    /// The seeds that were run; fewer than asked for when the time limit ended the sweep.
    pub seeds: SeedsRun,
    /// Seeds in which everything held.
    pub passed: u64,
    /// Seeds with a failure.
    pub failed: u64,
    /// The failures in the order of their seeds.
    pub failures: Vec<FailureLine>,
    /// Virtual seconds, all seeds together.
    pub simulated_seconds: f64,
    /// Wall seconds of the sweep.
    pub wall_seconds: f64,
    /// Simulated seconds for each wall second.
    pub ratio: f64,
    /// Messages delivered, all seeds together.
    pub deliveries: u64,
    /// Deliveries for each wall second.
    pub deliveries_per_second: f64,
    /// What running seeds twice showed.
    pub determinism: Determinism,
    /// What became of each property.
    pub properties: BTreeMap<String, PropertyLine>,
    /// How often each kind of observation was reported.
    pub observations: BTreeMap<String, u64>,
    /// Each seed's trace hash, if asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traces: Option<Vec<TraceLine>>,
}

/// The seeds of a sweep.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeedsRun {
    /// The first one.
    pub first: u64,
    /// The last one that was run.
    pub last: u64,
    /// How many were run.
    pub count: u64,
}

/// One failure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FailureLine {
    /// The seed it was found with.
    pub seed: u64,
    /// What broke.
    pub kind: Kind,
    /// The property that broke, or the word of the kind where no property speaks.
    pub property: String,
    /// The node that showed it, if one did.
    pub node: Option<usize>,
    /// Virtual time since the run's start, in microseconds.
    pub at_us: u64,
    /// The run's identity.
    pub trace_hash: String,
    /// Where its capsule was written.
    pub capsule: Option<PathBuf>,
    /// The command that shows it again.
    pub replay: String,
    /// What was seen. For the table: the JSON leaves it to the capsule.
    #[serde(skip)]
    pub message: String,
}

/// What running seeds twice showed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Determinism {
    /// Seeds that were run twice.
    pub checked: u64,
    /// Seeds whose two runs differed.
    pub mismatched: u64,
}

/// What became of one property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PropertyLine {
    /// Facts checked, all seeds together: none means that the sweep says nothing about it.
    pub checked: u64,
    /// Facts that were wrong.
    pub violated: u64,
}

/// One seed's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceLine {
    /// The seed.
    pub seed: u64,
    /// The hash of its trace.
    pub trace_hash: String,
}

impl Report {
    /// The status the process ends with.
    pub fn exit(&self) -> Exit {
        self.failures
            .iter()
            .map(|failure| failure.kind.exit())
            .max()
            .unwrap_or(Exit::Held)
    }
}
