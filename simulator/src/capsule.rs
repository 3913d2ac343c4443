//! Everything about one failure in one file.

use crate::{
    Outcome, System,
    outcome::{Failure, Signature},
    plan::{Plan, Unsound},
    trace::TraceHash,
};
use serde::{Deserialize, Serialize};
use std::{fmt, fs, io, path::Path};

/// The version of the capsule's JSON.
pub const VERSION: u32 = 1;

/// How many lines of the story a capsule carries.
pub const STORY_LINES: usize = 200;

/// Everything about one failure: the plan alone replays it.
#[derive(Serialize, Deserialize)]
#[serde(bound = "", deny_unknown_fields)]
pub struct Capsule<S: System> {
    /// [`VERSION`] of the program that wrote it.
    pub version: u32,
    /// [`System::NAME`] of the system it is about.
    pub system: String,
    /// The one command that replays it.
    pub replay: String,
    /// What makes another failure the same one.
    pub signature: Signature,
    /// What went wrong.
    pub failure: Failure,
    /// The identity of the failed run.
    pub trace_hash: TraceHash,
    /// What decides the run.
    pub plan: Plan<S>,
    /// The first lines of the story.
    pub story: Vec<String>,
}

/// The fields by which a file is recognised before the rest of it is read.
#[derive(Deserialize)]
struct Label {
    version: u32,
    system: String,
}

/// Why a file is not a capsule of this system.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// The file cannot be read or written.
    #[error("cannot access {path}: {source}")]
    Unreadable {
        /// Which file.
        path: String,
        /// Why not.
        source: io::Error,
    },
    /// The text is not a capsule at all, or a damaged one.
    #[error("not a capsule: {0}")]
    Malformed(#[from] serde_json::Error),
    /// It was written by another version.
    #[error("the capsule has version {found}, this program reads version {VERSION}")]
    Version {
        /// Its version.
        found: u32,
    },
    /// It is about another system.
    #[error("the capsule is of system {found:?}, not of {wanted:?}")]
    Foreign {
        /// The system it is about.
        found: String,
        /// The system it was read for.
        wanted: &'static str,
    },
    /// Its plan cannot be run.
    #[error(transparent)]
    Unsound(#[from] Unsound),
}

impl<S: System> Capsule<S> {
    /// The capsule of a failed run; `None` if the run passed. `replay` is the command that replays it.
    pub fn of(plan: &Plan<S>, outcome: &Outcome, replay: impl Into<String>) -> Option<Self> {
        let failure = outcome.failure.clone()?;
        Some(Self {
            version: VERSION,
            system: S::NAME.into(),
            replay: replay.into(),
            signature: failure.signature(),
            failure,
            trace_hash: outcome.trace_hash,
            plan: plan.clone(),
            story: outcome.story.iter().take(STORY_LINES).cloned().collect(),
        })
    }

    /// The capsule as text.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).expect("a capsule serializes")
    }

    /// Reads a capsule from text.
    pub fn from_json(text: &str) -> Result<Self, Broken> {
        // The label first: a foreign capsule has other options and roles, whose errors would hide what is wrong.
        let label: Label = serde_json::from_str(text)?;
        if label.version != VERSION {
            return Err(Broken::Version {
                found: label.version,
            });
        }
        if label.system != S::NAME {
            return Err(Broken::Foreign {
                found: label.system,
                wanted: S::NAME,
            });
        }
        let capsule: Self = serde_json::from_str(text)?;
        capsule.plan.check()?;
        Ok(capsule)
    }

    /// Writes it to a file.
    pub fn write(&self, path: &Path) -> Result<(), Broken> {
        fs::write(path, self.to_json()).map_err(|source| Broken::Unreadable {
            path: path.display().to_string(),
            source,
        })
    }

    /// Reads it from a file.
    pub fn read(path: &Path) -> Result<Self, Broken> {
        let text = fs::read_to_string(path).map_err(|source| Broken::Unreadable {
            path: path.display().to_string(),
            source,
        })?;
        Self::from_json(&text)
    }
}

// A derive would ask `S` itself to be shown.
impl<S: System> fmt::Debug for Capsule<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "capsule of {} (trace {}): {}\n{}",
            self.failure, self.trace_hash, self.replay, self.plan
        )
    }
}
