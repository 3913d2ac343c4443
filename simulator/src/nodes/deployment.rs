//! The nouns of a simulated node, and who votes.

use super::{paced::Paced, watcher::Watcher};
use crate::lanes;
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_parallel::Sequential;
use commonware_utils::{
    TryFromIterator as _,
    ordered::{Quorum as _, Set},
    sync::Mutex,
};
use drystone_actors::{
    lane::Signers,
    node::{self, Voters},
    orderer::simplex::free as votes,
};
use drystone_engine::{
    scheme::{fixture::Free, free},
    types::{Certificate, Committee, Provider},
};
use ledger::Bonds;
use std::{collections::BTreeMap, sync::Arc};

/// How nodes are named.
pub type Key = free::PublicKey;

/// Everything that never changes in a run.
pub type World = lanes::World<Free>;

/// The choices of a simulated deployment: signatures, votes and seals that cost nothing, and the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deployed;

/// The nouns of a node's actors.
pub type Nouns = node::Nouns<Deployed>;

/// What a node orders.
pub type Block = drystone_actors::block::Block<Nouns>;

impl node::Deployment for Deployed {
    type PublicKey = Key;
    type PrivateKey = free::PrivateKey;
    type Acks = free::Scheme<Key>;
    type Votes = votes::Scheme<Key>;
    type Voters = Seats;
    type Elector = RoundRobin;
    type Signers = Bits;
    type Strategy = Sequential;
    type Application = Paced;
    type Admission = Bonds;
    type Watcher = Watcher;
}

/// The newest epoch whose sets a node knows. Where the application names them, those of an epoch are in the state after the
/// last block of the one before; where the genesis does, all are known.
#[derive(Clone)]
pub struct Known(Arc<Mutex<u64>>);

impl Known {
    /// Nothing but the first epoch, or everything.
    pub fn new(named: bool) -> Self {
        Self(Arc::new(Mutex::new(if named { 0 } else { u64::MAX })))
    }

    /// The state names an epoch's. Says whether that is new.
    pub fn learn(&self, epoch: u64) -> bool {
        let mut known = self.0.lock();
        let is_new = *known < epoch;
        *known = epoch.max(*known);
        is_new
    }

    fn has(&self, epoch: u64) -> bool {
        epoch <= *self.0.lock()
    }
}

/// The committees that a node knows.
pub struct Named {
    pub committees: Arc<lanes::Committees<Free, Nouns>>,
    pub known: Known,
}

impl Provider<Nouns> for Named {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        let known = self.known.has(epoch);
        known.then(|| self.committees.committee(epoch)).flatten()
    }
}

/// Schemes by epoch, and whether they sign.
type Made = BTreeMap<(u64, bool), Arc<votes::Scheme<Key>>>;

/// Who votes, as one node sees it.
#[derive(Clone)]
pub struct Seats {
    world: Arc<World>,
    node: usize,
    ledger: votes::Shared,
    known: Known,
    made: Arc<Mutex<Made>>,
}

impl Seats {
    /// Those of a node. The ledger of votes is the run's.
    pub fn new(world: Arc<World>, node: usize, ledger: votes::Shared, known: Known) -> Self {
        Self {
            world,
            node,
            ledger,
            known,
            made: Arc::default(),
        }
    }

    fn make(&self, epoch: u64, signs: bool) -> votes::Scheme<Key> {
        let validators = self.world.options.validators_of(epoch).iter();
        let names = validators.map(|it| self.world.names[*it].clone());
        let set = Set::try_from_iter(names).expect("a node has one vote");
        let namespace = [self.world.genesis.digest.as_ref(), b"_VOTES"].concat();
        let me = set.index(&self.world.names[self.node]).filter(|_| signs);
        match me {
            Some(me) => votes::Scheme::signer(&namespace, set, me, self.ledger.clone())
                .expect("a validator"),
            None => votes::Scheme::verifier(&namespace, set, self.ledger.clone()),
        }
    }
}

impl Voters<votes::Scheme<Key>> for Seats {
    fn scheme(&self, epoch: u64, signs: bool) -> Option<Arc<votes::Scheme<Key>>> {
        if !self.known.has(epoch) {
            return None;
        }
        let mut made = self.made.lock();
        let make = || Arc::new(self.make(epoch, signs));
        let scheme = made.entry((epoch, signs)).or_insert_with(make).clone();
        // A peer may name any epoch; what is kept stays small.
        while made.len() > 16 {
            made.pop_first();
        }
        Some(scheme)
    }
}

/// Free certificates tell who signed.
#[derive(Clone)]
pub struct Bits(pub Arc<lanes::Committees<Free, Nouns>>);

impl Signers<Nouns> for Bits {
    fn of(&self, certificate: &Certificate<Nouns>) -> Vec<Key> {
        let committee = self.0.committee(certificate.epoch);
        let committee = committee.expect("it was verified");
        let signers = certificate.proof.signers();
        let key = |it| committee.validators().key(it).cloned();
        signers.filter_map(key).collect()
    }
}
