//! What a test may choose.

use crate::{
    block::Parameters,
    testing::{blocks::parameters, genesis},
};
use commonware_utils::NZU64;
use drystone_engine::types::Genesis;
use std::num::NonZeroU64;

/// What is certified stays alive for as long as a test takes.
pub fn long_lived() -> Genesis {
    Genesis {
        window_ms: 300_000,
        ..genesis()
    }
}

pub struct Options {
    pub epoch_blocks: NonZeroU64,
    pub rotate: bool,
    /// Epochs below this are known from the start.
    pub known: u64,
    /// Out of a hundred messages, so many arrive.
    pub delivered: u64,
    /// Nodes that are not started: the test plays them.
    pub absent: &'static [usize],
    /// What a node takes for the deployment's parameters.
    pub parameters: fn(usize) -> Parameters,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            epoch_blocks: NZU64!(1_000),
            rotate: false,
            known: u64::MAX,
            delivered: 100,
            absent: &[],
            parameters: |_| parameters(),
        }
    }
}
