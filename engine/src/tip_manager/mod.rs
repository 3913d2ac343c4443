//! Holds every lane as this node knows it: locks headers, asks for verdicts, acks, follows certificates.
//!
//! ```text
//!   headers --> check --> waiting --> lock --> journal --> sync --> ack --> sequencer
//!                                       +--> judge (application) -----+
//!   certificates --> check in batches --> base --> locks it covers are dropped
//! ```
//!
//! Invariants:
//! 1. In one epoch this node acks at most one header at a height of a lane, across any crash.
//! 2. An ack leaves only once its lock (or, for the base header, the base) is durable.
//! 3. An ack at a height means: every header above the base up to it is locked, and every live body
//!    up to it is here or covered by the base.
//! 4. A base is journaled before any lock it covers is dropped; an epoch before any ack in it.
//! 5. Memory is bounded: a window of headers above the base, the certified headers above the executed
//!    inclusion, of those below it the last (`lane_headers_max` a lane, until they expire), `WALKS_MAX` runs
//!    that are waited for, each with its headers that no lane has a place for, one candidate certificate a
//!    lane and peer, one proof an epoch and sequencer.
//! 6. Nothing a peer sends panics.

mod actor;
mod config;
mod ingress;
mod metrics;
mod state;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use actor::{Actor, Peers};
pub(crate) use actor::{Neighbours, mailbox};
pub use config::Config;
pub use ingress::{Candidate, Ingress, Mailbox, Message};
pub use state::{Config as StateConfig, Effect, Run, State, To, entered, muted_until};
