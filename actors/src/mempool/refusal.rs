//! Why what a peer sent to the mempool is refused. The classes are the engine's.

use crate::transaction::Invalid;
use drystone_engine::{Class, types::Digest};
use thiserror::Error;

/// Why a message, or a part of one, is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Refusal {
    /// Truncated, trailing, non-canonical or beyond a limit.
    #[error("malformed message: {0}")]
    Malformed(String),
    /// Content that the application cannot read: who announces has read it.
    #[error("a transaction cannot be read: {0}")]
    Undecodable(Invalid),
    /// An answer with something else than what was asked for.
    #[error("transaction {0} was not asked for in this request")]
    Unasked(Digest),
    /// An answer to no request that is open, perhaps because it came too late.
    #[error("request {0} is not open")]
    Late(u64),
    /// The application refused a transaction by its own state.
    #[error("transaction {id} is refused: {invalid}")]
    Rejected {
        /// Which.
        id: Digest,
        /// Why.
        invalid: Invalid,
    },
    /// No room: what one peer, one account or all may occupy is used up.
    #[error("no room for {0} transactions or ids")]
    NoRoom(usize),
    /// More was asked for than one peer is served.
    #[error("{0} transactions are more than this peer is served")]
    Greedy(usize),
    /// Not one of the peers that gossip is exchanged with.
    #[error("the sender is not a peer")]
    Stranger,
}

impl Refusal {
    /// What kind of check failed.
    pub const fn class(&self) -> Class {
        match self {
            Self::Malformed(_) => Class::Parser,
            Self::Undecodable(_) | Self::Rejected { .. } => Class::Application,
            Self::Unasked(_) | Self::Late(_) | Self::NoRoom(_) => Class::Broadcast,
            Self::Greedy(_) | Self::Stranger => Class::Peer,
        }
    }

    /// Whether an honest peer could never have sent this, so that its sender is cut off. What one node's
    /// state refuses another's may allow, and floods cost their sender their effect.
    pub const fn is_attributable(&self) -> bool {
        matches!(
            self,
            Self::Malformed(_) | Self::Undecodable(_) | Self::Unasked(_)
        )
    }
}

impl From<commonware_codec::Error> for Refusal {
    fn from(error: commonware_codec::Error) -> Self {
        Self::Malformed(error.to_string())
    }
}
