//! What the nodes of one deployment agree on about blocks.

use drystone_engine::types::{Genesis, Limits};
use std::{num::NonZeroU64, sync::Arc};
use thiserror::Error;

/// See the module. The lanes' part is the [`Genesis`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameters {
    /// The lanes.
    pub genesis: Arc<Genesis>,
    /// What a block stands for, unexpired at its time, at most. Any certified tip must fit an empty block.
    pub live_max: Limits,
    /// The headers that a block moves all lanes on by, expired ones too, at most.
    pub headers_max: u64,
    /// How far a block's time may be ahead of a voter's clock, and a tip's slot ahead of the block's time.
    pub skew_ms: u64,
    /// How many heights below itself a block with tips may name as executed.
    pub execution_lag_max: u64,
    /// Blocks in an epoch.
    pub epoch_blocks: NonZeroU64,
}

/// Why parameters are refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ParametersError {
    /// A lane could run so far ahead that no block can take it.
    #[error("{block} is {has}: it must be at least the lanes' {lane}, {wants}")]
    Lane {
        /// The block's parameter.
        block: &'static str,
        /// Its value.
        has: u64,
        /// The lanes' parameter.
        lane: &'static str,
        /// Its value.
        wants: u64,
    },
    /// No block could ever carry a tip.
    #[error(
        "execution_lag_max is {0}: it must be at least 2, since a block names what was executed when its parent arrived, which \
         is never its parent"
    )]
    Lag(u64),
}

impl Parameters {
    /// Checks the relations that blocks rest on.
    ///
    /// # Errors
    /// The first relation that does not hold.
    pub fn check(&self) -> Result<(), ParametersError> {
        let (ahead, live) = (self.genesis.lane_ahead_max, self.live_max);
        let headers = self.genesis.lane_headers_max;
        for (block, has, lane, wants) in [
            (
                "live_max.chunks",
                live.chunks,
                "lane_ahead_max.chunks",
                ahead.chunks,
            ),
            (
                "live_max.bytes",
                live.bytes,
                "lane_ahead_max.bytes",
                ahead.bytes,
            ),
            (
                "live_max.items",
                live.items,
                "lane_ahead_max.items",
                ahead.items,
            ),
            ("headers_max", self.headers_max, "lane_headers_max", headers),
        ] {
            if has < wants {
                return Err(ParametersError::Lane {
                    block,
                    has,
                    lane,
                    wants,
                });
            }
        }
        if self.execution_lag_max < 2 {
            return Err(ParametersError::Lag(self.execution_lag_max));
        }
        Ok(())
    }

    /// The epoch of a height: the genesis block is the first block of epoch 0.
    pub const fn epoch(&self, height: u64) -> u64 {
        height / self.epoch_blocks.get()
    }

    /// Whether a slot's chunk can be in no block whose time is `at_ms`.
    pub fn is_expired(&self, slot: u64, at_ms: u64) -> bool {
        is_expired(&self.genesis, slot, at_ms)
    }
}

/// Whether a slot's chunk can be in no block whose time is `at_ms`.
pub(crate) fn is_expired(genesis: &Genesis, slot: u64, at_ms: u64) -> bool {
    genesis.expiry_ms(slot).is_none_or(|it| it < at_ms)
}

/// Whether a block may take an expired tip only because it moves the lane on over this many headers.
pub(crate) const fn moves_on(genesis: &Genesis, headers: u64) -> bool {
    headers >= genesis.lane_headers_max.div_ceil(2)
}
