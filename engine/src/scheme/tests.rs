//! What every scheme must do, run for each of them.

use super::{
    AckSubject,
    fixture::{self, Committee, Fixture},
    possession,
};
use commonware_codec::{Decode as _, DecodeExt as _, Encode as _, FixedSize as _};
use commonware_cryptography::{
    Hasher as _, Sha256, Signer as _,
    bls12381::primitives::{group::Private, ops, variant::MinSig},
    certificate::{AssemblyError, Attestation, Scheme as _, Subject as _, Verifier},
    sha256::Digest,
};
use commonware_math::algebra::Random as _;
use commonware_parallel::Sequential;
use commonware_utils::{TestRng, iter::NonEmpty, test_rng};

const NAMESPACE: &[u8] = b"genesis";
const SEED: u64 = 3;

/// Four validators and a fifth identity outside the set, and what they sign.
struct World<F: Fixture> {
    identities: Vec<F::PublicKey>,
    committee: Committee<F::Scheme>,
    digest: Digest,
}

impl<F: Fixture> World<F> {
    fn new() -> Self {
        let identities = F::identities(SEED, 5);
        Self {
            committee: F::committee(SEED, NAMESPACE, &identities[..4]),
            identities: identities.iter().map(|key| key.public_key()).collect(),
            digest: Sha256::hash(&[b"header"]),
        }
    }

    fn subject(&self) -> AckSubject<'_, F::PublicKey> {
        AckSubject {
            epoch: 3,
            sequencer: &self.identities[4],
            height: 7,
            slot: 9,
            digest: &self.digest,
        }
    }

    fn acks(&self, count: usize) -> Vec<Attestation<F::Scheme>> {
        let sign = |signer: &F::Scheme| signer.sign::<Digest>(self.subject()).unwrap();
        self.committee
            .signers
            .iter()
            .take(count)
            .map(sign)
            .collect()
    }

    fn assemble(
        &self,
        count: usize,
    ) -> Result<<F::Scheme as Verifier>::Certificate, AssemblyError> {
        let acks = NonEmpty::try_new(self.acks(count).into_iter()).unwrap();
        self.committee.verifier.assemble(acks, &Sequential)
    }

    fn holds(
        &self,
        subject: AckSubject<'_, F::PublicKey>,
        certificate: &<F::Scheme as Verifier>::Certificate,
    ) -> bool {
        self.committee.verifier.verify_certificate::<_, Digest>(
            &mut test_rng(),
            subject,
            certificate,
            &Sequential,
        )
    }
}

// D-26
fn a_quorum_certifies_and_one_less_does_not<F: Fixture>() {
    let world = World::<F>::new();
    for count in 3..=4 {
        assert!(world.holds(world.subject(), &world.assemble(count).unwrap()));
    }
    assert_eq!(
        world.assemble(2),
        Err(AssemblyError::InsufficientAttestations(3, 2))
    );
    for ack in world.acks(4) {
        let verifier = &world.committee.verifier;
        assert!(verifier.verify_attestation::<_, Digest>(
            &mut test_rng(),
            world.subject(),
            &ack,
            &Sequential
        ));
    }
    assert!(
        world
            .committee
            .verifier
            .sign::<Digest>(world.subject())
            .is_none()
    );
}

fn a_forged_ack_is_found_and_the_rest_still_certifies<F: Fixture>() {
    let world = World::<F>::new();
    let verifier = &world.committee.verifier;
    let spare = world.acks(4).split_off(3);
    for forged in 0..3 {
        let mut acks = world.acks(3);
        acks[forged].signature = acks[(forged + 1) % 3].signature.clone();
        let signer = acks[forged].signer;
        let result = verifier.optimistic_assemble::<_, Digest, _, _>(
            &mut test_rng(),
            world.subject(),
            acks,
            [].iter(),
            &Sequential,
        );
        let found = result.expect_err("a quorum with a forged ack certifies nothing");
        assert_eq!(found.invalid, [signer]);
        assert_eq!(found.verified.len(), 2);
        let certificate = verifier.optimistic_assemble::<_, Digest, _, _>(
            &mut test_rng(),
            world.subject(),
            spare.clone(),
            found.verified.iter(),
            &Sequential,
        );
        let certificate = certificate.ok().expect("three valid acks certify");
        assert!(world.holds(world.subject(), &certificate));
    }
}

fn an_ack_and_a_certificate_are_about_one_subject<F: Fixture>() {
    let world = World::<F>::new();
    let subject = world.subject();
    let other = Sha256::hash(&[b"another header"]);
    let others = [
        AckSubject {
            epoch: 4,
            ..subject
        },
        AckSubject {
            sequencer: &world.identities[3],
            ..subject
        },
        AckSubject {
            height: 8,
            ..subject
        },
        AckSubject {
            slot: 10,
            ..subject
        },
        AckSubject {
            digest: &other,
            ..subject
        },
    ];
    let certificate = world.assemble(3).unwrap();
    let ack = &world.acks(1)[0];
    for other in others {
        assert!(!world.holds(other, &certificate), "{other:?}");
        let verifier = &world.committee.verifier;
        assert!(
            !verifier.verify_attestation::<_, Digest>(&mut test_rng(), other, ack, &Sequential),
            "{other:?}"
        );
    }

    let identities = F::identities(SEED, 5);
    let elsewhere = F::committee(SEED, b"other genesis", &identities[..4]);
    assert!(!elsewhere.verifier.verify_certificate::<_, Digest>(
        &mut test_rng(),
        subject,
        &certificate,
        &Sequential
    ));
    assert!(!elsewhere.verifier.verify_attestation::<_, Digest>(
        &mut test_rng(),
        subject,
        ack,
        &Sequential
    ));
}

// L-21, R-11
fn a_certificate_claiming_a_million_signers_is_refused<F: Fixture>() {
    let world = World::<F>::new();
    let bounds = world.committee.verifier.certificate_codec_config();
    for claim in [5, 1_000_000, u64::from(u32::MAX), u64::MAX] {
        let mut encoded = world.assemble(3).unwrap().encode().to_vec();
        encoded[..8].copy_from_slice(&claim.to_be_bytes());
        if let Ok(certificate) = <F::Scheme as Verifier>::Certificate::decode_cfg(encoded, &bounds)
        {
            // One group signature names no signers: nothing was claimed, the point is merely wrong.
            assert!(!F::Scheme::is_attributable(), "{claim}");
            assert!(!world.holds(world.subject(), &certificate), "{claim}");
        }
    }
    let largest = F::Scheme::max_certificate_size(4);
    assert!(world.assemble(4).unwrap().encode().len() <= largest);
}

// D-26
fn a_certificate_has_one_encoding_and_no_flipped_bit_survives<F: Fixture>() {
    let world = World::<F>::new();
    let bounds = world.committee.verifier.certificate_codec_config();
    let decode = |bytes: Vec<u8>| <F::Scheme as Verifier>::Certificate::decode_cfg(bytes, &bounds);
    let encoded = world.assemble(3).unwrap().encode().to_vec();
    assert_eq!(decode(encoded.clone()).unwrap().encode().to_vec(), encoded);
    for bit in 0..encoded.len() * 8 {
        // Every bit of the bitmap, then a sample: BLS takes a millisecond each.
        if bit > 96 && bit % 13 != 0 {
            continue;
        }
        let mut flipped = encoded.clone();
        flipped[bit / 8] ^= 1 << (bit % 8);
        if let Ok(certificate) = decode(flipped.clone()) {
            assert_eq!(certificate.encode().to_vec(), flipped, "bit {bit}");
            assert!(!world.holds(world.subject(), &certificate), "bit {bit}");
        }
    }
    let mut longer = encoded;
    longer.push(0);
    assert!(decode(longer).is_err());
}

fn an_ack_survives_its_encoding<F: Fixture>() {
    let world = World::<F>::new();
    for ack in world.acks(4) {
        let decoded = Attestation::<F::Scheme>::decode(ack.encode()).unwrap();
        assert_eq!(decoded, ack);
        assert_eq!(decoded.encode(), ack.encode());
    }
}

fn the_same_seed_gives_the_same_committee<F: Fixture>() {
    let (one, two) = (World::<F>::new(), World::<F>::new());
    assert_eq!(one.identities, two.identities);
    assert_eq!(
        one.assemble(3).unwrap().encode(),
        two.assemble(3).unwrap().encode()
    );
    let more: Vec<_> = F::identities(SEED, 9)
        .iter()
        .map(|key| key.public_key())
        .collect();
    assert!(more.is_sorted());
    assert!(
        one.identities
            .iter()
            .all(|identity| more.contains(identity))
    );
    assert_ne!(
        F::identities(SEED + 1, 1)[0].public_key(),
        F::identities(SEED, 1)[0].public_key()
    );
}

fn any_subset_of_the_identities_is_a_committee<F: Fixture>() {
    let identities = F::identities(SEED, 6);
    let mut chosen = vec![
        identities[5].clone(),
        identities[0].clone(),
        identities[3].clone(),
        identities[2].clone(),
    ];
    let committee = F::committee(SEED, NAMESPACE, &chosen);
    chosen.sort_by_key(|key| key.public_key());
    for (index, key) in chosen.iter().enumerate() {
        let me = committee
            .of(&key.public_key())
            .me()
            .expect("a validator signs");
        assert_eq!(usize::from(me.index()), index);
    }
    assert!(
        committee.of(&identities[1].public_key()).me().is_none(),
        "an outsider only verifies"
    );
}

macro_rules! for_each_scheme {
    ($($property:ident),+ $(,)?) => {
        for_each_scheme!(@ free Free: $($property),+);
        for_each_scheme!(@ ed25519 Ed25519: $($property),+);
        for_each_scheme!(@ bls12381_multisig Multisig: $($property),+);
        for_each_scheme!(@ bls12381_threshold Threshold: $($property),+);
        for_each_scheme!(@ secp256r1 Secp256r1: $($property),+);
    };
    (@ $module:ident $fixture:ident: $($property:ident),+) => {
        mod $module {
            $(
                #[test]
                fn $property() {
                    super::$property::<super::fixture::$fixture>();
                }
            )+
        }
    };
}

for_each_scheme!(
    a_quorum_certifies_and_one_less_does_not,
    a_forged_ack_is_found_and_the_rest_still_certifies,
    an_ack_and_a_certificate_are_about_one_subject,
    a_certificate_claiming_a_million_signers_is_refused,
    a_certificate_has_one_encoding_and_no_flipped_bit_survives,
    an_ack_survives_its_encoding,
    the_same_seed_gives_the_same_committee,
    any_subset_of_the_identities_is_a_committee,
);

#[test]
fn the_signed_bytes_are_the_fields_in_order() {
    let world = World::<fixture::Free>::new();
    let message = world.subject().message();
    assert_eq!(message.len(), AckSubject::<super::free::PublicKey>::SIZE);
    let [epoch, height, slot] = [3u64, 7, 9].map(u64::to_be_bytes);
    let sequencer: &[u8] = &world.identities[4];
    let expected = [&epoch[..], sequencer, &height, &slot, &world.digest];
    assert_eq!(message, expected.concat());
}

// D-45
#[test]
fn a_bls_key_is_admitted_only_with_the_proof_of_its_owner() {
    let keys: Vec<_> = (0..3)
        .map(|seed| Private::random(TestRng::new(seed)))
        .collect();
    let public = |index: usize| ops::compute_public::<MinSig>(&keys[index]);
    let proof = |index: usize| possession::prove::<MinSig>(NAMESPACE, &keys[index]);
    let admit = |set: Vec<_>| possession::admit::<u64, MinSig>(NAMESPACE, set);

    let admitted = admit(vec![(2, public(2), proof(2)), (1, public(1), proof(1))]).unwrap();
    assert_eq!(admitted.keys().get_value(&1), Some(&public(1)));
    let refused = |set| admit(set).err();
    assert_eq!(
        refused(vec![(1, public(1), proof(1)), (2, public(2), proof(1))]),
        Some(possession::Error::Unproven(2))
    );
    let elsewhere = possession::prove::<MinSig>(b"other genesis", &keys[1]);
    assert_eq!(
        refused(vec![(1, public(1), elsewhere)]),
        Some(possession::Error::Unproven(1))
    );
    assert_eq!(
        refused(vec![(1, public(1), proof(1)), (2, public(1), proof(1))]),
        Some(possession::Error::Duplicate)
    );
}
