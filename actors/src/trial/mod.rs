//! A network on trial: what must hold of any network of nodes that is killed under load, whatever the nodes are.
//!
//! ```text
//!                      nothing_told_is_lost()
//!                               |
//!                              Net
//!                        +------+-------+
//!     Processes: kill -9, HTTP       the simulator's Hosts: machines that lose what they had not synced
//! ```
//!
//! The checks are one body. An arm says how a node is killed, how it is asked, and how time passes; on processes time is
//! the machine's, in the simulator it is virtual. Nothing in the body waits for time to pass, but for what must be observed; one
//! thing cannot be: that nothing happens.

mod body;
mod processes;

pub use body::{Trial, nothing_told_is_lost, until};
pub use processes::{Ended, Payloads, Processes, came};

use drystone_engine::types::Digest;
use std::{collections::BTreeSet, future::Future, time::Duration};

/// How far a node has come, as it says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Heights {
    /// The newest final block.
    pub finalized: u64,
    /// The newest executed block.
    pub executed: u64,
}

/// What a node says that a block came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Came {
    /// The root of the state after it.
    pub root: Digest,
    /// The transactions that were executed in it.
    pub executed: BTreeSet<Digest>,
}

/// A network of nodes, by number, and its clients. A node that does not run answers nothing.
pub trait Net {
    /// How many nodes there are.
    fn nodes(&self) -> usize;

    /// A client brings its next transaction to a node: which it is, if the node accepts it.
    fn submit(&self, client: u64, node: usize) -> impl Future<Output = Option<Digest>>;

    /// In which block a node says that a transaction was executed. Waits for that, but not for ever.
    fn settled(&self, node: usize, id: Digest) -> impl Future<Output = Option<u64>>;

    /// How far a node has come.
    fn heights(&self, node: usize) -> impl Future<Output = Option<Heights>>;

    /// What a block came to, if a node has executed it.
    fn came(&self, node: usize, height: u64) -> impl Future<Output = Option<Came>>;

    /// Kills a node wherever it stands: what it had not made durable is lost.
    fn kill(&self, node: usize) -> impl Future<Output = ()>;

    /// Starts a node that does not run, from what its disk holds.
    fn start(&self, node: usize) -> impl Future<Output = ()>;

    /// Tells a node to stop: whether it did so gracefully.
    fn stop(&self, node: usize) -> impl Future<Output = bool>;

    /// Lets time pass.
    fn sleep(&self, duration: Duration) -> impl Future<Output = ()>;
}
