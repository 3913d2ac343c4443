//! Executes what finalized blocks stand for, one block after the other.
//!
//! ```text
//!   orderer: Finalized --> queue --> walk: the run of headers of each lane above its last included one
//!                                      |    (up to `ahead_blocks`)
//!                                      v
//!                            gather: bodies that are not expired at the block's time, here or fetched
//!                                      |    (up to `ahead_bytes`, oldest block first)
//!                                      v
//!     application <--- execute: by (slot, sequencer), untimely and executed ones left out
//!                                      |
//!                   record by height --+--> chunk store: accept
//!                                      v
//!                                state: commit     <-- the one commit point
//!                                      |
//!                          acknowledge, then publish: horizon, mempool, progress, subscribers
//! ```
//!
//! Before the commit everything is idempotent, after it everything can be derived again: a block that was under way when
//! the node died is executed once more from the same state, and one that is handed out although it was committed is
//! acknowledged at once.
//!
//! Invariants:
//! 1. Blocks are executed in the order of their heights, each from the state that the one before it left. Nothing is
//!    skipped: what is missing is waited for.
//! 2. When a block is committed, its record and its bodies are durable; when it is acknowledged, its state is.
//! 3. No transaction is executed twice, and none outside of its validity. A copy that was not executed shadows none.
//! 4. Bodies in memory are bounded: by `ahead_bytes`, or by what one block may stand for.
//! 5. No subscriber is waited for. What a slow one loses it can see by the heights, and ask for.
//! 6. What a block comes to depends on the block, the state before it and the window alone. If a record of it is there
//!    already and is another, the node stops.
//! 7. After an error of the disk, of the application, or of the chain itself nothing is executed any more: the actor
//!    ends with it and the node stops.
//! 8. `state` never awaits.

mod actor;
mod apply;
mod book;
mod config;
mod core;
mod finalized;
mod gather;
mod ingress;
mod lost;
mod message;
mod metrics;
mod open;
mod ports;
mod progress;
mod record;
mod results;
mod state;
#[cfg(test)]
mod tests;

pub use crate::disk::Disk;
pub use actor::Actor;
pub use config::Config;
pub use finalized::Finalized;
pub use ingress::{Inbox, Ingress, Mailbox, mailbox};
pub use message::{Block, Body, Effect, Message, Ready};
pub use open::{Ports, Types, open, root};
pub use ports::{Fetcher, Lanes, Outlets, Store};
pub use progress::{Newest, Progress};
pub use record::Record;
pub use results::{Entry, Fate, Results};
pub use state::{Start, State};

use crate::application::Failure;
use commonware_storage::archive::Error as ArchiveError;
use drystone_engine::types::Digest;
use thiserror::Error;

/// What was finalized can be no chain: more than f validators are faulty, or what lies on this node's disk is not what
/// was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Broken {
    /// A block is missing below it.
    #[error(
        "block {height} came where {expected} was due: the state is behind what was acknowledged"
    )]
    Gap {
        /// The block that came.
        height: u64,
        /// The one that was due.
        expected: u64,
    },
    /// Its time is not above its parent's.
    #[error("the time of block {height} is not above that of the one before")]
    Time {
        /// Its height.
        height: u64,
    },
    /// A tip of it does not extend what its lane had included.
    #[error("a tip of block {height} does not extend its lane")]
    Run {
        /// Its height.
        height: u64,
    },
}

/// Why the executor, and with it the node, stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The state failed.
    #[error(transparent)]
    State(#[from] crate::state::Error),
    /// The disk failed under the records of executed blocks, or they are damaged.
    #[error("the records of executed blocks cannot be read or written: {0}")]
    Book(#[from] ArchiveError),
    /// The application cannot go on.
    #[error(transparent)]
    Application(#[from] Failure),
    /// The chain is none.
    #[error(transparent)]
    Broken(#[from] Broken),
    /// The task that executed a block ended without a word.
    #[error("the execution of a block was interrupted")]
    Interrupted,
    /// The chunk store ended.
    #[error("the chunk store ended before the bodies of block {0} were durable")]
    StoreEnded(u64),
    /// The chunk store lacks what it was just given.
    #[error("the chunk store does not keep the bodies of block {0}")]
    Refused(u64),
    /// Records of blocks whose transactions may still be repeated are missing.
    #[error(
        "the record of block {height} is missing: block {next} cannot be executed before what it may repeat has expired, or is here"
    )]
    Incomplete {
        /// The newest block whose record is missing.
        height: u64,
        /// The block that was to be executed.
        next: u64,
    },
    /// The record does not belong to the state.
    #[error(
        "the record of block {height} is not the one that the state names: results {found}, not {expected}"
    )]
    Foreign {
        /// The block's height.
        height: u64,
        /// What the state names.
        expected: Digest,
        /// What the record has.
        found: Digest,
    },
    /// The block was executed before, and came to something else.
    #[error(
        "block {height} came to root {found}, and to {recorded} when it was executed before: the application does not do the same twice, or the disk is damaged"
    )]
    Diverged {
        /// The block's height.
        height: u64,
        /// The root now.
        found: Digest,
        /// The root then.
        recorded: Digest,
    },
}
