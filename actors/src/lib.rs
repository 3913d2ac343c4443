//! The actors of a whole node around the certified lanes.
//!
//! - [`transaction`] is what the application says of a transaction,
//! - [`mempool`] holds transactions until they are executed, and spreads them,
//! - [`builder`] packs them into chunks of this node's lane,
//! - [`chunk`] the body of a chunk: how a list of transactions travels,
//! - [`chunk_store`] keeps the bodies of all producers within their quotas, and says what is durable,
//! - [`relay`] carries bodies between nodes: pushes, fetches, serves,
//! - [`certificate_pool`] holds the newest certificates of each lane, and picks what a block includes,
//! - [`lane`] ties the engine of the lanes to these,
//! - [`block`] is what consensus orders,
//! - [`chain`] judges blocks and builds them,
//! - [`claims`] tells the others how far this node executed,
//! - [`orderer`] puts them into one order,
//! - [`runs`] gets the headers of a block that engines have forgotten from the nodes that executed it,
//! - [`executor`] executes what finalized blocks stand for,
//! - [`application`] is what a user writes, [`state`] what it reads and writes,
//! - [`unordered`] has maps that nobody can iterate,
//! - [`window`] knows which transactions were executed already,
//! - [`node`] is all of it together,
//! - [`deploy`] is a deployment of real nodes: genesis, keys, configuration, network,
//! - [`http`] is what its clients and operators ask,
//! - [`cli`] is the command line of every application's binary.

mod bodies;
mod canary;
mod disk;
#[cfg(any(test, feature = "mocks"))]
pub mod mocks;
mod reference;
mod serving;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "mocks"))]
pub mod trial;
mod types;

pub mod application;
pub mod block;
pub mod builder;
pub mod certificate_pool;
pub mod chain;
pub mod chunk;
pub mod chunk_store;
pub mod claims;
pub mod cli;
pub mod deploy;
pub mod executor;
pub mod http;
pub mod lane;
pub mod mempool;
pub mod node;
pub mod orderer;
pub mod relay;
pub mod runs;
pub mod state;
pub mod transaction;
pub mod unordered;
pub mod window;

pub use bodies::Bodies;
pub use canary::Canary;
pub use reference::{Place, Reference};
pub use types::Types;
