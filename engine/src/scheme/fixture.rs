//! One way to get identities and signers for any scheme, from a seed.
//!
//! The same seed gives the same keys, on any machine and in any order of calls. Identities are the keys a node is
//! known and connected by; what it signs acks with is derived from (seed, identity), so a validator that stays from
//! one epoch to the next keeps its signing key. (A threshold committee is dealt afresh from (seed, set).)

use super::{bls12381_multisig, bls12381_threshold, ed25519, free, possession, secp256r1};
use commonware_codec::Encode as _;
use commonware_cryptography::{
    BatchVerifier, Hasher as _, PrivateKey, PublicKey, Sha256, Signer,
    bls12381::{
        dkg::feldman_desmedt::deal,
        primitives::{group::Private, ops, sharing::Mode, variant::MinSig},
    },
    certificate, ed25519 as edwards,
    secp256r1::standard as secp,
};
use commonware_math::algebra::Random as _;
use commonware_utils::{
    N3f1, TestRng, TryFromIterator as _,
    ordered::{BiMap, Map, Set},
};

/// The signing side of one epoch's validators.
#[derive(Clone, Debug)]
pub struct Committee<S> {
    /// One signer per validator, in set order: index `i` signs as participant `i`.
    pub signers: Vec<S>,
    /// Verifies and signs nothing: what everybody else holds (an external sequencer, a full node).
    pub verifier: S,
}

impl<S: certificate::Scheme> Committee<S> {
    /// The signer of `identity`, or the verifier if it is not a validator of this committee.
    pub fn of(&self, identity: &S::PublicKey) -> &S {
        match self.verifier.participants().position(identity) {
            Some(index) => &self.signers[index],
            None => &self.verifier,
        }
    }
}

/// A scheme a deployment can be made of, as a marker type.
pub trait Fixture: Send + Sync + 'static {
    /// Identities: what sequencers sign headers with and peers are known by.
    type PublicKey: BatchVerifier;
    /// The private half.
    type PrivateKey: PrivateKey
        + Signer<
            PublicKey = Self::PublicKey,
            Signature = <Self::PublicKey as commonware_cryptography::Verifier>::Signature,
        >;
    /// What validators sign acks with.
    type Scheme: super::Scheme<Self::PublicKey>;

    /// `n` identities, ascending by public key; a larger `n` adds to the same ones.
    fn identities(seed: u64, n: u32) -> Vec<Self::PrivateKey> {
        let mut identities: Vec<_> = (0..n)
            .map(|index| Self::PrivateKey::random(stream(seed, b"identity", &index.encode())))
            .collect();
        identities.sort_by_key(Signer::public_key);
        identities
    }

    /// Signers and a verifier for `validators`, which may be any subset of the identities, in any order.
    fn committee(
        seed: u64,
        namespace: &[u8],
        validators: &[Self::PrivateKey],
    ) -> Committee<Self::Scheme>;
}

/// A random stream of its own for each `purpose` and `input`.
fn stream(seed: u64, purpose: &[u8], input: &[u8]) -> TestRng {
    let digest = Sha256::hash(&[&seed.to_be_bytes(), purpose, input]);
    let (word, _) = digest
        .split_first_chunk()
        .expect("a digest is longer than a word");
    TestRng::new(u64::from_be_bytes(*word))
}

/// The set of `validators`, each with its private key.
fn keyed<K: Signer>(validators: &[K]) -> Map<K::PublicKey, K> {
    Map::try_from_iter(validators.iter().map(|key| (key.public_key(), key.clone())))
        .expect("a validator occurs once in a set")
}

/// Signing keys of their own for `identities`, each with its public half.
fn signing<P: PublicKey, K, Q>(
    seed: u64,
    identities: &Set<P>,
    generate: impl Fn(TestRng) -> K,
    public: impl Fn(&K) -> Q,
) -> Vec<(P, K, Q)> {
    let with_keys = |identity: &P| {
        let key = generate(stream(seed, b"signing", identity));
        let public = public(&key);
        (identity.clone(), key, public)
    };
    identities.iter().map(with_keys).collect()
}

/// [`free`] identities and acks.
#[derive(Clone, Copy, Debug)]
pub struct Free;

impl Fixture for Free {
    type PublicKey = free::PublicKey;
    type PrivateKey = free::PrivateKey;
    type Scheme = free::Scheme<free::PublicKey>;

    fn committee(
        _: u64,
        namespace: &[u8],
        validators: &[free::PrivateKey],
    ) -> Committee<Self::Scheme> {
        let set = keyed(validators).into_keys();
        let verifier = free::Scheme::verifier(namespace, set.clone());
        let signers = set.iter().filter_map(|key| verifier.sign_as(key)).collect();
        Committee { signers, verifier }
    }
}

/// ed25519 identities that also sign acks.
#[derive(Clone, Copy, Debug)]
pub struct Ed25519;

impl Fixture for Ed25519 {
    type PublicKey = edwards::PublicKey;
    type PrivateKey = edwards::PrivateKey;
    type Scheme = ed25519::Scheme;

    fn committee(
        _: u64,
        namespace: &[u8],
        validators: &[edwards::PrivateKey],
    ) -> Committee<ed25519::Scheme> {
        let validators = keyed(validators);
        let set = validators.keys();
        let signers = validators
            .values()
            .iter()
            .filter_map(|key| ed25519::Scheme::signer(namespace, set.clone(), key.clone()))
            .collect();
        Committee {
            signers,
            verifier: ed25519::Scheme::verifier(namespace, set.clone()),
        }
    }
}

/// ed25519 identities; acks by BLS12-381 keys of their own, whose proofs of possession are checked.
#[derive(Clone, Copy, Debug)]
pub struct Multisig;

impl Fixture for Multisig {
    type PublicKey = edwards::PublicKey;
    type PrivateKey = edwards::PrivateKey;
    type Scheme = bls12381_multisig::Scheme<edwards::PublicKey, MinSig>;

    fn committee(
        seed: u64,
        namespace: &[u8],
        validators: &[edwards::PrivateKey],
    ) -> Committee<Self::Scheme> {
        let set = keyed(validators).into_keys();
        let keys = signing(seed, &set, Private::random, ops::compute_public::<MinSig>);
        let proven = keys.iter().map(|(identity, key, public)| {
            (
                identity.clone(),
                *public,
                possession::prove::<MinSig>(namespace, key),
            )
        });
        let set = possession::admit::<_, MinSig>(namespace, proven).expect("own proofs hold");
        let signers = keys.into_iter().filter_map(|(_, key, _)| set.signer(key));
        Committee {
            signers: signers.collect(),
            verifier: set.verifier(),
        }
    }
}

/// ed25519 identities; acks by shares of a BLS12-381 group key that a dealer hands out.
#[derive(Clone, Copy, Debug)]
pub struct Threshold;

impl Fixture for Threshold {
    type PublicKey = edwards::PublicKey;
    type PrivateKey = edwards::PrivateKey;
    type Scheme = bls12381_threshold::Scheme<edwards::PublicKey, MinSig>;

    fn committee(
        seed: u64,
        namespace: &[u8],
        validators: &[edwards::PrivateKey],
    ) -> Committee<Self::Scheme> {
        let set = keyed(validators).into_keys();
        let dealer = stream(seed, b"dealer", &set.encode());
        let (output, shares) = deal::<MinSig, _, N3f1>(dealer, Mode::NonZeroCounter, set.clone())
            .expect("a set of distinct validators can be dealt to");
        let group = output.public();
        let signers = shares
            .into_iter()
            .filter_map(|(_, share)| {
                bls12381_threshold::Scheme::signer(namespace, set.clone(), group.clone(), share)
            })
            .collect();
        let verifier = bls12381_threshold::Scheme::verifier(namespace, set.clone(), group.clone());
        Committee { signers, verifier }
    }
}

/// ed25519 identities; acks by secp256r1 keys of their own.
#[derive(Clone, Copy, Debug)]
pub struct Secp256r1;

impl Fixture for Secp256r1 {
    type PublicKey = edwards::PublicKey;
    type PrivateKey = edwards::PrivateKey;
    type Scheme = secp256r1::Scheme<edwards::PublicKey>;

    fn committee(
        seed: u64,
        namespace: &[u8],
        validators: &[edwards::PrivateKey],
    ) -> Committee<Self::Scheme> {
        let set = keyed(validators).into_keys();
        let keys = signing(
            seed,
            &set,
            secp::PrivateKey::random,
            secp::PrivateKey::public_key,
        );
        let set = BiMap::try_from_iter(
            keys.iter()
                .map(|(identity, _, public)| (identity.clone(), public.clone())),
        )
        .expect("derived keys are distinct");
        let signers = keys
            .into_iter()
            .filter_map(|(_, key, _)| secp256r1::Scheme::signer(namespace, set.clone(), key))
            .collect();
        Committee {
            signers,
            verifier: secp256r1::Scheme::verifier(namespace, set),
        }
    }
}
