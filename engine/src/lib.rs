//! The certified lane: hash-chained, pipelined lanes of chunk headers with cumulative certificates.
//!
//! Each sequencer owns a lane. Validators lock its headers, ask the application, and ack; 2f+1 acks
//! over one header certify it and everything below it. A node's part of all lanes is an [`Engine`]:
//!
//! - [`sequencer`] extends the node's own lane,
//! - [`ack_manager`] collects the acks of it and assembles its certificates,
//! - [`tip_manager`] locks and acks every lane and follows their certificates,
//! - [`journal`] makes durable what they must not forget; all of them share it,
//! - [`recovery`] asks the others what must not be contradicted after a lost disk.
//!
//! Each actor is a pure `State` (one closed enum in, typed effects out) and a loop that decides
//! nothing. The outside world is a parameter: [`Environment`] and [`Transport`].
//!
//! **Invariant:** no `state.rs` awaits, reads a clock or touches a disk.
//! **Invariant:** nothing is signed, sent or acknowledged before what it depends on is synced.
//! **Invariant:** nothing a peer sends panics, allocates by a claimed length, or grows a map without a
//! bound.

mod activity;
mod ahead;
pub mod alarm;
mod canary;
pub mod coalesce;
mod engine;
mod environment;
mod epochs;
mod horizon;
mod patience;
mod record;
mod refusal;
mod refuse;
#[cfg(all(test, feature = "mocks"))]
mod testing;

pub mod ack_manager;
pub mod journal;
pub mod recovery;
pub mod scheme;
pub mod sequencer;
pub mod tip_manager;
pub mod types;
pub mod wire;

pub use activity::{Activity, Automaton, Judgement, Next, Reporter, Verdict};
pub use ahead::Ahead;
pub use canary::Canary;
pub use engine::{Config, Engine, Error, Network, Start};
pub use environment::{Channel, Channels, Environment, Transport};
pub use epochs::Epochs;
pub use horizon::Horizon;
pub use record::{Group, Key, Record};
pub use refusal::{Class, Refusal};
