//! Gets the headers of a lane in a block: from the engine, and when that takes long from the records of other nodes.
//!
//! ```text
//!   executor: run(block, lane, above, to) ----------------> engine, at once ---------------------------+
//!                                       |                                                             +--> the first
//!                                       +-- after `patience_ms`: one peer, the next one, ... ---------+    answers
//!
//!   a peer asks --> queue of its own --> the executor's record of the block --> answer, or "not here"
//! ```
//!
//! Engines forget headers that expired. A node that was down for longer than they are kept can execute no block that
//! stands for one, unless it gets them from those who executed the block: what a block stands for lies in their records,
//! expired headers too, for the retention limit.
//!
//! Peers are asked one at a time, in a random order; when all were asked, again after a back-off. That goes on until the
//! headers are here, from wherever, or nobody needs them any more.
//!
//! What comes is checked by its digests alone: each header names the one below, and the highest is named by a certificate
//! that whoever asks has verified. So it is what a quorum acked, whoever sent it. Signatures of sequencers were checked by
//! those who acked, and are neither checked nor vouched for here: nothing may be concluded from that of a header which
//! came this way, against its sequencer or anybody else.
//!
//! `commonware-resolver` would fetch by key, but has no limits on serving, and reads a value before anybody knows what was
//! asked.
//!
//! Invariants:
//! 1. A run is handed on only if the digests lead from the highest place asked for to the lowest. One that does not is its
//!    sender's fault: who serves has the question, and no other answer to it than this one or none.
//! 2. A want ends by its headers' arrival or because nobody waits for them, never by failures.
//! 3. Whoever waits is answered, or sees its responder end.
//! 4. Nothing that was not asked of a peer is looked at: of an answer only its number is read before that is known.
//! 5. A peer has a bounded queue and a rate, and pays for what is read for it. No peer waits behind another's queue.
//! 6. Nothing is allocated by a claimed length: a run is the rest of its message.
//! 7. While the engine answers in time, no peer is asked.
//! 8. `state` never awaits.

mod actor;
mod config;
mod ingress;
mod metrics;
mod ports;
mod question;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
pub mod wire;

pub use crate::serving::Rate;
pub use actor::Actor;
pub use config::Config;
pub use ingress::{Ingress, Mailbox};
pub use ports::{Records, Types};
pub use question::{Question, Run};
pub use refusal::Refusal;
pub use state::{Effect, Message, State};
pub use wire::message_size_max;
