//! What a sequencer engine is built with.

use super::state;
use crate::types::Types;
use std::{num::NonZeroUsize, time::Duration};

/// Parameters of one node's sequencer engine.
pub struct Config<T: Types> {
    /// What the decisions depend on.
    pub state: state::Config<T>,
    /// Owns the chunks' bodies.
    pub automaton: T::Automaton,
    /// Takes what is reported.
    pub reporter: T::Reporter,
    /// How long an uncertified header waits before it is sent again.
    pub rebroadcast: Duration,
    /// Whether new headers overtake other messages on the wire.
    pub priority_proposals: bool,
    /// Messages the mailbox holds before it coalesces them.
    pub mailbox_size: NonZeroUsize,
}
