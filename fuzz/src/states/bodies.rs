//! Bodies to draw from: one for each lane and height.

use crate::nouns::{NODES, Name, World};
use bytes::Bytes;
use drystone_actors::{
    Place, Reference,
    chunk::{Chunk, Limits},
};
use drystone_engine::{scheme::fixture::Free, types::Digest};
use std::{collections::BTreeMap, sync::OnceLock};

/// Bodies of each lane.
pub const HEIGHTS: u64 = 24;
/// Slots between two of a lane.
const SLOTS: u64 = 7;

struct Bodies {
    by_place: Vec<Vec<Chunk>>,
    by_digest: BTreeMap<Digest, Chunk>,
}

fn bodies(world: &World<Free>) -> &'static Bodies {
    static BODIES: OnceLock<Bodies> = OnceLock::new();
    let limits = Limits::from(&*world.genesis);
    let make = |lane: usize, height: u64| {
        let mut transaction = vec![lane as u8, height as u8];
        transaction.resize(250 * (1 + height as usize % 3), 0);
        Chunk::pack(&[Bytes::from(transaction)], &limits).expect("within the limits")
    };
    let lane_of = |lane| (1..=HEIGHTS).map(|height| make(lane, height)).collect();
    BODIES.get_or_init(|| {
        let by_place: Vec<Vec<Chunk>> = (0..NODES).map(lane_of).collect();
        let all = by_place.iter().flatten();
        Bodies {
            by_digest: all.map(|it| (it.payload().digest, it.clone())).collect(),
            by_place,
        }
    })
}

/// The body of a lane at a height. Three sizes take turns: chunks of 250, 500 and 750 bytes, or so.
pub fn body(world: &World<Free>, lane: usize, height: u64) -> &'static Chunk {
    &bodies(world).by_place[lane][height as usize - 1]
}

/// The body that has a digest.
pub fn body_of(world: &World<Free>, digest: &Digest) -> &'static Chunk {
    &bodies(world).by_digest[digest]
}

/// What names it.
pub fn reference(world: &World<Free>, lane: usize, height: u64) -> Reference<Name<Free>> {
    let payload = body(world, lane, height).payload();
    Reference {
        sequencer: world.names[lane].clone(),
        place: Place {
            height,
            slot: height * SLOTS,
            digest: payload.digest,
        },
        bytes: payload.bytes,
        items: payload.items,
    }
}
