//! Why a message from a peer is refused. As in the engine: a peer's fault is a value.

use thiserror::Error;

/// Why a message, or a run in it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Truncated, trailing, an unknown kind, or beyond a limit.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// No block could stand for such a run: nobody honest asks for it.
    #[error("no block can stand for the run asked for, at height {0}")]
    Impossible(u64),
    /// Headers that are not the ones asked for.
    #[error("the headers sent are not those that block {0} stands for")]
    OtherRun(u64),
    /// An answer to what was not asked, or not any more.
    #[error("nothing was asked under the number {0}")]
    Unasked(u64),
}

impl Refusal {
    /// Whether an honest peer could never have sent this, so that its sender is cut off.
    pub const fn is_attributable(&self) -> bool {
        !matches!(self, Self::Unasked(_))
    }

    /// What is counted.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Impossible(_) => "impossible",
            Self::OtherRun(_) => "other_run",
            Self::Unasked(_) => "unasked",
        }
    }

    /// Every label, for counters that are made once.
    pub const LABELS: [&'static str; 4] = ["malformed", "impossible", "other_run", "unasked"];
}

impl From<commonware_codec::Error> for Refusal {
    fn from(error: commonware_codec::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
