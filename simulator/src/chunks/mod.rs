//! Chunks as a system under test: from a client's transaction to a certified body that anyone can fetch.
//!
//! Every node runs the deployed engine and the deployed mempool, builder, chunk store, relay and certificate pool. Doubles
//! stand for what comes after them: `chain` orders what the nodes' pools hand out, `executor` gathers what its blocks
//! stand for. `clients` submit the payments that the plan lists. Some nodes may be Byzantine ([`Role`]).

mod byzantine;
mod chain;
mod clients;
mod configs;
mod door;
mod executor;
mod genesis;
mod goal;
mod ledger;
mod node;
mod observation;
mod options;
mod payment;
mod property;
mod report;
mod scenarios;
mod seek;
mod shared;
mod stopwatch;
mod system;
#[cfg(test)]
mod tests;

pub(crate) use configs::{mempool_config, relay_config, store_config};
pub(crate) use genesis::genesis;
pub use observation::{Answer, Leaving, Seen};
pub use options::{Action, Kind, Lingers, Operation, Options, Role};
pub use payment::Payment;
pub use stopwatch::{Sample, Stopwatch, Times};
pub use system::Chunks;
