//! Runs one simplex engine at a time: that of the epoch that follows the last block handed out.
//!
//! Invariants:
//! 1. Epochs are entered in order, each from the last block of the one before.
//! 2. An epoch is entered once its committee and its scheme are known here, and never twice.
//! 3. Who hears votes of a later epoch fetches the block that ends its own.

mod actor;
mod ingress;
mod state;
#[cfg(test)]
mod tests;

pub(super) use actor::{Actor, Marshal, Parts};
pub(super) use ingress::{Ingress, Mailbox};
pub(super) use state::State;
