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

/// Something of each shape that an observation may have.
#[derive(Clone, serde::Serialize)]
enum Shape {
    Nothing,
    Number(i64),
    Pair(u8, bool),
    Named { text: &'static str, list: Vec<u16> },
    Maybe(Option<u32>),
    Large(u128),
}

fn value<T: serde::Serialize>(value: &T) -> TraceHash {
    let mut hasher = Hasher::default();
    words::hash(&mut hasher, value).expect("it serializes");
    hasher.finish()
}

#[test]
fn values_that_differ_anywhere_differ_in_their_hash() {
    let named = |text, list: &[u16]| Shape::Named {
        text,
        list: list.to_vec(),
    };
    let shapes = [
        Shape::Nothing,
        Shape::Number(0),
        Shape::Number(-1),
        Shape::Pair(0, false),
        Shape::Pair(0, true),
        Shape::Pair(1, false),
        named("", &[]),
        named("a", &[]),
        named("a\0", &[]),
        named("", &[0]),
        named("", &[0, 0]),
        Shape::Maybe(None),
        Shape::Maybe(Some(0)),
        Shape::Maybe(Some(1)),
        Shape::Large(1),
        Shape::Large(1 << 64),
    ];
    let distinct: std::collections::BTreeSet<_> = shapes.iter().map(value).collect();
    assert_eq!(distinct.len(), shapes.len());
    assert!(shapes.iter().all(|it| value(it) == value(&it.clone())));
    // Lists in a row end where they end.
    assert_ne!(value(&(vec![1, 2], vec![3])), value(&(vec![1], vec![2, 3])));
}

#[test]
fn a_list_that_does_not_know_its_length_is_refused() {
    struct Unknown;
    impl serde::Serialize for Unknown {
        fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            serializer.collect_seq((0..3).filter(|it| *it != 1))
        }
    }
    let refused = words::hash(&mut Hasher::default(), &Unknown);
    assert!(refused.is_err());
}

#[test]
fn a_field_that_is_left_out_is_refused() {
    #[derive(serde::Serialize)]
    struct Either {
        #[serde(skip_serializing_if = "Option::is_none")]
        left: Option<u8>,
        #[serde(skip_serializing_if = "Option::is_none")]
        right: Option<u8>,
    }
    let (left, right) = (Some(1), None);
    let refused = words::hash(&mut Hasher::default(), &Either { left, right });
    let why = refused.expect_err("(None, Some(1)) would hash alike");
    assert!(why.to_string().contains("field right"), "{why}");
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
enum Sound {
    Loud,
    Soft,
}

impl crate::Observation for Sound {
    const KINDS: &'static [&'static str] = &["loud", "soft"];

    fn kind(&self) -> &'static str {
        match self {
            Self::Loud => "loud",
            Self::Soft => "soft",
        }
    }
}

fn recorder(read: Option<Vec<&'static str>>) -> Recorder<Sound> {
    Recorder::new(1, Vec::new(), read, 10, None)
}

#[test]
fn a_run_stops_for_the_kinds_that_concern_it_and_records_the_others_too() {
    let heard = |read| {
        let mut recorder = recorder(read);
        let mut stops = Vec::new();
        for sound in [Sound::Soft, Sound::Loud, Sound::Soft] {
            recorder.observe(1, None, 0, sound);
            let mut unread = Vec::new();
            let stopped = recorder.ready(std::task::Waker::noop());
            recorder.read(&mut unread);
            assert_eq!(stopped, !unread.is_empty());
            stops.extend(unread.iter().map(|it| it.what));
        }
        let collected = recorder.collected();
        assert_eq!(collected.observations["soft"], 2);
        (stops, collected.trace_hash)
    };
    let (all, hash) = heard(None);
    assert_eq!(all, [Sound::Soft, Sound::Loud, Sound::Soft]);
    assert_eq!(heard(Some(vec!["loud"])), (vec![Sound::Loud], hash));
}

#[test]
#[should_panic(expected = "\"ears\" hears [\"shrill\"]: no kinds")]
fn a_kind_that_there_is_not_is_refused() {
    known::<Sound>("ears", Some(&["loud", "shrill"]));
}
