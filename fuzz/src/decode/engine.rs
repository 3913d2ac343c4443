//! The decoders of the engine.

use super::{decode, plain, same};
use crate::nouns::{Deployed, Nouns};
use bytes::Bytes;
use commonware_codec::Encode as _;
use drystone_engine::{
    Record,
    types::{Certificate, Evidence, Signed},
    wire::{Acks, Envelope, Gossip, Told},
};

/// The epoch that decoding nodes are in.
const EPOCH: u64 = 3;

/// The eight bytes at a place, as the epoch that a message names there.
fn epoch_at(data: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(*data[at..].first_chunk().expect("it was decoded"))
}

/// [`Envelope`].
pub fn envelope<F: Deployed>(data: &[u8]) {
    let world = F::world();
    let epochs = world.epochs(EPOCH, 0);
    if let Ok(it) = decode(data, |bytes| Envelope::<Nouns<F>>::decode(bytes, &epochs)) {
        same(data, &it.encode(&world.committee(epoch_at(data, 0), 0)));
    }
}

/// [`Acks`], from each validator.
pub fn acks<F: Deployed>(data: &[u8]) {
    let world = F::world();
    let epochs = world.epochs(EPOCH, 0);
    for from in &world.names {
        if let Ok(it) = decode(data, |bytes| Acks::<Nouns<F>>::decode(bytes, from, &epochs)) {
            same(data, &it.encode());
        }
    }
}

/// [`Gossip`].
pub fn gossip<F: Deployed>(data: &[u8]) {
    let world = F::world();
    let epochs = world.epochs(EPOCH, 0);
    if let Ok(it) = decode(data, |bytes| Gossip::<Nouns<F>>::decode(bytes, &epochs)) {
        // A fetch is sent in the sender's epoch, which need not be this node's.
        let sender = match it {
            Gossip::Fetch { .. } => world.epochs(epoch_at(data, 1), 0),
            _ => epochs,
        };
        same(data, &it.encode(&sender));
    }
}

/// [`Told`].
pub fn told<F: Deployed>(data: &[u8]) {
    let world = F::world();
    let (me, epochs) = (&world.names[0], world.epochs(EPOCH, 0));
    if let Ok(it) = decode(data, |bytes| Told::<Nouns<F>>::decode(bytes, me, &epochs)) {
        same(data, &it.encode());
    }
}

/// [`Signed`].
pub fn signed<F: Deployed>(data: &[u8]) {
    plain::<Signed<Nouns<F>>>(data);
}

/// [`Certificate`] as it is journaled.
pub fn certificate<F: Deployed>(data: &[u8]) {
    plain::<Certificate<Nouns<F>>>(data);
}

/// [`Evidence`].
pub fn evidence<F: Deployed>(data: &[u8]) {
    plain::<Evidence<Nouns<F>>>(data);
}

/// [`Record`].
pub fn record<F: Deployed>(data: &[u8]) {
    plain::<Record<Nouns<F>>>(data);
}

/// One valid encoding or more for each target above, in the order of the table.
pub fn seeds<F: Deployed>() -> Vec<(&'static str, Vec<Bytes>)> {
    let world = F::world();
    let epochs = world.epochs(EPOCH, 0);
    let committee = std::sync::Arc::new(world.committee(EPOCH, 1));
    let root = world.genesis.root(&world.names[0]);
    let first = world.header(0, &root, 1, 1);
    let second = world.header(0, &first.tip(), 2, 2);
    let other = world.header(0, &root, 1, 3);
    let certificate = world.certificate(EPOCH, 0, first.tip());
    let headers = vec![first.clone(), second];
    let envelope = |headers, certificate| Envelope::<Nouns<F>> {
        sequencer: world.names[0].clone(),
        headers,
        certificate,
    };
    let attestation =
        commonware_cryptography::certificate::Scheme::sign::<drystone_engine::types::Digest>(
            committee.scheme(),
            first.tip().subject(EPOCH, &world.names[0]),
        );
    let ack = drystone_engine::wire::Ack {
        height: 1,
        digest: first.digest(),
        attestation: attestation.expect("a signer"),
    };
    let acks = Acks {
        committee: committee.clone(),
        sequencer: world.names[0].clone(),
        acks: vec![ack],
    };
    let certificates = vec![certificate.clone()];
    let fetch = Gossip::Fetch {
        sequencer: world.names[1].clone(),
        from: 1,
        to: 9,
    };
    let gossip = [
        Gossip::Certificates {
            reply: false,
            certificates,
        },
        fetch,
        Gossip::Ask { nonce: 1 },
    ];
    let told = Told {
        nonce: 1,
        epoch: EPOCH,
        headers: headers.clone(),
        certificate: Some(certificate.clone()),
    };
    let evidence = drystone_engine::types::Evidence::<Nouns<F>>::headers(first.clone(), other);
    let base = Record::<Nouns<F>>::Base {
        sequencer: world.names[0].clone(),
        tip: first.tip(),
        certificate: Some(certificate.clone()),
    };
    let records = [
        Record::Lock {
            epoch: EPOCH,
            header: first.clone(),
        },
        base,
        Record::Entered { epoch: EPOCH },
        Record::Evidence {
            epoch: EPOCH,
            evidence: evidence.clone(),
        },
    ];
    vec![
        (
            "envelope",
            vec![
                envelope(headers, None).encode(&committee),
                envelope(Vec::new(), Some(certificate.clone())).encode(&committee),
            ],
        ),
        ("acks", vec![acks.encode()]),
        (
            "gossip",
            gossip.iter().map(|it| it.encode(&epochs)).collect(),
        ),
        ("told", vec![told.encode()]),
        ("signed", vec![first.encode()]),
        ("certificate", vec![certificate.encode()]),
        ("evidence", vec![evidence.encode()]),
        ("record", records.iter().map(|it| it.encode()).collect()),
    ]
}
