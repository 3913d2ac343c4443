//! The replicated state: what the application wrote, the lane table, and a digest of the results, under one root.
//!
//! ```text
//!   application --> Batch --> writes, in the order of their keys --> prepare --> root
//!   lane table, results' digest -----------^                                      |
//!   mempool, queries <-- Reader                                                   v
//!   clients <-- Proof (value, root): verified without a database           apply: the commit
//! ```
//!
//! It is a database of `commonware_storage::qmdb::current`, whose canonical root is the *app hash*. What that root depends
//! on beyond the content is a parameter of consensus: the log of operations, hence one batch a block, the order of its
//! writes, the floor policy (`Proportional`), the writes of the genesis, the metadata of each commit. How much of the
//! log is pruned is not.
//!
//! The ordered database over a Merkle mountain range: proofs that a key has a value and that it has none, and a table
//! of lanes that can be walked. Keys are hashed by name within a realm, so that an application can neither write what
//! is reserved nor be made slow by names that lie close together.
//!
//! Invariants:
//! 1. A batch is applied whole, with its head (height, digest, time), or not at all: one commit a block.
//! 2. The root is known before anything is applied.
//! 3. What an application writes never lies under a reserved key.
//! 4. A reader sees the state of one height from the beginning to the end.
//! 5. After a disk error nothing is read or written any more.

mod config;
mod head;
mod key;
mod proof;
mod reader;
mod store;
#[cfg(test)]
mod tests;
mod view;

pub use config::Config;
pub use head::Head;
pub use key::Key;
pub use proof::Proof;
pub use reader::{Proven, Reader};
pub use store::{Database, Error, Machine, Prepared, State};
pub use view::{Batch, Memory, Source, Unreadable, VALUE_BYTES_MAX, View, Writes};
