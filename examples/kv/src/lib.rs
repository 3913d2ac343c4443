//! A replicated map: put, delete, compare and swap; and what a client needs to believe an answer.
//!
//! The first application to read. [`Command`] is what clients send, [`Map`] what the nodes make of it, [`Answer`] what
//! a client is given: the value, and a proof of it under a root that the client knows to be final.
//!
//! ```
//! use kv::{Answer, Command, Operation};
//!
//! let command = Command {
//!     expiry_ms: 60_000,
//!     salt: 1,
//!     operation: Operation::Put {
//!         key: "stone".into(),
//!         value: "dry".into(),
//!     },
//! };
//! // What a client submits.
//! let bytes: bytes::Bytes = command.into();
//!
//! // A client that knows a finalized root believes a node it does not trust.
//! fn believes(answer: &Answer, finalized_root: &drystone_engine::types::Digest) -> bool {
//!     answer.verify("stone".as_bytes(), finalized_root)
//! }
//! # assert_eq!(bytes.len(), 8 + 8 + 1 + 6 + 4);
//! ```

mod answer;
mod command;
mod load;
mod map;
mod program;
#[cfg(test)]
mod tests;

pub use answer::Answer;
pub use command::{Command, KEY_BYTES_MAX, Operation, VALUE_BYTES_MAX};
pub use map::Map;
pub use program::{Node, Section};
