use super::{Key, Record};
use crate::{
    journal::{Grouped as _, Record as _},
    testing::{Nouns, World},
    types::Evidence,
};
use bytes::Bytes;
use commonware_codec::{DecodeExt as _, Encode as _};
use std::collections::BTreeSet;

const SEQUENCER: usize = 1;

fn records(world: &World) -> Vec<Record<Nouns>> {
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 2, 1);
    let (sequencer, tip) = (world.key(SEQUENCER), lane[0].tip());
    let certificate = world.certificate(1, &lane[0]);
    vec![
        Record::Lock {
            epoch: 3,
            header: lane[0].clone(),
        },
        Record::Base {
            sequencer: sequencer.clone(),
            tip,
            certificate: None,
        },
        Record::Base {
            sequencer,
            tip,
            certificate: Some(certificate),
        },
        Record::Own {
            header: lane[1].clone(),
        },
        Record::Entered { epoch: u64::MAX },
        Record::Muted { until: 7 },
        Record::Evidence {
            epoch: 2,
            evidence: Evidence::headers(lane[0].clone(), fork[0].clone()),
        },
        Record::Evidence {
            epoch: 2,
            evidence: Evidence::Certified(lane[1].clone(), world.certificate(0, &fork[1])),
        },
    ]
}

// L-10, R-11: a torn record is no record.
#[test]
fn every_record_has_one_encoding_and_no_part_of_it_is_one() {
    for record in records(&World::new()) {
        let bytes = record.encode();
        assert_eq!(
            Record::decode(bytes.clone()).expect("its own encoding"),
            record
        );
        for end in 0..bytes.len() {
            assert!(
                Record::<Nouns>::decode(bytes.slice(..end)).is_err(),
                "{record:?} cut at {end}"
            );
        }
        let longer = Bytes::from([&bytes[..], &[0]].concat());
        assert!(Record::<Nouns>::decode(longer).is_err());
        for tag in 7..=255 {
            let other = Bytes::from([&[tag], &bytes[1..]].concat());
            assert!(
                Record::<Nouns>::decode(other).is_err(),
                "there is no record {tag}"
            );
        }
    }
}

// L-06, L-10: what may replace what. A lock never replaces another epoch's.
#[test]
fn a_key_is_what_a_later_record_replaces() {
    let world = World::new();
    let keys: Vec<_> = records(&world).iter().map(|it| it.key()).collect();
    assert_eq!(keys[1], keys[2], "a base replaces a base, certified or not");
    assert_eq!(keys[6], keys[7], "one proof an epoch and sequencer");
    assert_eq!(keys.iter().collect::<BTreeSet<_>>().len(), keys.len() - 2);

    let header = world.lane(SEQUENCER, 1)[0].clone();
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1)[0].clone();
    let key = |epoch, header| Record::<Nouns>::Lock { epoch, header }.key();
    assert_eq!(key(0, header.clone()), key(0, fork));
    assert_ne!(key(0, header.clone()), key(1, header));
}

// L-10: forgetting below a height takes every epoch's locks below it, and nothing else.
#[test]
fn the_locks_below_a_height_are_one_range_of_keys() {
    let (lane, other) = (1u8, 2u8);
    let range = Key::Lock(lane, 0, 0)..=Key::Lock(lane, 4, u64::MAX);
    for (key, within) in [
        (Key::Lock(lane, 1, 0), true),
        (Key::Lock(lane, 4, u64::MAX), true),
        (Key::Lock(lane, 5, 0), false),
        (Key::Lock(other, 1, 0), false),
        (Key::Base(lane), false),
        (Key::Own(1), false),
        (Key::Entered, false),
        (Key::Muted, false),
        (Key::Evidence(lane, 1), false),
    ] {
        assert_eq!(range.contains(&key), within, "{key:?}");
    }
}

// The law of `Grouped`: within a group, ranges of keys are ranges of places.
#[test]
fn what_lies_between_two_keys_of_a_group_is_of_the_group() {
    let of = |lane: u8| {
        let pairs = (0..3).flat_map(|a| (0..3).map(move |b| (a, b)));
        let locks = pairs.map(move |(height, epoch)| Key::Lock(lane, height, epoch));
        let proofs = (0..3).map(move |epoch| Key::Evidence(lane, epoch));
        locks.chain(proofs).chain([Key::Base(lane)])
    };
    let own = (0..3).map(Key::Own).chain([Key::Entered, Key::Muted]);
    let keys: Vec<_> = of(1).chain(of(2)).chain(own).collect();
    for (from, to) in keys.iter().flat_map(|a| keys.iter().map(move |b| (a, b))) {
        let ((group, first), (other, last)) = (from.clone().split(), to.clone().split());
        for key in keys.iter().filter(|_| group == other) {
            let (within, place) = key.clone().split();
            let found = within == group && (first..=last).contains(&place);
            assert_eq!((from..=to).contains(&key), found, "{from:?} {key:?} {to:?}");
        }
    }
}
