//! What peers see.

use super::{Answer, Parcel, Refusal, Relay, Request};
use crate::{
    chunk_store::Absence,
    relay::message_size_max,
    testing::{Key, World},
};
use bytes::Bytes;
use commonware_runtime::IoBuf;
use proptest::{collection::vec, prelude::*};

fn parcels() -> Vec<Parcel<Key>> {
    let relay = Relay::new(1);
    let reference = relay.reference(1, 7);
    let body = Relay::body(7).body().clone();
    let answers = [
        (Answer::Body(body.clone()), true),
        (Answer::Body(body), false),
        (Answer::Body(Bytes::new()), false),
        (Answer::Absent(Absence::Unknown), false),
        (Answer::Absent(Absence::Expired), false),
        (Answer::Absent(Absence::Pruned), false),
        (Answer::Busy, false),
    ];
    answers
        .into_iter()
        .map(|(answer, pushed)| Parcel {
            reference: reference.clone(),
            answer,
            pushed,
        })
        .collect()
}

fn bytes(parcel: Parcel<Key>) -> Bytes {
    Bytes::from(parcel.encode().coalesce())
}

fn decode(bytes: Bytes) -> Result<Parcel<Key>, Refusal> {
    Parcel::decode(IoBuf::from(bytes), &World::new().genesis)
}

#[test]
fn what_is_written_is_read_and_fits_the_largest_message() {
    let genesis = World::new().genesis;
    let relay = Relay::new(1);
    for parcel in parcels() {
        let bytes = bytes(parcel.clone());
        assert!(bytes.len() <= message_size_max::<Key>(&genesis));
        assert_eq!(decode(bytes), Ok(parcel));
    }
    for height in [None, Some(0), Some(u64::MAX)] {
        let reference = relay.reference(1, 7);
        let request = Request { reference, height };
        let bytes = request.encode();
        assert!(bytes.len() <= message_size_max::<Key>(&genesis));
        assert_eq!(Request::decode(IoBuf::from(bytes), &genesis), Ok(request));
    }
}

#[test]
fn a_body_is_not_copied_in_or_out() {
    let parcel = parcels().remove(0);
    let Answer::Body(body) = parcel.answer.clone() else {
        panic!("a body");
    };
    let sent = parcel.encode();
    let at = body.as_ptr();
    let mut chunks = Vec::new();
    let mut rest = sent.clone();
    while !rest.is_empty() {
        use bytes::Buf as _;
        chunks.push(rest.chunk().as_ptr());
        let len = rest.chunk().len();
        rest.advance(len);
    }
    assert!(chunks.contains(&at), "the body goes out as it lies");
    let came = Bytes::from(sent.coalesce());
    let Answer::Body(body) = decode(came.clone()).expect("well formed").answer else {
        panic!("a body");
    };
    assert!(
        came.as_ptr_range().contains(&body.as_ptr()),
        "it is a view of what came"
    );
}

// D-22, R-11
#[test]
fn short_long_and_impossible_messages_are_refused() {
    let genesis = World::new().genesis;
    let malformed = |it: Result<_, Refusal>| matches!(it, Err(Refusal::Malformed(_)));
    let absent = bytes(parcels().remove(3));
    for len in 0..absent.len() {
        assert!(malformed(decode(absent.slice(..len)).map(drop)), "{len}");
    }
    let trailing = Bytes::from([&absent[..], &[0]].concat());
    assert!(malformed(decode(trailing).map(drop)));
    let mut kind = absent.to_vec();
    kind[0] = 6;
    assert!(malformed(decode(Bytes::from(kind)).map(drop)));
    let mut long = bytes(parcels().remove(2)).to_vec();
    long.extend(vec![0; genesis.chunk_bytes_max as usize]);
    assert!(decode(Bytes::from(long.clone())).is_ok());
    long.push(0);
    assert!(malformed(decode(Bytes::from(long)).map(drop)));

    let relay = Relay::new(1);
    let request = Request {
        reference: relay.reference(1, 7),
        height: Some(1),
    };
    let whole = request.encode();
    for len in 0..whole.len() {
        let short = Request::<Key>::decode(IoBuf::from(whole.slice(..len)), &genesis);
        assert!(malformed(short.map(drop)), "{len}");
    }
    for part in 0..6 {
        let mut request = request.clone();
        match part {
            0 => request.reference.place.height = 0,
            1 => request.reference.place.slot = u64::MAX,
            2 => request.reference.bytes = 0,
            3 => request.reference.bytes = genesis.chunk_bytes_max + 1,
            4 => request.reference.items = 0,
            _ => request.reference.items = genesis.chunk_items_max + 1,
        }
        let decoded = Request::<Key>::decode(IoBuf::from(request.encode()), &genesis);
        assert!(
            matches!(decoded, Err(Refusal::Impossible(_))),
            "part {part}"
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_are_refused_or_read_back_as_they_were(input in vec(any::<u8>(), 0..200)) {
        let input = Bytes::from(input);
        if let Ok(parcel) = decode(input.clone()) {
            prop_assert_eq!(bytes(parcel), input.clone());
        }
        let genesis = World::new().genesis;
        if let Ok(request) = Request::<Key>::decode(IoBuf::from(input.clone()), &genesis) {
            prop_assert_eq!(request.encode(), input);
        }
    }
}
