//! Collects the acks of this node's own lane and assembles its certificates.
//!
//! ```text
//!   acks --> tally by (height, epoch) --> quorum --> assemble at the highest, off the loop
//!                                                     +-- certificate --> sequencer, tip manager
//!                                                     +-- forged ones found by bisection, charged
//! ```
//!
//! Invariants:
//! 1. No signature is checked before a quorum is there, and none twice.
//! 2. One certificate at the highest quorum serves every height below it: acks below it are dropped
//!    unchecked.
//! 3. Memory is bounded: heights in flight x epochs within the bounds x validators. An ack for any
//!    other height, or for another header, leaves nothing behind.
//! 4. A forged ack costs its sender the connection and nobody else anything.

mod actor;
mod config;
mod ingress;
mod metrics;
mod state;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use actor::Actor;
pub(crate) use actor::mailbox;
pub use config::Config;
pub use ingress::{Ingress, Mailbox};
pub use state::{Effect, Job, Message, Pace, State};
