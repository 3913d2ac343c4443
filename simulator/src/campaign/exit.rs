//! What the process tells its caller.

use crate::FailureKind;
use serde::{Deserialize, Serialize};
use std::{fmt, process::ExitCode};

/// The exit status of every command. When a sweep finds failures of several kinds, the last of them in this order is
/// reported: a world that runs two ways casts doubt on everything else it shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Everything held.
    Held,
    /// Wrong usage, or an input that cannot be read.
    Usage,
    /// A liveness property was violated.
    Liveness,
    /// A task panicked.
    Panic,
    /// A safety property was violated.
    Safety,
    /// The same seed ran two ways.
    Nondeterminism,
}

impl Exit {
    /// The number the shell sees.
    pub fn code(self) -> u8 {
        match self {
            Self::Held => 0,
            Self::Usage => 2,
            Self::Safety => 10,
            Self::Liveness => 11,
            Self::Panic => 12,
            Self::Nondeterminism => 13,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What broke.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Something wrong was observed.
    Safety,
    /// Something right was not observed in time.
    Liveness,
    /// A task panicked.
    Panic,
    /// The same seed ran two ways.
    Nondeterminism,
}

impl Kind {
    /// The status a process ends with that found this and nothing graver.
    pub fn exit(self) -> Exit {
        match self {
            Self::Safety => Exit::Safety,
            Self::Liveness => Exit::Liveness,
            Self::Panic => Exit::Panic,
            Self::Nondeterminism => Exit::Nondeterminism,
        }
    }
}

impl From<FailureKind> for Kind {
    fn from(kind: FailureKind) -> Self {
        match kind {
            FailureKind::Safety => Self::Safety,
            FailureKind::Liveness => Self::Liveness,
            FailureKind::Panic => Self::Panic,
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Safety => "safety",
            Self::Liveness => "liveness",
            Self::Panic => "panic",
            Self::Nondeterminism => "nondeterminism",
        })
    }
}
