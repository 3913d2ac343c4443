use super::{Chunk, Error, Limits, Size};
use bytes::Bytes;
use drystone_engine::types::Payload;
use proptest::{collection::vec, prelude::*};

const LIMITS: Limits = Limits {
    bytes_max: 64,
    items_max: 4,
};
const AMPLE: Limits = Limits {
    bytes_max: 1 << 20,
    items_max: 1 << 10,
};

fn transactions(texts: &[&'static str]) -> Vec<Bytes> {
    let texts = texts.iter();
    texts.map(|it| Bytes::from_static(it.as_bytes())).collect()
}

fn packed(texts: &[&'static str]) -> Chunk {
    Chunk::pack(&transactions(texts), &LIMITS).expect("within the limits")
}

fn decoded(body: &[u8]) -> Result<Chunk, Error> {
    Chunk::decode(Bytes::copy_from_slice(body), &LIMITS)
}

// D-01
#[test]
fn an_empty_chunk_and_an_empty_transaction_are_refused() {
    assert_eq!(Chunk::pack(&[], &LIMITS), Err(Error::Empty));
    assert_eq!(decoded(&[0, 0, 0, 0]), Err(Error::Empty));
    let hole = Chunk::pack(&transactions(&["a", ""]), &LIMITS);
    assert_eq!(hole, Err(Error::EmptyTransaction(1)));
    let hole = decoded(&[0, 0, 0, 2, 1, b'a', 0]);
    assert_eq!(hole, Err(Error::Truncated(1)), "too short for two");
    let hole = decoded(&[0, 0, 0, 2, 0, 1, b'a', 9]);
    assert_eq!(hole, Err(Error::EmptyTransaction(0)));
}

// D-01
#[test]
fn trailing_bytes_are_refused() {
    let chunk = packed(&["ab", "c"]);
    let longer = [chunk.body().as_ref(), &[0]].concat();
    assert_eq!(decoded(&longer), Err(Error::Trailing(1)));
}

// D-01
#[test]
fn a_length_in_another_than_its_shortest_form_is_refused() {
    assert!(decoded(&[0, 0, 0, 1, 1, b'a']).is_ok());
    let padded = decoded(&[0, 0, 0, 1, 0x81, 0x00, b'a']);
    assert_eq!(padded, Err(Error::NotCanonical(0)));
    let overflowing = decoded(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, b'a']);
    assert_eq!(overflowing, Err(Error::NotCanonical(0)));
}

// D-01, D-10: the limit itself is accepted, one more is refused.
#[test]
fn bytes_and_transactions_are_limited() {
    let full = "x".repeat(59);
    let full = Bytes::from(full);
    let chunk = Chunk::pack([&full], &LIMITS).expect("the limit itself");
    assert_eq!(chunk.payload().bytes, LIMITS.bytes_max);
    let over = Bytes::from("x".repeat(60));
    let refusal = Err(Error::TooManyBytes { bytes: 65, max: 64 });
    assert_eq!(Chunk::pack([&over], &LIMITS), refusal);
    let body = Chunk::pack([&over], &AMPLE).expect("ample");
    assert_eq!(decoded(body.body()), refusal);
    assert!(LIMITS.fit(&full) && !LIMITS.fit(&over) && !LIMITS.fit(&[]));

    assert_eq!(packed(&["a", "b", "c", "d"]).payload().items, 4);
    let five = transactions(&["a", "b", "c", "d", "e"]);
    let refusal = Err(Error::TooManyItems { items: 5, max: 4 });
    assert_eq!(Chunk::pack(&five, &LIMITS), refusal);
    let body = Chunk::pack(&five, &AMPLE).expect("ample");
    assert_eq!(decoded(body.body()), refusal);
}

// a claim allocates nothing. Were it to, this would ask for 96 GiB.
#[test]
fn a_claimed_count_or_length_is_checked_against_what_is_there() {
    let boundless = Limits {
        bytes_max: u32::MAX,
        items_max: u32::MAX,
    };
    // Four bytes hold no more than two transactions: known before the first, which takes them all, is read.
    let claim = Bytes::from_static(&[0xff, 0xff, 0xff, 0xff, 3, b'a', b'b', b'c']);
    assert_eq!(Chunk::decode(claim, &boundless), Err(Error::Truncated(2)));
    let claim = Bytes::from_static(&[0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f, b'a']);
    assert_eq!(Chunk::decode(claim, &boundless), Err(Error::Truncated(0)));
}

// D-01
#[test]
fn a_body_cut_short_anywhere_is_refused() {
    let chunk = packed(&["first", "second"]);
    for length in 0..chunk.body().len() {
        let cut = chunk.body().slice(..length);
        let refusal = Chunk::decode(cut, &LIMITS).expect_err("cut short");
        assert!(matches!(refusal, Error::Truncated(_)), "{refusal}");
    }
}

#[test]
fn decoding_copies_nothing() {
    let body = packed(&["first", "second"]).body().clone();
    let chunk = Chunk::decode(body.clone(), &LIMITS).expect("packed");
    let within = body.as_ptr_range();
    for transaction in chunk.transactions() {
        assert!(within.contains(&transaction.as_ptr()), "a view of the body");
    }
}

// each part of what a header claims is checked, and who is to blame.
#[test]
fn a_body_is_opened_only_by_a_header_that_names_it() {
    let chunk = packed(&["first", "second"]);
    let (body, payload) = (chunk.body().clone(), chunk.payload());
    let opened = Chunk::open(body.clone(), &payload, &LIMITS);
    assert_eq!(opened, Ok(chunk));

    let other = packed(&["other"]);
    let refusal = Chunk::open(other.body().clone(), &payload, &LIMITS).expect_err("another chunk");
    let expected = Error::OtherDigest {
        expected: payload.digest,
        found: other.payload().digest,
    };
    assert_eq!((refusal, refusal.is_senders()), (expected, true));

    for claimed in [
        Payload {
            bytes: payload.bytes + 1,
            ..payload
        },
        Payload {
            items: payload.items - 1,
            ..payload
        },
    ] {
        let refusal = Chunk::open(body.clone(), &claimed, &LIMITS).expect_err("misstated");
        let found = payload;
        let expected = Error::OtherPayload { claimed, found };
        assert_eq!((refusal, refusal.is_senders()), (expected, false));
    }
}

proptest! {
    // D-01
    #[test]
    fn what_is_packed_is_read_back(contents in vec(vec(any::<u8>(), 1..300), 1..40)) {
        let transactions: Vec<_> = contents.into_iter().map(Bytes::from).collect();
        let chunk = Chunk::pack(&transactions, &AMPLE).expect("within the limits");
        prop_assert_eq!(chunk.transactions(), &transactions[..]);
        let read = Chunk::open(chunk.body().clone(), &chunk.payload(), &AMPLE);
        prop_assert_eq!(read.as_ref(), Ok(&chunk));

        let mut size = Size::default();
        prop_assert!(transactions.iter().all(|it| size.add(it, &AMPLE)));
        let payload = chunk.payload();
        prop_assert_eq!((size.bytes, size.items), (payload.bytes as usize, payload.items as usize));
    }

    // D-01: what is read has one encoding, and it is the one that was read.
    #[test]
    fn any_bytes_are_refused_or_packed_back_to_themselves(
        count in 0_u32..4,
        rest in vec(prop_oneof![0_u8..4, any::<u8>()], 0..12),
    ) {
        let body = Bytes::from([&count.to_be_bytes()[..], &rest].concat());
        if let Ok(chunk) = Chunk::decode(body.clone(), &LIMITS) {
            let packed = Chunk::pack(chunk.transactions(), &LIMITS).expect("it was read");
            prop_assert_eq!(packed.body(), &body);
        }
    }
}
