//! The nouns of a deployment whose nodes have one ed25519 key each.

use super::genesis::Agreement;
use crate::{
    application::Application,
    http::Watch,
    lane::Signers,
    node::{Deployment, Nouns, Voters},
    transaction::Admission,
};
use commonware_consensus::simplex::{elector::RoundRobin, scheme::ed25519 as votes};
use commonware_cryptography::ed25519::{PrivateKey, PublicKey};
use commonware_parallel::Rayon;
use commonware_utils::ordered::{Quorum as _, Set};
use drystone_engine::{
    scheme::ed25519 as acks,
    types::{Certificate, Committee, Provider},
};
use std::{marker::PhantomData, sync::Arc};

/// Chooses ed25519 for everything, leaders in turn, and the genesis's sets in every epoch.
pub struct Standard<A, M>(PhantomData<fn(A, M)>);

impl<A, M> Deployment for Standard<A, M>
where
    A: Application,
    M: Admission,
{
    type PublicKey = PublicKey;
    type PrivateKey = PrivateKey;
    type Acks = acks::Scheme;
    type Votes = votes::Scheme;
    type Voters = Sets;
    type Elector = RoundRobin;
    type Signers = Sets;
    type Strategy = Rayon;
    type Application = A;
    type Admission = M;
    type Watcher = Watch<PublicKey>;
}

/// The sets of all epochs, as one node sees them.
#[derive(Clone)]
pub struct Sets(Arc<Inner>);

struct Inner {
    acks: acks::Scheme,
    voting: Arc<votes::Scheme>,
    watching: Arc<votes::Scheme>,
    validators: Set<PublicKey>,
    sequencers: Set<PublicKey>,
}

impl Sets {
    /// The sets of a genesis, for the owner of a key, or for somebody who signs nothing.
    pub fn new(agreement: &Agreement, key: Option<&PrivateKey>) -> Self {
        let genesis = &agreement.parameters.genesis;
        let namespace = [genesis.digest.as_ref(), b"_VOTE"].concat();
        let set = || agreement.validators.clone();
        let acks = key
            .and_then(|it| acks::Scheme::signer(genesis.ack_namespace(), set(), it.clone()))
            .unwrap_or_else(|| acks::Scheme::verifier(genesis.ack_namespace(), set()));
        let watching = Arc::new(votes::Scheme::verifier(&namespace, set()));
        let voting = key.and_then(|it| votes::Scheme::signer(&namespace, set(), it.clone()));
        Self(Arc::new(Inner {
            acks,
            voting: voting.map_or_else(|| watching.clone(), Arc::new),
            watching,
            validators: set(),
            sequencers: agreement.sequencers.clone(),
        }))
    }
}

impl<A, M> Provider<Nouns<Standard<A, M>>> for Sets
where
    A: Application,
    M: Admission,
{
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns<Standard<A, M>>>>> {
        let (acks, sequencers) = (self.0.acks.clone(), self.0.sequencers.clone());
        Some(Arc::new(Committee::new(epoch, acks, sequencers)))
    }
}

impl Voters<votes::Scheme> for Sets {
    fn scheme(&self, _: u64, signs: bool) -> Option<Arc<votes::Scheme>> {
        let scheme = if signs {
            &self.0.voting
        } else {
            &self.0.watching
        };
        Some(scheme.clone())
    }
}

impl<A, M> Signers<Nouns<Standard<A, M>>> for Sets
where
    A: Application,
    M: Admission,
{
    fn of(&self, certificate: &Certificate<Nouns<Standard<A, M>>>) -> Vec<PublicKey> {
        let signers = certificate.proof.signers.iter();
        signers
            .filter_map(|it| self.0.validators.key(it).cloned())
            .collect()
    }
}
