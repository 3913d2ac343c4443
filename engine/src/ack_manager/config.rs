//! What an ack manager is built with.

use crate::{epochs::Epochs, types::Types};
use std::num::NonZeroUsize;

/// Parameters of one node's ack manager.
pub struct Config<T: Types> {
    /// This node, whose lane it certifies.
    pub me: T::PublicKey,
    /// Epochs around the current one.
    pub epochs: Epochs<T>,
    /// Epochs whose acks are taken.
    pub bounds: crate::types::Bounds,
    /// How often the lane is certified.
    pub pace: super::Pace,
    /// Where signatures are checked and certificates assembled.
    pub strategy: T::Strategy,
    /// Messages the mailbox holds before it coalesces them.
    pub mailbox_size: NonZeroUsize,
}
