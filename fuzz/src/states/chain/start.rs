//! What the chain of these runs agrees on, and where it begins.

use super::T;
use crate::{decode::block::bounds, nouns::World};
use commonware_parallel::Sequential;
use commonware_utils::{NZU64, NZUsize};
use drystone_actors::{
    Canary,
    block::{Block, Executed, Parameters},
    chain::{Config, Start, State, Table},
};
use drystone_engine::{
    scheme::fixture::Free,
    types::{Digest, Limits},
};
use std::sync::Arc;

pub fn root(height: u64) -> Digest {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&height.to_be_bytes());
    Digest::from(bytes)
}

pub fn executed(height: u64) -> Executed {
    Executed {
        height,
        root: root(height),
    }
}

pub fn parameters(world: &World<Free>) -> Parameters {
    Parameters {
        genesis: world.genesis.clone(),
        live_max: Limits {
            chunks: 12,
            bytes: 12_000,
            items: 120,
        },
        headers_max: 40,
        skew_ms: 50,
        execution_lag_max: 4,
        epoch_blocks: NZU64!(1_000_000),
    }
}

pub fn state(world: &World<Free>, genesis: &Block<T>, canary: Canary) -> State<T> {
    let config = Config {
        me: world.names[0].clone(),
        parameters: Arc::new(parameters(world)),
        provider: bounds::<Free>(true).provider,
        strategy: Sequential,
        interval_ms: 10,
        empty_gap_ms: 50,
        retry_ms: NZU64!(100),
        verified_max: 2,
        mailbox_size: NZUsize!(1),
        canary,
    };
    let table = Table {
        height: 0,
        digest: genesis.digest(),
        lanes: Arc::default(),
    };
    let roots = [(0, root(0))].into();
    State::new(config, Start { table, roots })
}
