use super::{PrivateKey, PublicKey, Signature};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_cryptography::{BatchEntry, BatchVerifier as _, Signer as _, Verifier as _};
use commonware_parallel::Sequential;
use commonware_utils::test_rng;

#[test]
fn a_signature_belongs_to_one_signer_namespace_and_message() {
    let (key, other) = (PrivateKey::from_seed(1), PrivateKey::from_seed(2));
    let signature = key.sign(b"namespace", b"message");
    assert!(
        key.public_key()
            .verify(b"namespace", b"message", &signature)
    );
    assert!(
        !other
            .public_key()
            .verify(b"namespace", b"message", &signature)
    );
    assert!(
        !key.public_key()
            .verify(b"namespac", b"emessage", &signature)
    );
    assert!(
        !key.public_key()
            .verify(b"namespace", b"messagf", &signature)
    );
    for bit in 0..128 {
        let mut forged = signature.clone();
        forged.0[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.public_key().verify(b"namespace", b"message", &forged));
    }
}

#[test]
fn keys_and_signatures_survive_their_encoding() {
    let key = PrivateKey::from_seed(7);
    let signature = key.sign(b"namespace", b"message");
    let decoded = PrivateKey::decode(key.encode()).unwrap();
    assert_eq!(decoded.sign(b"namespace", b"message"), signature);
    assert_eq!(
        PublicKey::decode(key.public_key().encode()).unwrap(),
        key.public_key()
    );
    assert_eq!(Signature::decode(signature.encode()).unwrap(), signature);
    assert_eq!(PrivateKey::from_seed(7).public_key(), key.public_key());
}

#[test]
fn a_batch_holds_only_if_every_signature_does() {
    let key = PrivateKey::from_seed(1);
    let public_key = key.public_key();
    let check = |signatures: &[Signature]| {
        PublicKey::verify_batch(
            &mut test_rng(),
            signatures,
            |_, signature| BatchEntry {
                namespace: b"namespace",
                message: b"message",
                public_key: &public_key,
                signature,
            },
            &Sequential,
        )
    };
    let (good, bad) = (
        key.sign(b"namespace", b"message"),
        key.sign(b"namespace", b"other"),
    );
    assert!(check(&[good.clone(), good.clone()]));
    assert!(!check(&[good, bad]));
    assert!(!check(&[]));
}
