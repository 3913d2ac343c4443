//! The genesis of a cluster, and the nouns of its nodes.

use super::{
    byzantine::Owner,
    options::Options,
    payment::{Charges, Till},
    report::{Mempool, Outlets, Report, Shelf},
};
use crate::lanes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_parallel::Sequential;
use drystone_actors::{Types as ActorTypes, chunk_store};
use drystone_engine::{
    scheme::{fixture::Free, free},
    types::{Genesis, Limits, Types},
};

/// How nodes are named.
pub type Key = free::PublicKey;

/// Everything that never changes in a run. Its scheme is the free one: the others are the lanes' affair.
pub type World = lanes::World<Free>;

/// The nouns of the engine and of the chunk store.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nouns;

impl Types for Nouns {
    type PublicKey = Key;
    type PrivateKey = free::PrivateKey;
    type Scheme = free::Scheme<Key>;
    type Strategy = Sequential;
    type Automaton = Owner;
    type Reporter = Report;
}

impl chunk_store::Types for Nouns {
    type PublicKey = Key;
    type Rules = Till;
    type Strategy = Sequential;
    type Outlets = Outlets;
}

impl ActorTypes for Nouns {
    type PublicKey = Key;
    type Rules = Till;
    type Admission = Charges;
    type Observer = Mempool;
    type Bodies = Shelf;
}

/// The genesis that a cluster's options describe.
pub fn genesis(options: &Options) -> Genesis {
    let lanes = &options.lanes;
    let genesis = Genesis {
        digest: Sha256::hash(&[b"chunks", &lanes.keys.to_be_bytes()]),
        slot_ms: lanes.slot_ms,
        window_ms: lanes.window_ms,
        in_flight_max: lanes.in_flight_max,
        lane_ahead_max: Limits {
            chunks: lanes.ahead_max,
            bytes: lanes.ahead_max * u64::from(options.chunk_bytes_max),
            items: lanes.ahead_max * u64::from(options.chunk_items_max),
        },
        lane_headers_max: lanes.headers_max,
        chunk_bytes_max: options.chunk_bytes_max,
        chunk_items_max: options.chunk_items_max,
    };
    genesis
        .check()
        .expect("the options describe a sound genesis");
    genesis
}
