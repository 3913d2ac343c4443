//! What a tip manager is built with.

use crate::types::Types;
use std::{num::NonZeroUsize, time::Duration};

/// Parameters of one node's tip manager.
pub struct Config<T: Types> {
    /// This node.
    pub me: T::PublicKey,
    /// Owns the chunks' bodies.
    pub automaton: T::Automaton,
    /// Takes what is reported.
    pub reporter: T::Reporter,
    /// Where certificates are checked.
    pub strategy: T::Strategy,
    /// How often newest certificates are exchanged and missing headers asked for again.
    pub rebroadcast: Duration,
    /// Whether acks overtake other messages on the wire.
    pub priority_acks: bool,
    /// Messages the mailbox holds before it coalesces them.
    pub mailbox_size: NonZeroUsize,
}
