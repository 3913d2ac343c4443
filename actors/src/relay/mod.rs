//! Carries bodies between nodes: pushes own ones, fetches missing ones, serves those of others.
//!
//! ```text
//!   engine: relay(header) --> read --> push to all validators
//!   chunk store: want / settle --+
//!   executor: fetch / drop ------+--> ask signers, then the sequencer, then anyone <--> peers
//!   a body arrives --> open off the loop (digest, form) --> chunk store, executor
//!   a peer asks --> queue of its own, validators first --> read --> answer
//! ```
//!
//! Two channels: *requests*, small, and *bodies*, large: pushes and answers. A body travels as the bytes it lies as, behind
//! a prefix, and is not copied between the network's buffer and the archive's.
//!
//! What is wanted is asked of the newest certificate's signers in random pairs, then of the sequencer, then of anyone in
//! pairs; when all were asked, again after a back-off. That goes on until the body is here, by whatever way, or nobody
//! needs it any more.
//!
//! `commonware-resolver` fetches by key, but it knows no order among peers with a fall-back (its targets are exclusive),
//! no pushes that end a fetch, and no limits on serving; its values are decoded from a message that also frames them.
//! `commonware-broadcast` caches by digest for peers of one set and fetches nothing on a miss. What is left to share with
//! them is small, so the relay is its own.
//!
//! Invariants:
//! 1. A body is handed on only if its digest is the one wanted. One that is not is its sender's fault.
//! 2. A want ends by the body's arrival or by whoever wants it, never by failures.
//! 3. Whoever waits is answered, or sees its responder end: nobody waits for a fetch that is not there.
//! 4. Nothing that was not asked of a peer is looked at, but for pushes by a sequencer of its own chunks, within a rate.
//! 5. A peer has a bounded queue and a rate; no peer waits behind another's queue, no validator behind others.
//! 6. Nothing is allocated by a claimed length: a message is as long as the transport let it be.
//! 7. `state` never awaits.

mod actor;
mod config;
mod ingress;
mod metrics;
mod refusal;
mod state;
#[cfg(test)]
mod tests;
mod wire;

pub use crate::serving::Rate;
pub use actor::{Actor, Inbox, Network, mailbox};
pub use config::Config;
pub use ingress::{Fetched, Mailbox};
pub use refusal::Refusal;
pub use state::{Effect, Message, State};
pub use wire::{Answer, Parcel, Request, message_size_max};
