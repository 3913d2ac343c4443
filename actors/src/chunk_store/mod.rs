//! Keeps the bodies of chunks: counts what each producer may have here, checks, makes durable, serves, lets go.
//!
//! ```text
//!   engine: judge(header) --> quota --> wait for the body --> check --> write --> sync --> Valid
//!   relay: a body arrived ------------------^                            ^
//!   builder: persist(own body) ------------------------------------------+--> sync --> durable
//!   executor: accept(height, chunks) --> copy under the height --> sync --> quota is freed
//!   horizon: executed time --> what expired is let go, section by section
//! ```
//!
//! Two archives: bodies that wait for a block lie under the *bucket* of their expiry, so that they go with their
//! section; bodies that a block accepted lie under its height until the retention limit. One sync serves all that was
//! written since the last, in both.
//!
//! The newest chunks of each producer also stay in memory as they were opened, until a block has executed them or the
//! producer has brought so many more: the executor of a node that keeps up reads nothing from the disk.
//!
//! A body is kept only for a header that the engine locked and asked about: that is when its quota is reserved. One
//! that comes before its header waits in memory, within a bound of its producer's own.
//!
//! Invariants:
//! 1. What a producer holds (neither executed nor expired) never passes its quota, nor what it produced in a period
//!    its rate, but for its own chunks that are on the disk already when the node starts, and bodies that finalized
//!    blocks need.
//! 2. A producer's chunks get their quota in the order of their heights. Being refused is nobody's fault.
//! 3. Quota is freed once: when a block accepted the chunk, when its lane was executed past it, or when it expired by
//!    executed time, whichever comes first. A restart rebuilds it from the disk.
//! 4. `Valid` is said, and an own body is called durable, only after the sync that covers its body.
//! 5. A section is removed only when executed time is past everything in it; what a block accepted was copied before.
//! 6. What was executed never waits for a block again, whatever crash comes between. What a block accepted whose commit was
//!    lost waits for that block again.
//! 7. No producer can use memory or disk of another's.
//! 8. After a disk error nothing is answered any more: the actor ends with the error and the node stops.
//! 9. `state` never awaits.

mod actor;
mod config;
mod core;
mod disk;
mod ingress;
mod message;
mod metrics;
mod recent;
mod record;
mod state;
#[cfg(test)]
mod tests;

pub use crate::disk::Disk;
pub use actor::{Actor, Executed, Outlets, Types, open};
pub use config::{Amount, Config, Limits, Rate};
pub use disk::Machine;
pub use ingress::{Accepted, Found, Mailbox, Share, Stored, Usage};
pub use message::{Absence, Effect, Location, Message, Source};
pub use record::Record;
pub use state::{Resident, Restored, State};

use crate::reference::Reference;
use commonware_runtime::Error as RuntimeError;
use commonware_storage::archive::Error as ArchiveError;
use thiserror::Error;

/// Why the store, and with it the node, stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The disk refused an operation on an archive, or what it gave back is damaged.
    #[error("the chunk store cannot be read or written: {0}")]
    Archive(#[from] ArchiveError),
    /// The disk refused a sync.
    #[error("the disk failed under the chunk store: {0}")]
    Disk(#[from] RuntimeError),
    /// A body that was written is not there any more.
    #[error("the chunk store is damaged: it has lost the body at bucket {bucket}, number {number}")]
    Lost {
        /// The bucket of its expiry.
        bucket: u64,
        /// Its number in the bucket.
        number: u64,
    },
}

/// Chunks that a block is said to hold and that are neither here nor were given along.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{} chunks of block {height} are not here: their bodies must be gathered first", unknown.len())]
pub struct Unknown<P: std::fmt::Debug> {
    /// The height of the block.
    pub height: u64,
    /// Those chunks.
    pub unknown: Vec<Reference<P>>,
}
