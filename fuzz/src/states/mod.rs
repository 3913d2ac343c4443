//! The three pure states, driven by bytes.
//!
//! Bytes become a sequence of messages: what peers send, what the disk and the application answer, epochs, the chain,
//! restarts. A driver plays the actor around the state and keeps what the state must not contradict.

mod ack;
mod journal;
mod sequencer;
mod tip;

pub use ack::ack_manager;
pub use sequencer::sequencer;
#[cfg(feature = "canary")]
pub use sequencer::sequencer_with;
pub use tip::tip_manager;
#[cfg(feature = "canary")]
pub use tip::tip_manager_with;

/// Messages of one run, at most.
const STEPS_MAX: usize = 200;
