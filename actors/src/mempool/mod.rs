//! Holds transactions from the moment a client or a peer brings them until they are executed, expire, or a
//! block makes them invalid.
//!
//! ```text
//!   clients --> check ---> pool ---> candidates --> builder
//!   peers <--> announce,     ^  |       ^
//!              get, contents |  +-------+-- held back while a live chunk holds them
//!   executor --- executed, expired: out; what no chunk carries is checked again
//! ```
//!
//! Invariants:
//! 1. What is held is bounded in number and bytes: in all, of each account, and of what each peer brought.
//!    What is remembered of peers, chunks and executed transactions is bounded too.
//! 2. What was accepted leaves with a verdict: executed, expired by chain time, or made invalid by a block.
//! 3. Only what was checked here is announced, served, or packed, and nothing is announced to who brought it.
//! 4. An id is asked of one peer at a time, however many announce it.
//! 5. A transaction is packed by this node at most once at a time: while a live chunk of this node holds it,
//!    it is no candidate.
//! 6. What admission charges it gives back, exactly once.
//! 7. Nothing a peer sends panics.

mod actor;
mod config;
mod ingress;
mod mailbox;
mod metrics;
mod refusal;
mod state;
mod submissions;
#[cfg(test)]
mod tests;

pub mod wire;

pub use actor::{Actor, Application, Peers, Start, mailbox};
pub use config::{Amount, Config, GossipConfig, PoolConfig};
pub use ingress::{
    Activity, Answer, Batch, Built, Client, Executed, Ingress, Members, Message, Rank, Readiness,
    Sighting, Verdict,
};
pub use mailbox::Mailbox;
pub use refusal::Refusal;
pub use state::{Effect, State};

/// Who brought a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source<P> {
    /// A client of this node.
    Client,
    /// Another node.
    Peer(P),
}

/// Takes what a mempool reports. Reporting never blocks and never fails.
pub trait Observer<P>: Clone + Send + Sync + 'static {
    /// Takes one.
    fn report(&self, activity: Activity<P>);
}
