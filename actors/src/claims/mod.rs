//! Tells the other nodes how far this one has executed, and hears it of them.
//!
//! ```text
//!   executor: executed(height) --> claim --> all peers, at once, and again now and then
//!   a peer's claim --> chain actor: who may name which state in a block
//! ```
//!
//! A claim is a height, in the name of whom the transport authenticates. It proves nothing: a leader names a state that
//! enough validators claim, and each voter compares the root with its own. One that is lost is repeated.
//!
//! Invariants:
//! 1. What this node claims never goes back, and is claimed only after its state is durable.
//! 2. Nothing is kept of a peer here: the chain actor keeps one height of each validator.

mod actor;
mod ingress;
#[cfg(test)]
mod tests;

pub use actor::{Actor, Listener};
pub use ingress::Mailbox;
