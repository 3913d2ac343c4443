//! What the tests of the engine share: a small world of free keys, and lanes, acks and certificates in it.

mod effects;
mod node;

pub use effects::*;
pub use node::Node;

use crate::{
    activity::{Activity, Automaton, Judgement, Next, Reporter},
    epochs::Epochs,
    scheme::{
        fixture::{Fixture as _, Free},
        free,
    },
    types::{
        Bounds, Certificate, Committee, Digest, Genesis, Header, Limits, Payload, Provider, Signed,
        Tip, Types,
    },
    wire::{Ack, Acks, Envelope},
};
use commonware_cryptography::{
    Hasher as _, Sha256, Signer as _,
    certificate::{Attestation, Scheme as _},
};
use commonware_parallel::Sequential;
use commonware_utils::{TryFromIterator as _, channel::oneshot, iter::NonEmpty, ordered::Set};
use std::{collections::BTreeMap, sync::Arc};

/// The engine's nouns over free signatures. No state calls the application: the test does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nouns;

impl Types for Nouns {
    type PublicKey = free::PublicKey;
    type PrivateKey = free::PrivateKey;
    type Scheme = free::Scheme<free::PublicKey>;
    type Strategy = Sequential;
    type Automaton = Nobody;
    type Reporter = Nobody;
}

/// Stands where an application and a reporter would be.
#[derive(Clone)]
pub struct Nobody;

impl Automaton<Nouns> for Nobody {
    fn propose(&mut self, _: Next) -> oneshot::Receiver<Payload> {
        unreachable!("a state calls nobody")
    }

    fn judge(&mut self, _: &Header<free::PublicKey>) -> Judgement {
        unreachable!("a state calls nobody")
    }

    fn relay(&mut self, _: &Header<free::PublicKey>) {
        unreachable!("a state calls nobody")
    }
}

impl Reporter<Nouns> for Nobody {
    fn report(&self, _: Activity<Nouns>) {
        unreachable!("a state calls nobody")
    }
}

/// Time at which every test begins: slots are one millisecond long.
pub const NOW_MS: u64 = 1_000_000;
/// Slot of height 0 of every lane, were it in one: all lanes start in the past, unexpired.
const SLOT: u64 = NOW_MS - 500;

/// Seven identities: the first four are validators and sequencers, 4 is an external sequencer, 5 and
/// 6 are strangers. Epochs 0 to 9 are known; bounds are one epoch back and one ahead.
pub struct World {
    pub genesis: Arc<Genesis>,
    pub bounds: Bounds,
    pub keys: Vec<free::PrivateKey>,
    sets: BTreeMap<u64, (Vec<usize>, Vec<usize>)>,
}

/// The committees as one node sees them.
struct View(BTreeMap<u64, Arc<Committee<Nouns>>>);

impl Provider<Nouns> for View {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        self.0.get(&epoch).cloned()
    }
}

pub fn genesis() -> Genesis {
    Genesis {
        digest: Sha256::hash(&[b"test"]),
        slot_ms: 1,
        window_ms: 1_000,
        in_flight_max: 4,
        lane_ahead_max: Limits {
            chunks: 16,
            bytes: 16_000,
            items: 1_600,
        },
        lane_headers_max: 64,
        chunk_bytes_max: 1_000,
        chunk_items_max: 100,
    }
}

/// A payload that `salt` tells from others.
pub fn payload(salt: u64) -> Payload {
    Payload {
        digest: Sha256::hash(&[&salt.to_be_bytes()]),
        bytes: 100,
        items: 10,
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(genesis())
    }

    pub fn with(genesis: Genesis) -> Self {
        genesis.check().expect("a sound genesis");
        Self {
            genesis: Arc::new(genesis),
            bounds: Bounds { past: 1, future: 1 },
            keys: Free::identities(1, 7),
            sets: (0..10)
                .map(|epoch| (epoch, ((0..4).collect(), (0..5).collect())))
                .collect(),
        }
    }

    /// Gives an epoch other sets.
    pub fn seat(&mut self, epoch: u64, validators: &[usize], sequencers: &[usize]) {
        self.sets
            .insert(epoch, (validators.to_vec(), sequencers.to_vec()));
    }

    pub fn key(&self, who: usize) -> free::PublicKey {
        self.keys[who].public_key()
    }

    /// Whose key it is.
    pub fn who(&self, key: &free::PublicKey) -> usize {
        self.keys
            .iter()
            .position(|it| it.public_key() == *key)
            .expect("a key of this world")
    }

    pub fn committee(&self, me: usize, epoch: u64) -> Arc<Committee<Nouns>> {
        let (validators, sequencers) = &self.sets[&epoch];
        let validators: Vec<_> = validators.iter().map(|it| self.keys[*it].clone()).collect();
        let sequencers = Set::try_from_iter(sequencers.iter().map(|it| self.key(*it)));
        let schemes = Free::committee(0, self.genesis.ack_namespace(), &validators);
        let scheme = schemes.of(&self.key(me)).clone();
        Arc::new(Committee::new(epoch, scheme, sequencers.expect("distinct")))
    }

    /// The committees as a node knows them.
    pub fn provider(&self, me: usize) -> Arc<dyn Provider<Nouns>> {
        let epochs = self.sets.keys();
        let committees = epochs.map(|epoch| (*epoch, self.committee(me, *epoch)));
        Arc::new(View(committees.collect()))
    }

    pub fn epochs(&self, me: usize, epoch: u64) -> Epochs<Nouns> {
        Epochs::new(self.provider(me), self.bounds, epoch)
    }

    pub fn root(&self, sequencer: usize) -> Tip {
        self.genesis.root(&self.key(sequencer))
    }

    /// The header of `sequencer` above a place, in the slot given, told from others by its payload.
    pub fn header(
        &self,
        sequencer: usize,
        below: Tip,
        slot: u64,
        payload: Payload,
    ) -> Arc<Signed<Nouns>> {
        let header = Header {
            sequencer: self.key(sequencer),
            height: below.height.wrapping_add(1),
            slot,
            previous: below.digest,
            payload,
        };
        self.sign(header)
    }

    /// Any header, signed by its sequencer.
    pub fn sign(&self, header: Header<free::PublicKey>) -> Arc<Signed<Nouns>> {
        let key = &self.keys[self.who(&header.sequencer)];
        Arc::new(Signed::sign(header, key, &self.genesis.header_namespace()))
    }

    /// `count` headers above a place, one a slot; another `salt` is another branch.
    pub fn branch(
        &self,
        sequencer: usize,
        below: Tip,
        count: u64,
        salt: u64,
    ) -> Vec<Arc<Signed<Nouns>>> {
        let mut below = below;
        let next = |_| {
            let slot = below.slot.max(SLOT) + 1;
            let header = self.header(sequencer, below, slot, payload(salt));
            below = header.tip();
            header
        };
        (0..count).map(next).collect()
    }

    /// A lane from height 1: the header of height `h` is at index `h - 1`.
    pub fn lane(&self, sequencer: usize, count: u64) -> Vec<Arc<Signed<Nouns>>> {
        self.branch(sequencer, self.root(sequencer), count, 0)
    }

    pub fn attest(
        &self,
        signer: usize,
        epoch: u64,
        header: &Signed<Nouns>,
    ) -> Attestation<free::Scheme<free::PublicKey>> {
        let committee = self.committee(signer, epoch);
        let (tip, sequencer) = (header.tip(), &header.header().sequencer);
        committee
            .scheme()
            .sign::<Digest>(tip.subject(epoch, sequencer))
            .expect("a validator")
    }

    /// The acks of one validator, as its sequencer `reader` decodes them.
    pub fn acks(
        &self,
        reader: usize,
        signer: usize,
        epoch: u64,
        headers: &[Arc<Signed<Nouns>>],
    ) -> Acks<Nouns> {
        let ack = |it: &Arc<Signed<Nouns>>| Ack {
            height: it.height(),
            digest: it.digest(),
            attestation: self.attest(signer, epoch, it),
        };
        let sequencer = headers[0].header().sequencer.clone();
        Acks {
            committee: self.committee(reader, epoch),
            sequencer,
            acks: headers.iter().map(ack).collect(),
        }
    }

    /// What the first three validators of an epoch certify.
    pub fn certificate(&self, epoch: u64, header: &Signed<Nouns>) -> Arc<Certificate<Nouns>> {
        let signers: Vec<_> = self.sets[&epoch].0.iter().take(3).copied().collect();
        let acks: Vec<_> = signers
            .iter()
            .map(|it| self.attest(*it, epoch, header))
            .collect();
        let committee = self.committee(signers[0], epoch);
        let acks = NonEmpty::try_new(acks.into_iter()).expect("three");
        let proof = committee
            .scheme()
            .assemble(acks, &Sequential)
            .expect("a quorum");
        let sequencer = header.header().sequencer.clone();
        Arc::new(Certificate {
            epoch,
            sequencer,
            tip: header.tip(),
            proof,
        })
    }

    /// The certificate of one header in the name of another: it does not verify.
    pub fn forged(
        &self,
        epoch: u64,
        header: &Signed<Nouns>,
        stolen: &Signed<Nouns>,
    ) -> Arc<Certificate<Nouns>> {
        let proof = self.certificate(epoch, stolen).proof.clone();
        let sequencer = header.header().sequencer.clone();
        Arc::new(Certificate {
            epoch,
            sequencer,
            tip: header.tip(),
            proof,
        })
    }

    pub fn envelope(
        &self,
        headers: &[Arc<Signed<Nouns>>],
        certificate: Option<&Arc<Certificate<Nouns>>>,
    ) -> Envelope<Nouns> {
        let sequencer = match (headers.first(), certificate) {
            (Some(header), _) => header.header().sequencer.clone(),
            (None, Some(certificate)) => certificate.sequencer.clone(),
            (None, None) => panic!("an envelope holds something"),
        };
        Envelope {
            sequencer,
            headers: headers.to_vec(),
            certificate: certificate.cloned(),
        }
    }
}

/// A header as it is, with another header's signature.
pub fn stolen(header: &Signed<Nouns>, from: &Signed<Nouns>) -> Arc<Signed<Nouns>> {
    Arc::new(Signed::new(
        header.header().clone(),
        from.signature().clone(),
    ))
}
