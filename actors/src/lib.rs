//! The actors of a whole node around the certified lanes.
//!
//! - [`transaction`] is what the application says of a transaction,
//! - [`mempool`] holds transactions until they are executed, and spreads them,
//! - [`builder`] packs them into chunks of this node's lane,
//! - [`chunk`] the body of a chunk: how a list of transactions travels,
//! - [`chunk_store`] keeps the bodies of all producers within their quotas, and says what is durable,
//! - [`relay`] carries bodies between nodes: pushes, fetches, serves,
//! - [`certificate_pool`] holds the newest certificates of each lane, and picks what a block includes,
//! - [`lane`] ties the engine of the lanes to these.

mod bodies;
mod reference;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod types;

pub mod builder;
pub mod certificate_pool;
pub mod chunk;
pub mod chunk_store;
pub mod lane;
pub mod mempool;
pub mod relay;
pub mod transaction;

pub use bodies::Bodies;
pub use reference::{Place, Reference};
pub use types::Types;
