//! What a client believes.

use super::{commit, name, open, writes};
use crate::state::{Proof, Proven};
use commonware_codec::{Copying, DecodeExt as _, Encode as _};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::{Runner as _, deterministic};
use proptest::prelude::*;

/// Forty blocks over ten keys, of which the odd ones are gone in the end; then what is proven of each key.
fn proven() -> Vec<Proven> {
    deterministic::Runner::default().start(|context| async move {
        let mut state = open(&context).await;
        for height in 0..40_u64 {
            let key = (height % 10) as u8;
            let value = (height < 30 || key.is_multiple_of(2)).then_some(height);
            let root = commit(&mut state, height, writes(&[(key, value)])).await;
            let proven = state.reader().prove(&name(key)).await.expect("read");
            let proven = proven.expect("after the genesis");
            assert_eq!((proven.root, proven.head.height), (root, height));
            let value = proven.value.as_deref();
            assert!(proven.proof.verify(&name(key), value, &root));
        }
        let mut all = Vec::new();
        for key in 0..10 {
            let proven = state.reader().prove(&name(key)).await.expect("read");
            all.push(proven.expect("after the genesis"));
        }
        all
    })
}

#[test]
fn a_proof_convinces_of_one_key_one_value_and_one_root() {
    let all = proven();
    for (index, proven) in all.iter().enumerate() {
        let bytes = proven.proof.encode();
        let proof = Proof::decode(Copying(&bytes)).expect("what was encoded");
        assert_eq!(proof, proven.proof);
        let key = name(index as u8);
        let value = proven.value.as_deref();
        assert_eq!(value.is_some(), index % 2 == 0);
        assert!(proof.verify(&key, value, &proven.root), "key {index}");
        let other_value = if value.is_some() {
            None
        } else {
            Some(&[1][..])
        };
        assert!(!proof.verify(&key, other_value, &proven.root));
        assert!(!proof.verify(&key, Some(b"another"), &proven.root));
        assert!(!proof.verify(&key, value, &Sha256::hash(&[b"another"])));
        if value.is_some() {
            assert!(!proof.verify(&name(index as u8 + 1), value, &proven.root));
        } else {
            // It may prove more absences than the one asked for, but none of what is there.
            let present = name((index as u8 + 1) % 10);
            assert!(!proof.verify(&present, None, &proven.root));
        }
    }
}

#[test]
fn nothing_is_proven_before_the_genesis() {
    deterministic::Runner::default().start(|context| async move {
        let state = open(&context).await;
        let proven = state.reader().prove(&name(0)).await.expect("read");
        assert_eq!(proven, None);
    });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_proof_whose_bytes_were_changed_neither_convinces_nor_panics(
        at in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
        cut in any::<prop::sample::Index>(),
    ) {
        for (index, proven) in proven().iter().enumerate().take(2) {
            let mut bytes = proven.proof.encode().to_vec();
            let cut = cut.index(bytes.len());
            prop_assert!(Proof::decode(Copying(&bytes[..cut])).is_err());
            let at = at.index(bytes.len());
            bytes[at] ^= flip;
            if let Ok(proof) = Proof::decode(Copying(&bytes)) {
                let value = proven.value.as_deref();
                prop_assert!(!proof.verify(&name(index as u8), value, &proven.root));
            }
        }
    }
}
