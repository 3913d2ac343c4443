//! Keys, committees and the genesis of one cluster.

use super::{automaton::Bodies, options::Options, report::Report};
use commonware_cryptography::{Hasher as _, Sha256, Signer as _};
use commonware_parallel::Sequential;
use commonware_utils::{TryFromIterator as _, ordered::Set, sync::Mutex};
use drystone_engine::{
    scheme::fixture::{self, Fixture},
    types::{Committee, Genesis, Limits, Provider, Types},
};
use std::{collections::BTreeMap, fmt, marker::PhantomData, sync::Arc, time::SystemTime};

/// The engine's nouns for one scheme.
pub struct Nouns<F>(PhantomData<F>);

impl<F> Clone for Nouns<F> {
    fn clone(&self) -> Self {
        Self(PhantomData)
    }
}

impl<F> fmt::Debug for Nouns<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Nouns")
    }
}

impl<F> PartialEq for Nouns<F> {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl<F> Eq for Nouns<F> {}

impl<F: Fixture> Types for Nouns<F> {
    type PublicKey = F::PublicKey;
    type PrivateKey = F::PrivateKey;
    type Scheme = F::Scheme;
    type Strategy = Sequential;
    type Automaton = Bodies<F>;
    type Reporter = Report<F>;
}

/// Chunks of a lane are this large.
pub const CHUNK_BYTES: u32 = 1_000;
/// And hold this many containers.
pub const CHUNK_ITEMS: u32 = 10;

/// The genesis that a cluster's options describe.
pub fn genesis(options: &Options) -> Genesis {
    let genesis = Genesis {
        digest: Sha256::hash(&[b"lanes", &options.keys.to_be_bytes()]),
        slot_ms: options.slot_ms,
        window_ms: options.window_ms,
        in_flight_max: options.in_flight_max,
        lane_ahead_max: Limits {
            chunks: options.ahead_max,
            bytes: options.ahead_max * u64::from(CHUNK_BYTES),
            items: options.ahead_max * u64::from(CHUNK_ITEMS),
        },
        lane_headers_max: options.headers_max,
        chunk_bytes_max: CHUNK_BYTES,
        chunk_items_max: CHUNK_ITEMS,
    };
    genesis
        .check()
        .expect("the options describe a sound genesis");
    genesis
}

/// Everything that never changes in a run.
pub struct World<F: Fixture> {
    pub options: Options,
    pub genesis: Arc<Genesis>,
    /// When the run began.
    pub start: SystemTime,
    /// The private key of each node.
    pub keys: Vec<F::PrivateKey>,
    pub names: Vec<F::PublicKey>,
    /// The node of each key.
    pub nodes: BTreeMap<F::PublicKey, usize>,
    sequencers: Set<F::PublicKey>,
    /// The signers of each set of validators.
    committees: Vec<(Vec<usize>, fixture::Committee<F::Scheme>)>,
}

impl<F: Fixture> World<F> {
    pub fn new(options: Options, nodes: usize, start: SystemTime) -> Self {
        let genesis = genesis(&options);
        Self::over(genesis, options, nodes, start)
    }

    /// A cluster with chunks of another size than that of the double's.
    pub fn over(genesis: Genesis, options: Options, nodes: usize, start: SystemTime) -> Self {
        let count = u32::try_from(nodes).expect("a cluster is small");
        let keys = F::identities(options.keys, count);
        let names: Vec<_> = keys.iter().map(|key| key.public_key()).collect();
        let genesis = Arc::new(genesis);
        let mut committees: Vec<(Vec<usize>, _)> = Vec::new();
        for validators in &options.validators {
            if committees.iter().all(|(known, _)| known != validators) {
                let signing: Vec<_> = validators.iter().map(|node| keys[*node].clone()).collect();
                let committee = F::committee(options.keys, genesis.ack_namespace(), &signing);
                committees.push((validators.clone(), committee));
            }
        }
        let sequencers = options.sequencers.iter().map(|node| names[*node].clone());
        Self {
            genesis,
            start,
            nodes: names.iter().cloned().zip(0..).collect(),
            sequencers: Set::try_from_iter(sequencers).expect("a node has one lane"),
            committees,
            keys,
            names,
            options,
        }
    }

    /// An epoch's committee as a node sees it, or as the harness does, which holds no key.
    pub fn committee<T>(&self, epoch: u64, node: Option<usize>) -> Committee<T>
    where
        T: Types<PublicKey = F::PublicKey, Scheme = F::Scheme>,
    {
        let validators = self.options.validators_of(epoch);
        let found = self
            .committees
            .iter()
            .find(|(known, _)| known == validators);
        let (_, committee) = found.expect("every set of the options was prepared");
        let scheme = node.map_or(&committee.verifier, |node| committee.of(&self.names[node]));
        Committee::new(epoch, scheme.clone(), self.sequencers.clone())
    }
}

/// One node's view of the committees, made as they are asked for.
pub struct Committees<F: Fixture, T: Types> {
    world: Arc<World<F>>,
    node: Option<usize>,
    made: Mutex<BTreeMap<u64, Arc<Committee<T>>>>,
}

impl<F: Fixture, T: Types> Committees<F, T> {
    pub const fn new(world: Arc<World<F>>, node: Option<usize>) -> Self {
        Self {
            world,
            node,
            made: Mutex::new(BTreeMap::new()),
        }
    }
}

impl<F, T> Provider<T> for Committees<F, T>
where
    F: Fixture,
    T: Types<PublicKey = F::PublicKey, Scheme = F::Scheme>,
{
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<T>>> {
        let mut made = self.made.lock();
        let make = || Arc::new(self.world.committee(epoch, self.node));
        let committee = made.entry(epoch).or_insert_with(make).clone();
        // A peer may name any epoch within the bounds; what is kept stays small.
        while made.len() > 16 {
            made.pop_first();
        }
        Some(committee)
    }
}
