//! The actors of a whole node around the certified lanes.
//!
//! - [`transaction`] is what the application says of a transaction,
//! - [`chunk`] the body of a chunk: how a list of transactions travels.

mod bodies;

pub mod chunk;
pub mod transaction;

pub use bodies::Bodies;
