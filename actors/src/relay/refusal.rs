//! Why a message from a peer is refused. As in the engine: a peer's fault is a value.

use thiserror::Error;

/// Why a message, or a body in it, is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Truncated, trailing, an unknown kind, or beyond a limit.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// No chunk could be named so: nobody honest asks for it or sends it.
    #[error("no lane can hold the chunk named, at height {0}")]
    Impossible(u64),
    /// A body that is not the one named.
    #[error("the body at height {0} is another than the one named")]
    OtherBody(u64),
    /// A chunk pushed by another than its producer.
    #[error("the chunk pushed, at height {0}, is another sequencer's")]
    NotProducer(u64),
    /// A push by one who is no sequencer here: of an epoch not known yet, or over.
    #[error("the sender is not a sequencer")]
    NotSequencer,
    /// More than its rate.
    #[error("the sender pushes more than its rate")]
    TooFast,
    /// An answer to what was not asked, or not any more.
    #[error("nothing was asked about the chunk at height {0}")]
    Unasked(u64),
}

impl Refusal {
    /// Whether an honest peer could never have sent this, so that its sender is cut off.
    pub const fn is_attributable(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_) | Self::Impossible(_) | Self::OtherBody(_) | Self::NotProducer(_)
        )
    }

    /// What is counted.
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::Impossible(_) => "impossible",
            Self::OtherBody(_) => "other_body",
            Self::NotProducer(_) => "not_producer",
            Self::NotSequencer => "not_sequencer",
            Self::TooFast => "too_fast",
            Self::Unasked(_) => "unasked",
        }
    }

    /// Every label, for counters that are made once.
    pub const LABELS: [&'static str; 7] = [
        "malformed",
        "impossible",
        "other_body",
        "not_producer",
        "not_sequencer",
        "too_fast",
        "unasked",
    ];
}

impl From<commonware_codec::Error> for Refusal {
    fn from(error: commonware_codec::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
