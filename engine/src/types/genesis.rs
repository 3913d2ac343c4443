//! The parameters every node of a deployment must share.

use super::{Digest, Tip};
use crate::wire::HEADERS_MAX;
use commonware_cryptography::{Hasher as _, PublicKey, Sha256};
use thiserror::Error;

/// The base header and twice this many, all that a validator may hold above it, travel in one message.
const IN_FLIGHT_LIMIT: u64 = (HEADERS_MAX as u64 - 1) / 2;

/// An amount of chunks: how many, and what they hold.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Number of chunks.
    pub chunks: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
    /// Containers (transactions) in their bodies.
    pub items: u64,
}

/// What the nodes of one deployment agree on before the first message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Names the deployment: every signature is made under it.
    pub digest: Digest,
    /// Length of a slot. A lane holds at most one chunk a slot.
    pub slot_ms: u64,
    /// How long after the end of its slot a chunk may still be included.
    pub window_ms: u64,
    /// How many headers of a lane may be uncertified at once.
    pub in_flight_max: u64,
    /// What a lane may hold, live, above its last finalized inclusion. It must fit an empty block.
    pub lane_ahead_max: Limits,
    /// How many headers, live or expired, a lane may hold above its last finalized inclusion.
    pub lane_headers_max: u64,
    /// Largest body of one chunk.
    pub chunk_bytes_max: u32,
    /// Most containers in one chunk.
    pub chunk_items_max: u32,
}

/// Why a genesis is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum GenesisError {
    /// A parameter that must be positive is zero.
    #[error("{0} is 0: it must be at least 1")]
    Zero(&'static str),
    /// One chunk may be larger than the lane's lead.
    #[error(
        "lane_ahead_max.{0} is below chunk_{0}_max: no chunk of full size could ever be locked"
    )]
    Ahead(&'static str),
    /// The headers a validator may hold above its base would not fit one message.
    #[error("in_flight_max is {0}: it must be at most {IN_FLIGHT_LIMIT}")]
    Pipeline(u64),
    /// The pipeline is deeper than the lane's lead.
    #[error("lane_ahead_max.chunks is {chunks}: it must be at least in_flight_max, {in_flight}")]
    InFlight {
        /// The configured `lane_ahead_max.chunks`.
        chunks: u64,
        /// The configured `in_flight_max`.
        in_flight: u64,
    },
    /// Expired headers could block the lane.
    #[error(
        "lane_headers_max is {headers}: it must be at least 4 times lane_ahead_max.chunks, {chunks}"
    )]
    Headers {
        /// The configured `lane_headers_max`.
        headers: u64,
        /// The configured `lane_ahead_max.chunks`.
        chunks: u64,
    },
}

impl Genesis {
    /// Checks the relations that the protocol rests on.
    ///
    /// # Errors
    /// The first relation that does not hold.
    pub fn check(&self) -> Result<(), GenesisError> {
        for (name, value) in [
            ("slot_ms", self.slot_ms),
            ("window_ms", self.window_ms),
            ("in_flight_max", self.in_flight_max),
            ("lane_ahead_max.chunks", self.lane_ahead_max.chunks),
        ] {
            if value == 0 {
                return Err(GenesisError::Zero(name));
            }
        }
        if self.in_flight_max > IN_FLIGHT_LIMIT {
            return Err(GenesisError::Pipeline(self.in_flight_max));
        }
        if self.lane_ahead_max.bytes < u64::from(self.chunk_bytes_max) {
            return Err(GenesisError::Ahead("bytes"));
        }
        if self.lane_ahead_max.items < u64::from(self.chunk_items_max) {
            return Err(GenesisError::Ahead("items"));
        }
        if self.lane_ahead_max.chunks < self.in_flight_max {
            return Err(GenesisError::InFlight {
                chunks: self.lane_ahead_max.chunks,
                in_flight: self.in_flight_max,
            });
        }
        if self.lane_headers_max / 4 < self.lane_ahead_max.chunks {
            return Err(GenesisError::Headers {
                headers: self.lane_headers_max,
                chunks: self.lane_ahead_max.chunks,
            });
        }
        Ok(())
    }

    /// The place below height 1 of a lane: what its first header must name as `previous`.
    pub fn root<P: PublicKey>(&self, sequencer: &P) -> Tip {
        Tip {
            height: 0,
            slot: 0,
            digest: Sha256::hash(&[b"drystone lane", self.digest.as_ref(), sequencer.as_ref()]),
        }
    }

    /// The namespace under which headers are signed.
    pub fn header_namespace(&self) -> Vec<u8> {
        [self.digest.as_ref(), b"_HEADER"].concat()
    }

    /// The base from which the namespace of acks is derived.
    pub fn ack_namespace(&self) -> &[u8] {
        self.digest.as_ref()
    }

    /// The last millisecond of chain time at which a chunk of this slot may be included, or `None`
    /// if the slot is so far out that the time cannot be represented: such a header is malformed.
    pub fn expiry_ms(&self, slot: u64) -> Option<u64> {
        slot.checked_add(1)?
            .checked_mul(self.slot_ms)?
            .checked_add(self.window_ms)
    }

    /// The first millisecond of a slot, saturating.
    pub const fn slot_start_ms(&self, slot: u64) -> u64 {
        slot.saturating_mul(self.slot_ms)
    }

    /// The slot that a time falls into.
    pub const fn slot_at(&self, now_ms: u64) -> u64 {
        now_ms / self.slot_ms
    }

    /// How far above its base a validator keeps headers of a lane.
    pub const fn window(&self) -> u64 {
        self.in_flight_max.saturating_mul(2)
    }
}
