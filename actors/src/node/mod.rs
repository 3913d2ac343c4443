//! One whole node: every actor, started in order and tied to the others.
//!
//! ```text
//!   clients --> mempool <--> builder --> chunk store <--> relay
//!                  |                          |
//!                  v                          v
//!               engine (lanes) --> certificate pool --> chain <--> orderer
//!                  ^                                                  |
//!                  +------------- horizon ------------- executor <----+
//! ```
//!
//! [`start`] is the same on a deployed machine and in a simulated world. A [`Deployment`] chooses the nouns once: keys,
//! schemes, the application. Nothing here decides anything but three things:
//!
//! - An epoch begins when the last block of the one before is final: then the lanes enter it, and everybody learns whom to
//!   talk to.
//! - A mempool takes transactions only while this node is in step with the chain.
//! - What is not needed any more is pruned, as far behind the newest executed block as the configuration says.
//!
//! Invariants:
//! 1. The disk is read from the commit point outwards: state, chunk store, lanes, executor, consensus. Each is told what
//!    the one before it knows.
//! 2. When any part ends, the node does. Whatever ends it, a restart finds what was promised.
//! 3. A node that lost its disk votes in no epoch in which it may have voted before.
//! 4. A directory belongs to one deployment, named in it before there is a state: a node of another does not start in it.

mod config;
mod epochs;
mod handle;
mod mark;
mod network;
mod nouns;
mod open;
mod ports;
mod start;
mod step;

pub use config::{Config, LaneConfig};
pub use handle::{Error, Node, initialise, root};
pub use network::{CHANNELS, Channel, Network};
pub use nouns::{Deployment, Nouns, Schemes, Voters, Watcher};
pub use start::{Running, start};
