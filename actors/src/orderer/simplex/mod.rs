//! The Byzantine-safe orderer: commonware's simplex, one engine for each epoch, over one marshal for all of them.
//!
//! ```text
//!               votes, certificates, resolver (each a channel, a subchannel an epoch)
//!                 |
//!   epochs --> simplex engine <--> Inline <--> Application --> chain: judge, build
//!     ^                              |
//!     | boundary block               v
//!   Delivery <--------------------- marshal <--> blocks (broadcast), backfill (fetched)
//!     |                               |
//!     +--> chain, sink                +--> archives of blocks and finalizations
//! ```
//!
//! Inline verifies before the vote. A verdict that stays open keeps simplex's request pending; with its view the request
//! is dropped, and the question withdrawn. The last block of an epoch is proposed again until it is final; the next
//! epoch's engine starts from it.
//!
//! Invariants:
//! 1. A vote is for a block that the chain actor called valid. An open verdict is no vote, and never becomes *invalid*.
//! 2. At most `unacknowledged_max` blocks are handed out and not acknowledged.
//! 3. The chain actor hears of a final block before the sink does, and both in the order of heights.
//! 4. One engine runs at a time, of the epoch that follows the last block handed out. It starts once the epoch's
//!    validators are known.
//! 5. What an engine journaled is removed only once a whole later epoch lies above it.

mod application;
mod config;
mod delivery;
mod epochs;
#[cfg(any(test, feature = "mocks"))]
pub mod free;
mod peers;
mod start;
mod store;
#[cfg(test)]
mod tests;

pub use config::{Config, Network, Settings, message_size_max};
pub use start::{Simplex, start};

use commonware_consensus::{
    simplex::{elector, scheme::Scheme},
    types::Epoch,
};
use commonware_cryptography::certificate::Provider;
use commonware_storage::archive::Error as ArchiveError;
use drystone_engine::types::{Digest, Types};
use thiserror::Error;

/// Why an orderer cannot start.
#[derive(Debug, Error)]
pub enum Error {
    /// The disk refused, or what it gave back is damaged.
    #[error("the {name} of consensus cannot be read: {error}")]
    Archive {
        /// What lies there.
        name: &'static str,
        /// Why.
        error: ArchiveError,
    },
    /// A block that was written is not there any more.
    #[error(
        "the blocks of consensus are damaged: block {height}, which an epoch begins with, is lost"
    )]
    Lost {
        /// Its height.
        height: u64,
    },
}

/// The nouns of a deployment that orders with simplex.
pub trait Consensus: Clone + Send + Sync + 'static {
    /// Those of the lanes.
    type Types: Types;
    /// Signs and verifies votes.
    type Scheme: Scheme<Digest, PublicKey = <Self::Types as Types>::PublicKey>;
    /// Knows the scheme of each epoch: one that signs for this node if it is a validator and may vote, else one that
    /// verifies. It must know an epoch's whenever the provider of committees does.
    type Schemes: Provider<Scope = Epoch, Scheme = Self::Scheme>;
    /// Chooses leaders.
    type Elector: elector::Config<Self::Scheme> + Sync;
}

/// A consensus' public key.
type Key<C> = <<C as Consensus>::Types as Types>::PublicKey;
/// What a consensus orders.
type Ordered<C> = crate::block::Block<<C as Consensus>::Types>;
