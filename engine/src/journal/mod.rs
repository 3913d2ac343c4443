//! The journal: one append-only log for everything a node must not forget, shared by its actors.
//!
//! ```text
//!  tip manager ---- Writer --+                    +-- notify(position) --> tip manager
//!                            +--> Actor --> disk --+
//!  sequencer engine Writer --+    (one sync for     +-- notify(position) --> sequencer engine
//!                                  all that waits)
//! ```
//!
//! A client appends records and gets a position; when a sync has made them durable it is told the highest position
//! that is. Many appends share one sync (group commit), and appends go on while a sync is under way.
//!
//! Every record has a key, and a later record of the same key replaces the earlier one. When the log has grown past a
//! limit, and before the first append of each life, the newest record of each key is copied to a new section and the old
//! sections are removed ("roll"). What a
//! client forgets is not copied; until the next roll a restart may still show it.
//!
//! Invariants:
//! 1. A position is notified only when its records, and all appended before them by anybody, are durable.
//! 2. At most one sync is in flight, and none is started with nothing to make durable.
//! 3. After a failed append or sync nothing is ever notified again: the actor ends with the error and the node stops.
//! 4. A restart shows a prefix of what was appended that contains everything notified: the newest record of each key,
//!    in append order. If durable records are lost in the middle of the log, opening it is an error.
//! 5. Old sections are removed only when every live record in them is durable elsewhere.
//! 6. A client has at most `unsynced_max` entries on their way: more is its bug, and it panics.
//! 7. `state.rs` never awaits.

mod actor;
mod config;
mod entry;
mod ingress;
mod live;
mod log;
mod metrics;
mod open;
mod state;
#[cfg(test)]
mod tests;

pub use actor::Actor;
use commonware_codec::Codec;
pub use config::Config;
pub use ingress::Writer;
pub use open::{Opened, init, open};
use thiserror::Error;

/// What a journal holds.
pub trait Record: Codec + Clone + Send + Sync + 'static {
    /// What a later record replaces, and what is forgotten by.
    type Key: Grouped;

    /// This record's key.
    fn key(&self) -> Self::Key;
}

/// A key of records. Keys are kept in groups, as the locks of a lane are one, and what is forgotten is a range of keys of one
/// group: whatever lies between two keys of a group must be of the group, and places must order its keys as they are.
pub trait Grouped: Ord + Clone + Send + Sync + 'static {
    /// What names a group.
    type Group: Ord + Send + Sync + 'static;
    /// What names a key within its group, in the order of the keys.
    type Place: Ord + Send + Sync + 'static;

    /// The group, and the place in it.
    fn split(self) -> (Self::Group, Self::Place);
}

/// Why the journal, and with it the node, stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The log cannot be opened or replayed.
    #[error("the journal cannot be read: {0}")]
    Log(#[from] commonware_storage::journal::Error),
    /// The disk refused an append, a sync, a removal, or an operation on the mark.
    #[error("the disk failed under the journal: {0}")]
    Disk(#[from] commonware_runtime::Error),
    /// Records that were durable are gone.
    #[error(
        "the journal is damaged: entries up to {durable} were durable, but only those up to {found} can be read"
    )]
    Lost {
        /// The newest entry that was durable.
        durable: u64,
        /// The newest entry that can be read; 0 if there is none.
        found: u64,
    },
}
