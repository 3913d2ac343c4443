use super::{Certificate, Message, Scheme, combine};
use crate::scheme::{AckSubject, free};
use commonware_cryptography::{
    Hasher as _, Sha256, Signer as _,
    certificate::{AssemblyError, Attestation, Scheme as _, Signers, Verifier as _},
    sha256::Digest,
};
use commonware_parallel::Sequential;
use commonware_utils::{Participant, TryFromIterator as _, iter::NonEmpty, ordered::Set, test_rng};

const NAMESPACE: &[u8] = b"free";

fn participants(n: u64) -> Set<free::PublicKey> {
    Set::try_from_iter((0..n).map(|seed| free::PrivateKey::from_seed(seed).public_key())).unwrap()
}

/// The certificate of exactly `signers`, whatever a quorum is.
fn certificate(
    scheme: &Scheme<free::PublicKey>,
    subject: &AckSubject<'_, free::PublicKey>,
    size: u32,
    signers: impl Iterator<Item = u32> + Clone,
) -> Certificate {
    let signers = signers.map(Participant::new);
    let message = Message::new(subject);
    let tag = signers.clone().fold(0, |sum, signer| {
        combine(
            sum,
            signer,
            scheme.expected(signer, &message).unwrap_or_default(),
        )
    });
    let signers = Signers::new(size, signers).unwrap();
    Certificate {
        signers,
        tag: free::Signature::new(tag),
    }
}

#[test]
fn only_a_quorum_over_exactly_this_set_is_a_certificate() {
    let participants = participants(7);
    let scheme = Scheme::verifier(NAMESPACE, participants.clone());
    let digest = Sha256::hash(&[b"header"]);
    let subject = AckSubject {
        epoch: 1,
        sequencer: &participants[0],
        height: 2,
        slot: 3,
        digest: &digest,
    };
    let holds = |certificate: &Certificate| {
        scheme.verify_certificate::<_, Digest>(&mut test_rng(), subject, certificate, &Sequential)
    };

    assert!(holds(&certificate(&scheme, &subject, 7, 0..5)));
    assert!(holds(&certificate(&scheme, &subject, 7, 0..7)));
    assert!(
        !holds(&certificate(&scheme, &subject, 7, 0..4)),
        "one short of a quorum"
    );
    assert!(
        !holds(&certificate(&scheme, &subject, 8, 0..5)),
        "a bitmap longer than the set"
    );
    assert!(
        !holds(&certificate(&scheme, &subject, 6, 0..5)),
        "a bitmap shorter than the set"
    );
    assert!(
        !holds(&certificate(&scheme, &subject, 8, 3..8)),
        "a signer outside the set"
    );
}

#[test]
fn two_forgeries_do_not_cancel_each_other() {
    let participants = participants(4);
    let scheme = Scheme::verifier(NAMESPACE, participants.clone());
    let digest = Sha256::hash(&[b"header"]);
    let subject = AckSubject {
        epoch: 1,
        sequencer: &participants[0],
        height: 2,
        slot: 3,
        digest: &digest,
    };
    let message = Message::new(&subject);
    let expected = |index| scheme.expected(Participant::new(index), &message).unwrap();
    let assemble = |tags: [u128; 3]| {
        let attestations = (0..).zip(tags).map(|(index, tag)| Attestation {
            signer: Participant::new(index),
            signature: free::Signature::new(tag).into(),
        });
        scheme
            .assemble(NonEmpty::try_new(attestations).unwrap(), &Sequential)
            .unwrap()
    };
    let holds = |tags| {
        let certificate = assemble(tags);
        scheme.verify_certificate::<_, Digest>(&mut test_rng(), subject, &certificate, &Sequential)
    };

    let (a, b, c) = (expected(0), expected(1), expected(2));
    assert!(holds([a, b, c]));
    assert!(!holds([b, a, c]), "swapped");
    assert!(!holds([a ^ 1, b ^ 1, c]), "the same bit flipped in both");
    assert!(
        !holds([a.wrapping_add(1), b.wrapping_sub(1), c]),
        "one more and one less"
    );
}

#[test]
fn strangers_and_duplicates_are_not_assembled() {
    let participants = participants(4);
    let scheme: Vec<_> = participants
        .iter()
        .map(|key| Scheme::signer(NAMESPACE, participants.clone(), key).unwrap())
        .collect();
    let digest = Sha256::hash(&[b"header"]);
    let subject = AckSubject {
        epoch: 1,
        sequencer: &participants[0],
        height: 2,
        slot: 3,
        digest: &digest,
    };
    let ack = |index: usize| scheme[index].sign::<Digest>(subject).unwrap();
    let assemble = |acks: Vec<Attestation<_>>| {
        scheme[0].assemble(NonEmpty::try_new(acks.into_iter()).unwrap(), &Sequential)
    };

    assert_eq!(
        assemble(vec![ack(0), ack(1), ack(1), ack(2)]),
        Err(AssemblyError::DuplicateSigner(Participant::new(1)))
    );
    let stranger = Attestation {
        signer: Participant::new(4),
        ..ack(0)
    };
    assert_eq!(
        assemble(vec![ack(0), ack(1), ack(2), stranger]),
        Err(AssemblyError::UnknownSigner(Participant::new(4)))
    );
    assert!(
        Scheme::signer(
            NAMESPACE,
            participants.clone(),
            &free::PrivateKey::from_seed(9).public_key()
        )
        .is_none()
    );
}
