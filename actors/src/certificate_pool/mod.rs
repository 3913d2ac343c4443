//! Holds the newest certificates of each lane, and picks from them what a block includes.
//!
//! ```text
//!   certificates (journal's bases, engine, peers) --+
//!   headers (locked, proposed, fetched) ------------+--> State --> tips for the block builder
//!   horizon (included, finalized time) -------------+
//! ```
//!
//! A certificate can be included once the headers below it are here down to the lane's last inclusion: it
//! *links*. More than one certificate of a lane is kept, so that one that does not link yet, or never will,
//! falls back to one below it.
//!
//! Nothing is on the disk: after a restart the journal's bases and the peers fill the pool again.
//!
//! Invariants:
//! 1. What is picked is above its lane's base (the inclusion in the finalized chain or in an undecided
//!    ancestor, whichever is higher) and links to it, at most one certificate a lane.
//! 2. The highest certificate that links to the finalized inclusion is never pushed out by another.
//! 3. Expired certificates leave with the chain's time, never with a local clock; only one that a block may
//!    still take to move a long expired lane on stays.
//! 4. Memory is bounded by the number of lanes: a fixed number of certificates and of headers each.
//! 5. `state.rs` never awaits.

mod actor;
mod config;
mod ingress;
mod metrics;
mod state;
#[cfg(test)]
mod tests;

pub use actor::Actor;
pub use config::Config;
pub use ingress::{Mailbox, Message};
pub use state::{Candidate, Selection, State};
