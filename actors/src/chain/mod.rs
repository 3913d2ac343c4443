//! Judges blocks and builds them, by what this node knows of the chain. It names no consensus: an orderer asks.
//!
//! ```text
//!   orderer: judge --> form --> certificates, in one batch --> headers down to the last inclusion --> limits --+
//!                                                              (fetched)                                       v
//!   clock, executed here -----------------------------------------------------------------------> valid | invalid
//!   orderer: build --> wait for the interval --> certificate pool --> every check of a voter --> block
//!                                                    ^ nothing yet: when something is certified, until the gap ends
//!   finalized blocks --> lane table; roots named, beside those executed here
//! ```
//!
//! Invariants:
//! 1. *Invalid* is said only of what can never become valid. Whatever else is missing keeps the question open, until it
//!    arrives or nobody asks any more.
//! 2. Headers are fetched only for certificates that hold, and only as many as a block may stand for.
//! 3. No certificate is verified twice, and none that the engine verified or assembled is verified here.
//! 4. What is built passes every check of a voter that knows what the builder knows.
//! 5. A finalized block that names another state than this node reached stops the node.
//! 6. Memory is bounded by the questions that consensus asks at once, by the lanes, and by what is finalized and not yet
//!    executed.

mod actor;
mod config;
mod ingress;
mod lanes;
mod metrics;
mod state;
#[cfg(test)]
mod tests;

pub use actor::{Actor, Inbox, Source, mailbox};
pub use config::Config;
pub use ingress::{Id, Judged, Mailbox, Message, Order, Question};
pub use lanes::{Basis, Descent, Lanes, Table, Walk};
pub use state::{Divergence, Effect, Missing, Start, State, Verdict};
