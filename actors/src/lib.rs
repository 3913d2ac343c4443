//! The actors of a whole node around the certified lanes.
//!
//! - [`transaction`] is what the application says of a transaction,
//! - [`mempool`] holds transactions until they are executed, and spreads them,
//! - [`builder`] packs them into chunks of this node's lane,
//! - [`chunk`] the body of a chunk: how a list of transactions travels,
//! - [`certificate_pool`] holds the newest certificates of each lane, and picks what a block includes.

mod bodies;
#[cfg(test)]
mod testing;
mod types;

pub mod builder;
pub mod certificate_pool;
pub mod chunk;
pub mod mempool;
pub mod transaction;

pub use bodies::Bodies;
pub use types::Types;
