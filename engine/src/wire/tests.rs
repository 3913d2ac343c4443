use super::{Acks, Envelope, Gossip, Told, message_size_max};
use crate::{
    epochs::Epochs,
    refusal::{Class, Refusal},
    testing::{Nouns, World},
};
use bytes::Bytes;
use std::fmt::Debug;

mod limits;

/// The reader, a validator.
const ME: usize = 0;
const SEQUENCER: usize = 1;

type Decode<'a, M> = Box<dyn Fn(&[u8]) -> Result<M, Refusal> + 'a>;

fn owned(bytes: &[u8]) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

fn envelope(epochs: &Epochs<Nouns>) -> Decode<'_, Envelope<Nouns>> {
    Box::new(|bytes| Envelope::decode(owned(bytes), epochs))
}

fn gossip(epochs: &Epochs<Nouns>) -> Decode<'_, Gossip<Nouns>> {
    Box::new(|bytes| Gossip::decode(owned(bytes), epochs))
}

/// A decoder gives back what was encoded, and nothing for any part of it or for more than it.
fn exact<M: Debug + PartialEq>(bytes: &Bytes, message: &M, decode: &Decode<'_, M>) {
    assert_eq!(decode(bytes).as_ref(), Ok(message));
    for end in 0..bytes.len() {
        let refusal = decode(&bytes[..end]).expect_err("truncated");
        assert!(
            matches!(refusal, Refusal::Malformed(_)),
            "at {end}: {refusal}"
        );
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Parser, true)
        );
    }
    let longer = [bytes, &[0][..]].concat();
    assert!(
        matches!(decode(&longer), Err(Refusal::Malformed(_))),
        "a trailing byte"
    );
}

/// With some bytes replaced.
fn with(bytes: &Bytes, at: usize, new: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    bytes[at..at + new.len()].copy_from_slice(new);
    bytes
}

// D-30, R-11
#[test]
fn an_envelope_has_one_encoding() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let lane = world.lane(SEQUENCER, 3);
    let certificate = world.certificate(1, &lane[0]);
    for message in [
        world.envelope(&lane, None),
        world.envelope(&lane[1..], Some(&certificate)),
        world.envelope(&[], Some(&certificate)),
    ] {
        let bytes = message.encode(epochs.current());
        assert!(bytes.len() <= message_size_max::<Nouns>(4));
        exact(&bytes, &message, &envelope(&epochs));
    }
}

// D-03, D-30, R-11, L-13
#[test]
fn acks_have_one_encoding_and_one_sender() {
    let world = World::new();
    let epochs = world.epochs(SEQUENCER, 0);
    let bytes = world
        .acks(SEQUENCER, 2, 0, &world.lane(SEQUENCER, 3))
        .encode();
    let from = world.key(2);
    // Acks themselves do not compare: their signatures are decoded when they are checked.
    let read = |bytes: &[u8], from: &_| {
        Acks::<Nouns>::decode(owned(bytes), from, &epochs).map(|it| it.encode())
    };
    let decode: Decode<'_, Bytes> = Box::new(|bytes| read(bytes, &from));
    exact(&bytes, &bytes, &decode);
    assert!(
        decode(&with(&bytes, 16, &[0, 0])).is_err(),
        "no acks at all"
    );

    let wrong = Refusal::WrongSigner {
        named: 2,
        sender: 3,
    };
    assert_eq!(
        read(&bytes, &world.key(3)),
        Err(wrong.clone()),
        "in another's name"
    );
    assert_eq!(read(&bytes, &world.key(4)), Err(Refusal::NotValidator(0)));
    for refusal in [wrong, Refusal::NotValidator(0)] {
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Peer, true)
        );
    }
}

// D-30, R-11
#[test]
fn gossip_has_one_encoding() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let certificates = [(1, 0), (2, 1), (3, 0)]
        .map(|(lane, epoch)| world.certificate(epoch, &world.lane(lane, 1)[0]));
    for message in [
        Gossip::Certificates {
            reply: false,
            certificates: Vec::new(),
        },
        Gossip::Certificates {
            reply: true,
            certificates: certificates.to_vec(),
        },
        Gossip::Fetch {
            sequencer: world.key(SEQUENCER),
            from: 1,
            to: u64::MAX,
        },
        Gossip::Ask { nonce: u64::MAX },
    ] {
        let bytes = message.encode(&epochs);
        exact(&bytes, &message, &gossip(&epochs));
        assert!(
            gossip(&epochs)(&with(&bytes, 0, &[3])).is_err(),
            "no such message"
        );
    }
}

// D-30, R-11
#[test]
fn an_answer_has_one_encoding_in_any_epoch_the_asker_knows() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let lane = world.lane(ME, 2);
    let decode: Decode<'_, Told<Nouns>> =
        Box::new(|bytes| Told::decode(owned(bytes), &world.key(ME), &epochs));
    for certificate in [None, Some(world.certificate(9, &lane[0]))] {
        let message = Told {
            nonce: 7,
            epoch: 9,
            headers: lane.clone(),
            certificate,
        };
        exact(&message.encode(), &message, &decode);
    }
    let mut unknown = (*world.certificate(9, &lane[0])).clone();
    unknown.epoch = 10;
    let message = Told {
        nonce: 7,
        epoch: 9,
        headers: Vec::new(),
        certificate: Some(unknown.into()),
    };
    assert_eq!(decode(&message.encode()), Err(Refusal::EpochUnknown(10)));
}

// D-30
#[test]
fn no_flag_has_a_third_value() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let alone = world
        .envelope(&world.lane(SEQUENCER, 1), None)
        .encode(epochs.current());
    let reply = Gossip::<Nouns>::Certificates {
        reply: true,
        certificates: Vec::new(),
    }
    .encode(&epochs);
    for value in 2..=255 {
        let refused = envelope(&epochs)(&with(&alone, alone.len() - 1, &[value]));
        assert!(matches!(refused, Err(Refusal::Malformed(why)) if why.contains("flag")));
        let refused = gossip(&epochs)(&with(&reply, 1, &[value]));
        assert!(matches!(refused, Err(Refusal::Malformed(why)) if why.contains("flag")));
    }
}
