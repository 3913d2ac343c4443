use super::{ME, SEQUENCER, envelope, gossip, owned, with};
use crate::{
    refusal::{Class, Refusal},
    testing::{Nouns, World},
    wire::{ACKS_MAX, Acks, CERTIFICATES_MAX, Gossip, HEADERS_MAX},
};
use bytes::{Bytes, BytesMut};
use commonware_codec::{Encode as _, Write as _, varint::UInt};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};

// R-11, L-21: what is claimed is checked before anything is allocated or read.
#[test]
fn a_claimed_count_beyond_its_limit_is_refused() {
    let world = World::new();
    let epochs = world.epochs(SEQUENCER, 0);
    let lane = world.lane(SEQUENCER, 1);
    let claim = |bytes: &Bytes, at, count: usize| {
        with(
            bytes,
            at,
            &u16::try_from(count).expect("two bytes").to_be_bytes(),
        )
    };
    let limited = |refusal: Refusal| match refusal {
        Refusal::Malformed(why) => why.contains("at most"),
        other => panic!("{other}"),
    };
    let headers = world.envelope(&lane, None).encode(epochs.current());
    let acks = world.acks(SEQUENCER, 2, 0, &lane).encode();
    let certificates = vec![world.certificate(0, &lane[0])];
    let gossiped = Gossip::Certificates {
        reply: true,
        certificates,
    }
    .encode(&epochs);
    for (over, count) in [
        (false, 2),
        (false, HEADERS_MAX),
        (true, HEADERS_MAX + 1),
        (true, 65_535),
    ] {
        let refusal = envelope(&epochs)(&claim(&headers, 12, count)).expect_err("claimed too many");
        assert_eq!(limited(refusal), over, "{count} headers");
    }
    for (over, count) in [
        (false, 2),
        (false, ACKS_MAX),
        (true, ACKS_MAX + 1),
        (true, 65_535),
    ] {
        let read = Acks::<Nouns>::decode(owned(&claim(&acks, 16, count)), &world.key(2), &epochs);
        assert_eq!(
            limited(read.err().expect("claimed too many")),
            over,
            "{count} acks"
        );
    }
    for (over, count) in [
        (false, 2),
        (false, CERTIFICATES_MAX),
        (true, CERTIFICATES_MAX + 1),
    ] {
        let refusal = gossip(&epochs)(&claim(&gossiped, 2, count)).expect_err("claimed too many");
        assert_eq!(limited(refusal), over, "{count} certificates");
    }
}

// L-21, R-11
#[test]
fn a_certificate_that_claims_a_million_signers_is_refused() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let message = world.envelope(
        &[],
        Some(&world.certificate(0, &world.lane(SEQUENCER, 1)[0])),
    );
    let bytes = message.encode(epochs.current());
    let mut proof = BytesMut::new();
    message
        .certificate
        .as_ref()
        .expect("given")
        .proof
        .write(&mut proof);
    let start = bytes.len() - proof.len();
    for count in [5u64, 1_000_000, u64::from(u32::MAX), u64::MAX] {
        for claimed in [count.encode(), UInt(count).encode()] {
            let hostile = [&bytes[..start], &claimed, &[0xff; 64]].concat();
            assert!(
                matches!(envelope(&epochs)(&hostile), Err(Refusal::Malformed(_))),
                "{count}"
            );
        }
    }
}

// L-06, L-21, L-23
#[test]
fn an_epoch_or_an_index_that_does_not_resolve_is_refused_before_the_rest_is_read() {
    let world = World::new();
    let epochs = world.epochs(ME, 4);
    for (epoch, known) in [
        (2, false),
        (3, true),
        (5, true),
        (6, false),
        (u64::MAX, false),
    ] {
        let bytes = epoch.to_be_bytes();
        let bounds = Refusal::EpochOutOfBounds { epoch, current: 4 };
        for refusal in [
            envelope(&epochs)(&bytes).expect_err("no more than an epoch"),
            gossip(&epochs)(&[&[1][..], &bytes].concat()).expect_err("no more than an epoch"),
            Acks::<Nouns>::decode(owned(&bytes), &world.key(2), &epochs)
                .err()
                .expect("the same"),
        ] {
            assert_eq!(refusal == bounds, !known, "{refusal}");
        }
    }
    let stranger = [&4u64.to_be_bytes()[..], &5u32.to_be_bytes()].concat();
    let refusal = envelope(&epochs)(&stranger).expect_err("five sequencers");
    assert_eq!(refusal, Refusal::UnknownSequencer { epoch: 4, index: 5 });
    assert_eq!(
        (refusal.class(), refusal.is_attributable()),
        (Class::Peer, true)
    );
}

// L-07: heights begin at 1 and ranges do not run backwards.
#[test]
fn a_fetch_of_no_heights_and_a_certificate_of_none_are_refused() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    for (from, to) in [(0, 5), (3, 2), (0, 0)] {
        let fetch = Gossip::<Nouns>::Fetch {
            sequencer: world.key(SEQUENCER),
            from,
            to,
        };
        let refused = gossip(&epochs)(&fetch.encode(&epochs));
        assert!(
            matches!(refused, Err(Refusal::Malformed(_))),
            "{from} to {to}"
        );
    }
    let mut root = (*world.certificate(0, &world.lane(SEQUENCER, 1)[0])).clone();
    root.tip = world.root(SEQUENCER);
    let bytes = world
        .envelope(&[], Some(&root.into()))
        .encode(epochs.current());
    assert!(matches!(
        envelope(&epochs)(&bytes),
        Err(Refusal::Malformed(_))
    ));
}

// D-30, R-11: whatever decodes has that one encoding, and nothing panics.
#[test]
fn a_changed_message_is_refused_or_another_message() {
    let world = World::new();
    let epochs = world.epochs(ME, 0);
    let mut rng = StdRng::seed_from_u64(5);
    let lane = world.lane(SEQUENCER, 2);
    let message = world.envelope(&lane, Some(&world.certificate(0, &lane[0])));
    let good = message.encode(epochs.current());
    let mut decoded = 0;
    for _ in 0..20_000 {
        let mut bytes = good.to_vec();
        let at = usize::try_from(rng.next_u64()).expect("64 bits") % bytes.len();
        bytes[at] = rng.next_u64().to_be_bytes()[0];
        if let Ok(other) = envelope(&epochs)(&bytes) {
            let committee = epochs.committee(u64::from(bytes[7])).expect("it resolved");
            assert_eq!(other.encode(&committee)[..], bytes);
            assert_eq!(other == message, bytes == good);
            decoded += 1;
        }
    }
    assert!(
        (1_000..20_000).contains(&decoded),
        "{decoded}: some are refused and some are not"
    );
}
