//! How a chunk store is bounded and laid out.

use crate::{Canary, disk::Disk};
use drystone_engine::types::Genesis;
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
};

/// Chunks, and the bytes of their bodies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Number of chunks.
    pub chunks: u64,
    /// Bytes of their bodies.
    pub bytes: u64,
}

impl Amount {
    /// With one more chunk, or `None` where a dimension overflows.
    pub fn with(self, bytes: u32) -> Option<Self> {
        Some(Self {
            chunks: self.chunks.checked_add(1)?,
            bytes: self.bytes.checked_add(u64::from(bytes))?,
        })
    }

    /// With one chunk less.
    ///
    /// # Panics
    /// If it was never added: something was freed twice.
    pub fn without(self, bytes: u32) -> Self {
        let less = |held: u64, by| {
            held.checked_sub(by)
                .expect("freed once, after it was reserved")
        };
        Self {
            chunks: less(self.chunks, 1),
            bytes: less(self.bytes, u64::from(bytes)),
        }
    }

    /// Whether it is within a limit, in both dimensions.
    pub const fn fits(&self, limit: &Self) -> bool {
        self.chunks <= limit.chunks && self.bytes <= limit.bytes
    }
}

/// What a producer may have in each period of slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Slots in a period.
    pub period_slots: NonZeroU64,
    /// What may be in one.
    pub max: Amount,
}

/// What each producer may have here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Neither executed nor expired. At least twice the genesis's `lane_ahead_max`: a lane may run that far ahead of
    /// what is finalized, and execution follows behind.
    pub held: Amount,
    /// By slot.
    pub rate: Rate,
    /// In memory: bodies whose header is not locked yet, and bodies on their way to the disk.
    pub memory: Amount,
}

impl Limits {
    /// The least that holds nobody back who keeps to the genesis.
    pub fn recommended(genesis: &Genesis) -> Self {
        let ahead = genesis.lane_ahead_max;
        let period_slots = (10_000 / genesis.slot_ms).max(1);
        Self {
            held: Amount {
                chunks: ahead.chunks.saturating_mul(2),
                bytes: ahead.bytes.saturating_mul(2),
            },
            rate: Rate {
                period_slots: NonZeroU64::new(period_slots).expect("positive"),
                max: Amount {
                    chunks: period_slots,
                    bytes: period_slots.saturating_mul(u64::from(genesis.chunk_bytes_max)),
                },
            },
            memory: Amount {
                chunks: genesis.window(),
                bytes: genesis
                    .window()
                    .saturating_mul(u64::from(genesis.chunk_bytes_max)),
            },
        }
    }
}

/// Parameters of a chunk store.
#[derive(Clone, Debug)]
pub struct Config<P> {
    /// What the deployment agrees on.
    pub genesis: Arc<Genesis>,
    /// This node: whose bodies its builder persists.
    pub me: P,
    /// What each producer may have here.
    pub limits: Limits,
    /// Of each producer, bytes of the newest chunks that stay in memory until a block has executed them, or chain time has
    /// moved on by [`bucket_ms`](Self::bucket_ms).
    pub recent_bytes_max: u64,
    /// Chunks whose expiry falls into the same span of this length share a section, and go together.
    pub bucket_ms: NonZeroU64,
    /// Blocks below the newest executed one whose accepted bodies are kept. They are kept for a validity window in any
    /// case.
    pub retention_blocks: u64,
    /// Messages the mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// The disk.
    pub disk: Disk,
    /// The planted bug, if any.
    pub canary: Canary,
}

impl<P> Config<P> {
    /// Panics if the sizes contradict each other.
    pub(super) fn check(&self) {
        let ahead = self.genesis.lane_ahead_max;
        let least = Amount {
            chunks: ahead.chunks.saturating_mul(2),
            bytes: ahead.bytes.saturating_mul(2),
        };
        assert!(
            least.fits(&self.limits.held),
            "limits.held is {:?}: it must be at least twice lane_ahead_max, {least:?}",
            self.limits.held
        );
        assert!(
            self.limits.memory.chunks > 0
                && self.limits.memory.bytes >= u64::from(self.genesis.chunk_bytes_max),
            "limits.memory is {:?}: it must hold a body of full size",
            self.limits.memory
        );
    }
}
