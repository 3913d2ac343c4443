//! A deployment to fuzz in: four validators that all sequence, in every epoch, over one scheme.

use commonware_cryptography::Signer as _;
use commonware_cryptography::certificate::Scheme as _;
use commonware_parallel::Sequential;
use commonware_utils::{TestRng, TryFromIterator as _, channel::oneshot, ordered::Set};
use drystone_engine::{
    Activity, Automaton, Epochs, Judgement, Next, Reporter, Verdict,
    scheme::fixture::{self, Ed25519, Fixture, Free, Multisig, Secp256r1, Threshold},
    types::{
        Bounds, Certificate, Committee, Digest, Genesis, Header, Limits, Payload, Provider, Signed,
        Tip, Types,
    },
};
use std::{
    fmt,
    marker::PhantomData,
    sync::{Arc, OnceLock},
};

/// Nodes of the deployment.
pub const NODES: usize = 4;
/// Epochs around the current one.
pub const BOUNDS: Bounds = Bounds { past: 1, future: 1 };

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

/// Fuzzed states are driven by hand: no actor asks or tells anybody.
#[derive(Clone)]
pub struct Nobody;

impl<F: Fixture> Automaton<Nouns<F>> for Nobody {
    fn propose(&mut self, _: Next) -> oneshot::Receiver<Payload> {
        oneshot::channel().1
    }

    fn judge(&mut self, _: &Header<F::PublicKey>) -> Judgement {
        Judgement::Now(Verdict::Pending)
    }

    fn relay(&mut self, _: &Header<F::PublicKey>) {}
}

impl<F: Fixture> Reporter<Nouns<F>> for Nobody {
    fn report(&self, _: Activity<Nouns<F>>) {}
}

/// Names a node under a scheme.
pub type Name<F> = <F as Fixture>::PublicKey;

/// Keys, genesis and committees.
pub struct World<F: Fixture> {
    /// What the nodes agree on.
    pub genesis: Arc<Genesis>,
    /// The private keys, ascending by public key.
    pub keys: Vec<F::PrivateKey>,
    /// The public keys.
    pub names: Vec<F::PublicKey>,
    committee: fixture::Committee<F::Scheme>,
}

/// A scheme with its world, made once.
pub trait Deployed: Fixture + Sized {
    /// The world.
    fn world() -> &'static Arc<World<Self>>;
}

macro_rules! deployed {
    ($($scheme:ty),*) => {
        $(impl Deployed for $scheme {
            fn world() -> &'static Arc<World<Self>> {
                static WORLD: OnceLock<Arc<World<$scheme>>> = OnceLock::new();
                WORLD.get_or_init(|| Arc::new(World::new()))
            }
        })*
    };
}

deployed!(Free, Ed25519, Multisig, Threshold, Secp256r1);

impl<F: Deployed> World<F> {
    fn new() -> Self {
        let genesis = Genesis {
            digest: Digest::from([7; 32]),
            slot_ms: 1,
            window_ms: 1_000,
            in_flight_max: 4,
            lane_ahead_max: Limits {
                chunks: 8,
                bytes: 8_000,
                items: 80,
            },
            lane_headers_max: 32,
            chunk_bytes_max: 1_000,
            chunk_items_max: 10,
        };
        genesis.check().expect("sound");
        let keys = F::identities(7, NODES as u32);
        Self {
            committee: F::committee(7, genesis.ack_namespace(), &keys),
            names: keys.iter().map(|key| key.public_key()).collect(),
            genesis: Arc::new(genesis),
            keys,
        }
    }

    /// An epoch's committee as a node sees it.
    pub fn committee(&self, epoch: u64, node: usize) -> Committee<Nouns<F>> {
        let scheme = self.committee.signers[node].clone();
        let sequencers = self.names.iter().cloned();
        let sequencers = Set::try_from_iter(sequencers).expect("keys differ");
        Committee::new(epoch, scheme, sequencers)
    }

    /// A node's epochs, standing at one.
    pub fn epochs(self: &Arc<Self>, epoch: u64, node: usize) -> Epochs<Nouns<F>> {
        let provider = Committees {
            world: self.clone(),
            node,
        };
        Epochs::new(Arc::new(provider), BOUNDS, epoch)
    }

    /// Signs the header that extends a place.
    pub fn header(&self, lane: usize, below: &Tip, slot: u64, body: u8) -> Arc<Signed<Nouns<F>>> {
        let header = Header {
            sequencer: self.names[lane].clone(),
            height: below.height + 1,
            slot,
            previous: below.digest,
            payload: Payload {
                digest: Digest::from([body; 32]),
                bytes: 100,
                items: 1,
            },
        };
        let namespace = self.genesis.header_namespace();
        Arc::new(Signed::sign(header, &self.keys[lane], &namespace))
    }

    /// A certificate of three validators.
    pub fn certificate(&self, epoch: u64, lane: usize, tip: Tip) -> Arc<Certificate<Nouns<F>>> {
        let sequencer = self.names[lane].clone();
        let subject = tip.subject(epoch, &sequencer);
        let signers = self.committee.signers[1..].iter();
        let signed = signers.map(|it| it.sign::<Digest>(subject).expect("a signer"));
        let proof = self
            .committee
            .verifier
            .optimistic_assemble::<_, Digest, _, _>(
                &mut TestRng::new(0),
                subject,
                signed.collect::<Vec<_>>(),
                std::iter::empty(),
                &Sequential,
            );
        let Ok(proof) = proof else {
            unreachable!("a quorum signed")
        };
        Arc::new(Certificate {
            epoch,
            sequencer,
            tip,
            proof,
        })
    }
}

/// Every epoch has the same members.
struct Committees<F: Fixture> {
    world: Arc<World<F>>,
    node: usize,
}

impl<F: Deployed> Provider<Nouns<F>> for Committees<F> {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns<F>>>> {
        Some(Arc::new(self.world.committee(epoch, self.node)))
    }
}
