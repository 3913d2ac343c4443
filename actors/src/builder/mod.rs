//! Packs transactions into the chunks of this node's lane: the proposing half of the engine's `Automaton`.
//!
//! ```text
//!   engine --- propose ---> wait until enough may be packed, or a timer
//!                               | ask                     ^ the rest goes back
//!   mempool <-------------------+                         |
//!       +--- transactions ---> pack ---> bodies: sync ----+---> payload ---> engine
//! ```
//!
//! Invariants:
//! 1. One chunk is built at a time, and none that nobody asked for or that would be empty.
//! 2. A payload is answered only after its body is durable.
//! 3. What was taken for a chunk that is not made goes back to the mempool.

mod actor;
mod config;
mod ingress;
mod metrics;
mod state;
#[cfg(test)]
mod tests;

pub use actor::{Actor, mailbox};
pub use config::Config;
pub use ingress::{Ingress, Mailbox, Message, Request};
pub use state::{Effect, State};
