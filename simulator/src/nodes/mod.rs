//! Whole nodes as a system under test: from a client's transfer to the state that all nodes agree on.
//!
//! Every node is the deployed one: lanes, mempool, chunks, consensus, executor, state, and the ledger on top. Nothing is a
//! double but the machine, the network and the clients: wallets make the transfers that the plan lists, come back until they
//! are executed, and sign again what expired. Some nodes may be Byzantine ([`Role`]).

mod byzantine;
mod deployment;
mod forger;
mod goal;
mod life;
mod money;
mod observation;
mod options;
mod paced;
mod property;
mod scenarios;
mod settings;
mod shared;
mod stopwatch;
mod system;
#[cfg(test)]
mod tests;
mod wallet;
mod watcher;

pub use forger::Forgery;
pub use observation::{Answer, Fate, Leaving, Seen, Tip};
pub use options::{Action, Intent, Noise, Options, Role};
pub use stopwatch::{Stopwatch, Times};
pub use system::Nodes;
