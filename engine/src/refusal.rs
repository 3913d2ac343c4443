//! Why a message from a peer is refused.
//!
//! A peer's fault is a value: it is logged, counted, and where it proves the *sender* faulty, handed
//! to the blocker. It never panics and never stops the node.

use thiserror::Error;

/// What kind of check failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// The bytes are not a message.
    Parser,
    /// The application refused the chunk.
    Application,
    /// The message does not fit the lane as it stands here.
    Broadcast,
    /// The epoch is out of bounds or unknown.
    Epoch,
    /// The sender may not say this.
    Peer,
    /// A signature does not verify.
    Signature,
}

impl Class {
    /// Every kind, in order.
    pub const ALL: [Self; 6] = [
        Self::Parser,
        Self::Application,
        Self::Broadcast,
        Self::Epoch,
        Self::Peer,
        Self::Signature,
    ];
}

/// Why a message, or a part of one, is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Truncated, trailing, non-canonical or beyond a limit.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// Outside the epoch bounds; refused before any signature is checked.
    #[error("epoch {epoch} is out of bounds around {current}")]
    EpochOutOfBounds {
        /// The epoch named.
        epoch: u64,
        /// The epoch this node is in.
        current: u64,
    },
    /// Within the bounds, but its committee is not known here yet.
    #[error("the committee of epoch {0} is not known")]
    EpochUnknown(u64),
    /// No such sequencer in the epoch's set.
    #[error("epoch {epoch} has no sequencer {index}")]
    UnknownSequencer {
        /// The epoch named.
        epoch: u64,
        /// The index named.
        index: u32,
    },
    /// An ack from somebody who is not a validator of its epoch.
    #[error("the sender is not a validator of epoch {0}")]
    NotValidator(u64),
    /// An ack in another validator's name.
    #[error("the ack names signer {named}, its sender is signer {sender}")]
    WrongSigner {
        /// The index in the ack.
        named: u32,
        /// The index of the authenticated sender.
        sender: u32,
    },
    /// The sequencer did not sign this header.
    #[error("the signature of the header at height {0} is invalid")]
    HeaderSignature(u64),
    /// An ack's signature does not verify.
    #[error("the signature of the ack at height {0} is invalid")]
    AckSignature(u64),
    /// A certificate does not verify.
    #[error("the certificate at height {height} of epoch {epoch} is invalid")]
    CertificateSignature {
        /// The height claimed.
        height: u64,
        /// The epoch claimed.
        epoch: u64,
    },
    /// No lane could hold this header: its height, slot or body size is out of range.
    #[error("no lane can hold the header at height {0}")]
    Impossible(u64),
    /// Below what is certified here.
    #[error("height {0} is below the base")]
    BelowBase(u64),
    /// Above what is kept here.
    #[error("height {0} is beyond the window")]
    BeyondWindow(u64),
    /// Does not link to the header below it.
    #[error("the header at height {0} does not extend the lane")]
    BrokenLink(u64),
    /// The application said that the chunk is invalid.
    #[error("the application refused the chunk at height {0}")]
    Verdict(u64),
    /// An ack for a height that is not in flight here.
    #[error("height {0} is not in flight")]
    NotInFlight(u64),
    /// An ack for another header than the one in flight.
    #[error("the ack at height {0} is for another header")]
    OtherHeader(u64),
    /// The same ack again.
    #[error("the ack at height {0} is a duplicate")]
    DuplicateAck(u64),
}

impl Refusal {
    /// What kind of check failed.
    pub const fn class(&self) -> Class {
        match self {
            Self::Malformed(_) => Class::Parser,
            Self::Verdict(_) => Class::Application,
            Self::EpochOutOfBounds { .. } | Self::EpochUnknown(_) => Class::Epoch,
            Self::UnknownSequencer { .. } | Self::NotValidator(_) | Self::WrongSigner { .. } => {
                Class::Peer
            }
            Self::HeaderSignature(_)
            | Self::AckSignature(_)
            | Self::CertificateSignature { .. } => Class::Signature,
            Self::Impossible(_)
            | Self::BelowBase(_)
            | Self::BeyondWindow(_)
            | Self::BrokenLink(_)
            | Self::NotInFlight(_)
            | Self::OtherHeader(_)
            | Self::DuplicateAck(_) => Class::Broadcast,
        }
    }

    /// Whether an honest peer could never have sent this, so that its sender is cut off. What an
    /// honest peer may send late, early or on behalf of a faulty sequencer is ignored instead.
    pub const fn is_attributable(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_)
                | Self::UnknownSequencer { .. }
                | Self::NotValidator(_)
                | Self::WrongSigner { .. }
                | Self::HeaderSignature(_)
                | Self::AckSignature(_)
                | Self::CertificateSignature { .. }
                | Self::Impossible(_)
        )
    }
}

impl From<commonware_codec::Error> for Refusal {
    fn from(error: commonware_codec::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
