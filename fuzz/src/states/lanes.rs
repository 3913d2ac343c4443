//! Lanes to draw headers from: of each, one branch up to a fork, two above.

use crate::nouns::{NODES, Nouns, World};
use drystone_engine::{scheme::fixture::Free, types::Signed};
use std::sync::{Arc, OnceLock};

type T = Nouns<Free>;

/// Headers of each lane to draw from.
pub const HEIGHTS: usize = 48;
/// Above this height a lane has two branches.
pub const FORK: usize = 2;
/// By lane, branch and height - 1.
pub type Lanes = Vec<[Vec<Arc<Signed<T>>>; 2]>;

/// Those of a world.
pub fn lanes(world: &World<Free>) -> &'static Lanes {
    static LANES: OnceLock<Lanes> = OnceLock::new();
    LANES.get_or_init(|| {
        let branch = |lane: usize, branch: usize| {
            let mut below = world.genesis.root(&world.names[lane]);
            let mut headers = Vec::new();
            for index in 0..HEIGHTS {
                let of = if index < FORK { 0 } else { branch };
                let slot = (2 * index + 1 + of) as u64;
                let header = world.header(lane, &below, slot, (index + 100 * of) as u8);
                below = header.tip();
                headers.push(header);
            }
            headers
        };
        (0..NODES)
            .map(|lane| [branch(lane, 0), branch(lane, 1)])
            .collect()
    })
}
