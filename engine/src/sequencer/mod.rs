//! Extends this node's own lane: asks the application for chunks, signs headers, journals them, sends
//! them, sends them again until they are certified, and spreads certificates.
//!
//! ```text
//!   application --> chunk --> sign --> journal --> sync --> validators
//!        ^                                                     | acks
//!        +-- at most `in_flight_max` uncertified <-- certificate <-- ack manager
//! ```
//!
//! Invariants:
//! 1. No two headers that anybody else saw are signed for one height: a header is durable before it is sent, and the
//!    next one extends the highest that the journal, a certificate or the chain shows. Nobody outside this node has it
//!    before that; its tip manager does, and what that locks stands behind the header in the journal.
//! 2. At most `in_flight_max` headers are uncertified, and the lane's lead never passes what a block
//!    can take.
//! 3. What is sent again is byte for byte what was signed; the certificate beside it is not signed.

mod actor;
mod config;
mod ingress;
mod metrics;
mod state;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use actor::Actor;
pub(crate) use actor::{Neighbours, mailbox};
pub use config::Config;
pub use ingress::{Ingress, Mailbox};
pub use state::{Config as StateConfig, Effect, Message, State};
