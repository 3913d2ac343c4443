//! What the benches share: a committee of any size over one scheme, and lanes, acks and certificates in it.

pub mod locks;

use commonware_cryptography::{
    Signer as _,
    certificate::{Attestation, Scheme as _},
};
use commonware_parallel::Sequential;
use commonware_utils::{
    Faults as _, N3f1, TestRng, TryFromIterator as _, channel::oneshot, ordered::Set,
};
use drystone_engine::{
    Activity, Automaton, Epochs, Judgement, Next, Reporter, Verdict,
    scheme::fixture::{self, Fixture},
    types::{
        Bounds, Certificate, Committee, Digest, Genesis, Header, Limits, Payload, Proof, Provider,
        Signed, Tip, Types,
    },
    wire::{Ack, Acks, Envelope},
};
use std::{fmt, marker::PhantomData, sync::Arc};

/// The only epoch.
pub const EPOCH: u64 = 0;
const BOUNDS: Bounds = Bounds { past: 1, future: 1 };

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
    type Automaton = Nobody;
    type Reporter = Nobody;
}

/// Stands where an application and a reporter would be: what is measured calls neither.
#[derive(Clone)]
pub struct Nobody;

impl<F: Fixture> Automaton<Nouns<F>> for Nobody {
    fn propose(&mut self, _: Next) -> oneshot::Receiver<Payload> {
        oneshot::channel().1
    }

    fn judge(&mut self, _: &Header<F::PublicKey>) -> Judgement {
        Judgement::Now(Verdict::Valid)
    }

    fn relay(&mut self, _: &Header<F::PublicKey>) {}
}

impl<F: Fixture> Reporter<Nouns<F>> for Nobody {
    fn report(&self, _: Activity<Nouns<F>>) {}
}

/// One committee, all of whose members validate and sequence.
pub struct World<F: Fixture> {
    pub genesis: Arc<Genesis>,
    pub names: Vec<F::PublicKey>,
    keys: Vec<F::PrivateKey>,
    signers: fixture::Committee<F::Scheme>,
    quorum: usize,
}

/// One node's view of it.
struct Forever<F: Fixture>(Arc<Committee<Nouns<F>>>);

impl<F: Fixture> Provider<Nouns<F>> for Forever<F> {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns<F>>>> {
        (epoch == EPOCH).then(|| self.0.clone())
    }
}

impl<F: Fixture> World<F> {
    pub fn new(validators: u32) -> Self {
        let genesis = Genesis {
            digest: Digest::from([7; 32]),
            slot_ms: 1,
            window_ms: 60_000,
            in_flight_max: 32,
            lane_ahead_max: Limits {
                chunks: 1 << 20,
                bytes: 1 << 40,
                items: 1 << 30,
            },
            lane_headers_max: 1 << 22,
            chunk_bytes_max: 1_000,
            chunk_items_max: 10,
        };
        let keys = F::identities(7, validators);
        Self {
            signers: F::committee(7, genesis.ack_namespace(), &keys),
            names: keys.iter().map(|key| key.public_key()).collect(),
            genesis: Arc::new(genesis),
            keys,
            quorum: N3f1::quorum(validators) as usize,
        }
    }

    /// The committee as a node sees it.
    pub fn committee(&self, node: usize) -> Arc<Committee<Nouns<F>>> {
        let scheme = self.signers.of(&self.names[node]).clone();
        let sequencers = Set::try_from_iter(self.names.iter().cloned()).expect("keys differ");
        Arc::new(Committee::new(EPOCH, scheme, sequencers))
    }

    /// A node's epochs.
    pub fn epochs(&self, node: usize) -> Epochs<Nouns<F>> {
        Epochs::new(Arc::new(Forever(self.committee(node))), BOUNDS, EPOCH)
    }

    /// A lane's root.
    pub fn root(&self, lane: usize) -> Tip {
        self.genesis.root(&self.names[lane])
    }

    /// The headers of a lane above a place, one in each slot from `slot` on.
    pub fn headers(
        &self,
        lane: usize,
        mut below: Tip,
        slot: u64,
        count: u64,
    ) -> Vec<Arc<Signed<Nouns<F>>>> {
        let namespace = self.genesis.header_namespace();
        let mut headers = Vec::new();
        for slot in slot..slot + count {
            let header = Header {
                sequencer: self.names[lane].clone(),
                height: below.height + 1,
                slot,
                previous: below.digest,
                payload: Payload {
                    digest: Digest::from([5; 32]),
                    bytes: 1_000,
                    items: 10,
                },
            };
            let signed = Signed::sign(header, &self.keys[lane], &namespace);
            below = signed.tip();
            headers.push(Arc::new(signed));
        }
        headers
    }

    /// What a quorum signs of a place.
    pub fn attestations(&self, lane: usize, tip: Tip) -> Vec<Attestation<F::Scheme>> {
        let subject = tip.subject(EPOCH, &self.names[lane]);
        let signers = self.signers.signers[..self.quorum].iter();
        let signed = signers.map(|it| it.sign::<Digest>(subject).expect("a signer"));
        signed.collect()
    }

    /// The proof that a quorum makes for a place.
    pub fn proof(&self, lane: usize, tip: Tip) -> Proof<Nouns<F>> {
        let proof = self
            .signers
            .verifier
            .optimistic_assemble::<_, Digest, _, _>(
                &mut TestRng::new(0),
                tip.subject(EPOCH, &self.names[lane]),
                self.attestations(lane, tip),
                std::iter::empty(),
                &Sequential,
            );
        let Ok(proof) = proof else {
            unreachable!("a quorum signed")
        };
        proof
    }

    pub fn certificate(&self, lane: usize, tip: Tip) -> Arc<Certificate<Nouns<F>>> {
        Arc::new(Certificate {
            epoch: EPOCH,
            sequencer: self.names[lane].clone(),
            tip,
            proof: self.proof(lane, tip),
        })
    }

    /// A validator's acks of places of a lane, as one message.
    pub fn acks(&self, validator: usize, lane: usize, tips: &[Tip]) -> Acks<Nouns<F>> {
        let signer = &self.signers.signers[validator];
        let ack = |tip: &Tip| Ack {
            height: tip.height,
            digest: tip.digest,
            attestation: signer
                .sign::<Digest>(tip.subject(EPOCH, &self.names[lane]))
                .expect("a signer"),
        };
        Acks {
            committee: self.committee(lane),
            sequencer: self.names[lane].clone(),
            acks: tips.iter().map(ack).collect(),
        }
    }

    /// How many acks make a certificate.
    pub const fn quorum(&self) -> usize {
        self.quorum
    }
}

/// Headers of a lane, and perhaps a certificate.
///
/// # Panics
/// If there are no headers.
pub fn envelope<F: Fixture>(
    headers: &[Arc<Signed<Nouns<F>>>],
    certificate: Option<Arc<Certificate<Nouns<F>>>>,
) -> Envelope<Nouns<F>> {
    Envelope {
        sequencer: headers[0].header().sequencer.clone(),
        headers: headers.to_vec(),
        certificate,
    }
}
