//! The decoders of the actors.

use super::{decode, plain, same};
use crate::nouns::{Deployed, Name, Nouns, World};
use bytes::{Bytes, BytesMut};
use commonware_codec::{Decode as _, Encode as _, RangeCfg};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::IoBuf;
use drystone_actors::{
    Place, Reference,
    chunk::{self, Chunk},
    chunk_store::{Absence, Location, Record},
    mempool::wire,
    relay::{Answer, Parcel, Request},
    runs,
};
use drystone_engine::types::{Digest, Header, Payload, Signed};

/// So large that nothing but the bytes that came bounds a claim.
const CHUNK: chunk::Limits = chunk::Limits {
    bytes_max: u32::MAX,
    items_max: u32::MAX,
};
/// Likewise.
const MESSAGE: wire::Limits = wire::Limits {
    ids_max: usize::MAX,
    transaction_bytes_max: usize::MAX,
    message_bytes_max: usize::MAX,
};

/// What a header should say of a body, as far as the body says how many transactions it holds.
fn claim(body: &[u8]) -> Payload {
    let items = body.first_chunk().map_or(0, |it| u32::from_be_bytes(*it));
    Payload {
        digest: Sha256::hash(&[body]),
        bytes: u32::try_from(body.len()).expect("inputs are short"),
        items,
    }
}

/// [`Chunk::decode`] and [`Chunk::open`], which blame the producer for what is wrong with a chunk, and its sender for
/// sending another one.
pub fn chunk(data: &[u8]) {
    let claimed = claim(data);
    let read = decode(data, |bytes| Chunk::decode(bytes, &CHUNK));
    let opened = decode(data, |bytes| Chunk::open(bytes, &claimed, &CHUNK));
    assert_eq!(read, opened, "one body, read and opened");
    match &read {
        Ok(chunk) => {
            let packed = Chunk::pack(chunk.transactions(), &CHUNK).expect("it was read");
            same(data, packed.body());
            same(data, chunk.body());
            assert_eq!(chunk.payload(), claimed);
        }
        Err(error) => assert!(!error.is_senders(), "{error}"),
    }
    let bytes = claimed.bytes ^ 1;
    let misstated = decode(data, |it| {
        Chunk::open(it, &Payload { bytes, ..claimed }, &CHUNK)
    });
    assert!(misstated.is_err_and(|it| !it.is_senders()), "misstated");
    let digest = Digest::from([0; 32]);
    let other = decode(data, |it| {
        Chunk::open(it, &Payload { digest, ..claimed }, &CHUNK)
    });
    assert!(other.is_err_and(|it| it.is_senders()), "another chunk");
}

/// [`wire::Message`].
pub fn mempool(data: &[u8]) {
    if let Ok(it) = decode(data, |bytes| wire::Message::decode(bytes, &MESSAGE)) {
        same(data, &it.encode());
    }
}

/// [`Request`].
pub fn request<F: Deployed>(data: &[u8]) {
    let genesis = &F::world().genesis;
    if let Ok(it) = decode(data, |bytes| {
        Request::<Name<F>>::decode(IoBuf::from(bytes), genesis)
    }) {
        same(data, &it.encode());
    }
}

/// [`Parcel`].
pub fn parcel<F: Deployed>(data: &[u8]) {
    let genesis = &F::world().genesis;
    if let Ok(it) = decode(data, |bytes| {
        Parcel::<Name<F>>::decode(IoBuf::from(bytes), genesis)
    }) {
        same(data, &Bytes::from(it.encode().coalesce()));
    }
}

/// [`runs::wire::Message`].
pub fn run<F: Deployed>(data: &[u8]) {
    let genesis = &F::world().genesis;
    if let Ok(it) = decode(data, |bytes| {
        runs::wire::Message::<Name<F>>::decode::<Nouns<F>>(IoBuf::from(bytes), genesis)
    }) {
        same(data, &Bytes::from(it.encode().coalesce()));
    }
}

/// [`Reference`].
pub fn reference<F: Deployed>(data: &[u8]) {
    plain::<Reference<Name<F>>>(data);
}

/// [`Record`].
pub fn record<F: Deployed>(data: &[u8]) {
    let body = RangeCfg::new(0..=F::world().genesis.chunk_bytes_max as usize);
    if let Ok(it) = decode(data, |bytes| Record::<Name<F>>::decode_cfg(bytes, &body)) {
        same(data, &it.encode());
    }
}

fn body() -> Chunk {
    let transactions = [
        Bytes::from_static(b"one"),
        Bytes::from_static(b"the other"),
        Bytes::from(vec![7; 200]),
    ];
    Chunk::pack(&transactions, &CHUNK).expect("within the limits")
}

fn reference_of<F: Deployed>(world: &World<F>, chunk: &Chunk) -> Reference<Name<F>> {
    let payload = chunk.payload();
    Reference {
        sequencer: world.names[1].clone(),
        place: Place {
            height: 7,
            slot: 9,
            digest: payload.digest,
        },
        bytes: payload.bytes,
        items: payload.items,
    }
}

/// Valid encodings for the targets that know no keys.
pub fn plain_seeds() -> Vec<(&'static str, Vec<Bytes>)> {
    let ids = vec![Digest::from([1; 32]), Digest::from([2; 32])];
    let request = 5;
    let messages = [
        wire::Message::Announce(ids.clone()),
        wire::Message::Get {
            request,
            ids: ids.clone(),
        },
        wire::Message::Contents {
            request,
            contents: body().transactions().to_vec(),
        },
        wire::Message::Missing { request, ids },
    ];
    vec![
        ("chunk", vec![body().body().clone()]),
        (
            "mempool_message",
            messages.iter().map(wire::Message::encode).collect(),
        ),
    ]
}

/// A question for a run of two headers, the run, and that it is not there.
fn runs_of<F: Deployed>(world: &World<F>) -> Vec<Bytes> {
    let root = world.genesis.root(&world.names[1]);
    let mut tip = root;
    let mut run = BytesMut::new();
    for slot in 9..11 {
        let header = Header {
            sequencer: world.names[1].clone(),
            height: tip.height + 1,
            slot,
            previous: tip.digest,
            payload: body().payload(),
        };
        let namespace = world.genesis.header_namespace();
        let header = Signed::<Nouns<F>>::sign(header, &world.keys[1], &namespace);
        tip = header.tip();
        header.write_compact(&mut run);
    }
    let question = runs::Question {
        height: 3,
        sequencer: world.names[1].clone(),
        above: root,
        to: tip,
    };
    let number = 5;
    let answer = |run| runs::wire::Message::Answer(runs::wire::Answer { number, run });
    let request = runs::wire::Request { number, question };
    let messages = [
        runs::wire::Message::Request(request),
        answer(Some(run.freeze())),
        answer(None),
    ];
    let bytes = |it: runs::wire::Message<Name<F>>| Bytes::from(it.encode().coalesce());
    messages.map(bytes).into()
}

/// Valid encodings for the targets of one kind of keys.
pub fn seeds<F: Deployed>() -> Vec<(&'static str, Vec<Bytes>)> {
    let chunk = body();
    let (body, payload) = (chunk.body().clone(), chunk.payload());
    let reference = reference_of(F::world(), &chunk);
    let request = |height| {
        let reference = reference.clone();
        Request { reference, height }.encode()
    };
    let parcel = |answer, pushed| {
        let parcel = Parcel {
            reference: reference.clone(),
            answer,
            pushed,
        };
        Bytes::from(parcel.encode().coalesce())
    };
    let records = [
        Record::Body {
            reference: reference.clone(),
            body: body.clone(),
        },
        Record::Draft {
            payload,
            slot: 9,
            body: body.clone(),
        },
        Record::Sealed {
            reference: reference.clone(),
            draft: Location::at(7),
            body: None,
        },
        Record::Sealed {
            reference: reference.clone(),
            draft: Location::at(8),
            body: Some(body.clone()),
        },
    ];
    vec![
        ("request", vec![request(None), request(Some(3))]),
        (
            "parcel",
            vec![
                parcel(Answer::Body(body.clone()), true),
                parcel(Answer::Body(body), false),
                parcel(Answer::Absent(Absence::Expired), false),
                parcel(Answer::Busy, false),
            ],
        ),
        ("run", runs_of(F::world())),
        ("reference", vec![reference.encode()]),
        (
            "chunk_record",
            records.iter().map(|it| it.encode()).collect(),
        ),
    ]
}
