//! The actors of a whole node around the certified lanes.
//!
//! - [`transaction`] is what the application says of a transaction,
//! - [`chunk`] the body of a chunk: how a list of transactions travels,
//! - [`certificate_pool`] holds the newest certificates of each lane, and picks what a block includes.

mod bodies;
#[cfg(test)]
mod testing;

pub mod certificate_pool;
pub mod chunk;
pub mod transaction;

pub use bodies::Bodies;
