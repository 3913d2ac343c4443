//! What the tests of blocks share.

use super::{Key, Nouns, World, genesis};
use crate::block::{Block, Bounds, Included, Parameters};
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::types::{Committee, Digest, Limits, Provider, Signed};
use std::{num::NonZeroU64, sync::Arc};

/// Chain time of the genesis block.
pub const GENESIS_MS: u64 = 1_000;

/// Knows the committees of the epochs below a bound, as a node that signs nothing.
pub struct Seats {
    pub world: Arc<World>,
    pub known: u64,
}

impl Provider<Nouns> for Seats {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        let known = epoch < self.known;
        known.then(|| Arc::new(self.world.committee(5, epoch)))
    }
}

pub fn bounds(world: &Arc<World>, known: u64) -> Bounds<Nouns> {
    Bounds {
        provider: Arc::new(Seats {
            world: world.clone(),
            known,
        }),
        validators_max: 4,
        lanes_max: 6,
    }
}

/// Blocks that hold what one lane may be ahead, in epochs of 100.
pub fn parameters() -> Parameters {
    Parameters {
        genesis: Arc::new(genesis()),
        live_max: Limits {
            chunks: 4,
            bytes: 4_000,
            items: 400,
        },
        headers_max: 16,
        skew_ms: 100,
        execution_lag_max: 5,
        epoch_blocks: NonZeroU64::new(100).expect("positive"),
    }
}

pub fn digest(salt: u64) -> Digest {
    Sha256::hash(&[&salt.to_be_bytes()])
}

/// The block at height 0, whose state has the root `digest(0)`.
pub fn first(world: &World) -> Block<Nouns> {
    Block::genesis(world.genesis.digest, GENESIS_MS, digest(0))
}

pub fn included(world: &World, epoch: u64, header: &Signed<Nouns>) -> Included<Nouns> {
    Included::new(header.header().clone(), world.certificate(epoch, header))
}

/// In the order of a block.
pub fn sorted(mut tips: Vec<Included<Nouns>>) -> Vec<Included<Nouns>> {
    tips.sort_by(|a, b| Key::cmp(a.sequencer(), b.sequencer()));
    tips
}
