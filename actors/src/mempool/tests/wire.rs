//! What is on the wire, and what is refused there.

use crate::{
    mempool::{
        Refusal,
        wire::{Limits, Message},
    },
    testing::payments::config,
};
use bytes::Bytes;
use drystone_engine::types::Digest;
use proptest::{collection::vec, prelude::*};

const LIMITS: Limits = Limits {
    ids_max: 4,
    transaction_bytes_max: 30,
    message_bytes_max: 80,
};

fn ids(count: u8) -> Vec<Digest> {
    (0..count).map(|it| Digest::from([it; 32])).collect()
}

fn is_refused(bytes: impl Into<Bytes>) -> bool {
    let refused = Message::decode(bytes.into(), &LIMITS);
    refused.is_err_and(|error| Refusal::from(error).is_attributable())
}

// K-07, K-08
#[test]
fn malformed_messages_are_refused() {
    let (request, two) = (7, || ids(2));
    let contents = vec![vec![1; 9].into(), vec![2; 30].into()];
    for message in [
        Message::Announce(two()),
        Message::Get {
            request,
            ids: two(),
        },
        Message::Contents { request, contents },
        Message::Missing {
            request,
            ids: two(),
        },
    ] {
        let whole = message.encode();
        for length in 0..whole.len() {
            let cut = whole.slice(..length);
            assert!(is_refused(cut), "{message:?} cut at {length}");
        }
        let longer = [whole.as_ref(), &[0]].concat();
        assert!(is_refused(longer), "{message:?} and a trailing byte");
        assert_eq!(Message::decode(whole, &LIMITS).ok(), Some(message));
    }
    assert!(is_refused([4].as_slice().to_vec()), "no such message");
    assert!(is_refused(vec![0, 0, 0]), "says nothing");
    for tag in 1..4 {
        let nothing = [&[tag][..], &[0; 8], &[0, 0]].concat();
        assert!(is_refused(nothing), "tag {tag} says nothing");
    }
    let empty = [&[2][..], &[0; 8], &[0, 1, 0]].concat();
    assert!(is_refused(empty), "an empty transaction");
    let padded = [&[2][..], &[0; 8], &[0, 1, 0x81, 0, 9]].concat();
    assert!(is_refused(padded), "a length in another form");
}

// K-07, K-28: the limit itself is read, one more is not.
#[test]
fn ids_and_contents_are_limited() {
    let request = 1;
    for over in [
        Message::Announce(ids(5)),
        Message::Get {
            request,
            ids: ids(5),
        },
        Message::Missing {
            request,
            ids: ids(5),
        },
    ] {
        assert!(is_refused(over.encode()));
    }
    assert_eq!(config().wire, LIMITS);
    let content = |length| Message::Contents {
        request,
        contents: vec![vec![1; length].into()],
    };
    assert!(is_refused(content(31).encode()));
    assert!(Message::decode(content(30).encode(), &LIMITS).is_ok());
}

// claims allocate nothing.
#[test]
fn a_claimed_count_is_checked_against_what_is_there() {
    let ample = Limits {
        ids_max: usize::MAX,
        transaction_bytes_max: usize::MAX,
        message_bytes_max: usize::MAX,
    };
    let claim = [&[2][..], &[0; 8], &[0, 1, 0xff, 0xff, 0xff, 0xff, 0x0f]].concat();
    assert!(Message::decode(claim.into(), &ample).is_err());
    let claim = Bytes::from_static(&[0, 0xff, 0xff, 7]);
    assert!(Message::decode(claim, &ample).is_err());
}

#[test]
fn parts_of_an_answer_fit_a_message_and_keep_their_order() {
    let contents: Vec<Bytes> = (1..30).map(|it| vec![it; usize::from(it)].into()).collect();
    let parts = LIMITS.split(contents.clone());
    assert_eq!(parts.concat(), contents);
    for contents in parts {
        let message = Message::Contents {
            request: u64::MAX,
            contents,
        };
        let bytes = message.encode();
        assert!(bytes.len() <= LIMITS.message_size_max(), "{}", bytes.len());
        assert_eq!(Message::decode(bytes, &LIMITS).ok(), Some(message));
    }
}

fn messages() -> impl Strategy<Value = Message> {
    let id = any::<[u8; 32]>().prop_map(Digest::from);
    let ids = vec(id, 1..=4);
    let content = vec(any::<u8>(), 1..=30).prop_map(Bytes::from);
    prop_oneof![
        ids.clone().prop_map(Message::Announce),
        (any::<u64>(), ids.clone()).prop_map(|(request, ids)| Message::Get { request, ids }),
        (any::<u64>(), ids).prop_map(|(request, ids)| Message::Missing { request, ids }),
        (any::<u64>(), vec(content, 1..=4))
            .prop_map(|(request, contents)| Message::Contents { request, contents }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(message in messages()) {
        let read = Message::decode(message.encode(), &LIMITS);
        prop_assert_eq!(read.ok(), Some(message));
    }

    // Any bytes are refused, or are the only form of what is read.
    #[test]
    fn what_is_read_is_written_back(tag in 0_u8..5, rest in vec(prop_oneof![0_u8..3, any::<u8>()], 0..60)) {
        let bytes = Bytes::from([&[tag][..], &rest].concat());
        if let Ok(message) = Message::decode(bytes.clone(), &LIMITS) {
            prop_assert_eq!(message.encode(), bytes);
        }
    }
}
