use super::*;

fn hash(words: &[u64]) -> TraceHash {
    let mut hasher = Hasher::default();
    words.iter().for_each(|word| hasher.word(*word));
    hasher.finish()
}

#[test]
fn a_hash_depends_on_every_word_and_on_their_order() {
    let hashes = [
        hash(&[]),
        hash(&[0]),
        hash(&[0, 0]),
        hash(&[1, 2]),
        hash(&[2, 1]),
        hash(&[1 << 63, 2]),
    ];
    let distinct: std::collections::BTreeSet<_> = hashes.iter().collect();
    assert_eq!(distinct.len(), hashes.len());
}

#[test]
fn bytes_are_hashed_with_their_length() {
    let of = |bytes: &[u8]| {
        let mut hasher = Hasher::default();
        hasher.bytes(bytes);
        hasher.finish()
    };
    assert_ne!(of(b"a"), of(b"a\0"));
    assert_ne!(of(b""), of(b"\0"));
}

#[test]
fn a_hash_is_the_same_in_every_version() {
    // Written down once: capsules hold hashes, so a change of the function must be meant.
    assert_eq!(hash(&[1, 2, 3]).to_string(), PINNED);
}

const PINNED: &str = "d866d59deca5f6cb43bf45bf8a1dfcfa";

#[test]
fn a_hash_reads_back_from_its_text_and_nothing_else_does() {
    let hash = hash(&[7]);
    assert_eq!(hash.to_string().parse(), Ok(hash));
    for text in [
        "",
        "12",
        &"g".repeat(32),
        &"\u{e9}".repeat(16),
        &format!("{hash}0"),
    ] {
        assert!(text.parse::<TraceHash>().is_err(), "{text}");
    }
}
