use super::{Bounds, Evidence, Genesis, GenesisError, Limits, Signed};
use crate::testing::{Nouns, World, genesis, payload};
use commonware_codec::{DecodeExt as _, Encode as _};

const SEQUENCER: usize = 1;

// D-07, D-20: no slot overflows, and the first that would is malformed.
#[test]
fn the_last_slot_that_expires_in_time_is_well_formed_and_the_next_is_not() {
    let mut genesis = genesis();
    (genesis.slot_ms, genesis.window_ms) = (7, 1_000);
    let last = (u64::MAX - 1_000) / 7 - 1;
    assert_eq!(genesis.expiry_ms(last), Some((last + 1) * 7 + 1_000));
    for slot in [last + 1, u64::MAX - 1, u64::MAX] {
        assert_eq!(genesis.expiry_ms(slot), None, "{slot}");
        let header = World::with(genesis.clone()).header(
            SEQUENCER,
            World::new().root(SEQUENCER),
            slot,
            payload(0),
        );
        assert!(!header.is_well_formed(&genesis));
    }
    assert_eq!(genesis.slot_start_ms(u64::MAX), u64::MAX);
    assert_eq!(
        (
            genesis.slot_at(6),
            genesis.slot_at(7),
            genesis.slot_at(u64::MAX)
        ),
        (0, 1, u64::MAX / 7)
    );
    assert_eq!(
        (genesis.slot_start_ms(1), genesis.expiry_ms(0)),
        (7, Some(1_007))
    );
}

// L-11: `previous` of height 1 is a constant of genesis and sequencer.
#[test]
fn every_lane_of_every_deployment_has_a_root_of_its_own() {
    let world = World::new();
    let mut other = genesis();
    other.digest = payload(1).digest;
    let roots = [
        world.root(0),
        world.root(1),
        other.root(&world.key(0)),
        other.root(&world.key(1)),
    ];
    for (index, root) in roots.iter().enumerate() {
        assert_eq!((root.height, root.slot), (0, 0));
        assert!(roots[..index].iter().all(|it| it.digest != root.digest));
    }
    assert!(
        !world.lane(0, 1)[0].verify(&other.header_namespace()),
        "nor is a signature shared"
    );
}

// L-11: the one rule of a lane.
#[test]
fn a_header_extends_only_the_place_right_below_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    assert!(lane[0].extends(&world.root(SEQUENCER)) && lane[1].extends(&lane[0].tip()));
    assert!(!lane[0].extends(&world.root(2)), "another lane's root");
    assert!(!lane[2].extends(&lane[0].tip()) && !lane[1].extends(&lane[1].tip()));
    assert!(!lane[1].extends(&fork[0].tip()));
    let mut top = lane[0].tip();
    top.height = u64::MAX;
    let wrapped = world.header(SEQUENCER, top, top.slot + 1, payload(0));
    assert_eq!(wrapped.height(), 0);
    assert!(!wrapped.extends(&top), "heights do not wrap");
}

// L-12, D-30
#[test]
fn a_signed_header_has_one_encoding_and_any_changed_byte_breaks_its_signature() {
    let world = World::new();
    let header = &world.lane(SEQUENCER, 1)[0];
    let namespace = world.genesis.header_namespace();
    let bytes = header.encode();
    assert_eq!(
        &Signed::<Nouns>::decode(bytes.clone()).expect("its own encoding"),
        &**header
    );
    assert!(header.verify(&namespace) && !header.verify(world.genesis.ack_namespace()));
    for at in 0..bytes.len() {
        assert!(
            Signed::<Nouns>::decode(bytes.slice(..at)).is_err(),
            "cut at {at}"
        );
        let mut changed = bytes.to_vec();
        changed[at] ^= 1;
        let changed =
            Signed::<Nouns>::decode(bytes::Bytes::from(changed)).expect("any bytes are a header");
        assert!(!changed.verify(&namespace), "changed at {at}");
    }
    assert!(Signed::<Nouns>::decode(bytes::Bytes::from([&bytes[..], &[0]].concat())).is_err());
}

#[test]
#[should_panic(expected = "a lane is signed by its owner")]
fn nobody_signs_for_another_lane() {
    let world = World::new();
    let header = world.lane(SEQUENCER, 1)[0].header().clone();
    Signed::<Nouns>::sign(header, &world.keys[2], &world.genesis.header_namespace());
}

// D-11, D-30
#[test]
fn evidence_has_one_encoding() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let headers = Evidence::headers(lane[0].clone(), fork[0].clone());
    assert_eq!(headers, Evidence::headers(fork[0].clone(), lane[0].clone()));
    let Evidence::Headers(low, high) = &headers else {
        panic!("two headers")
    };
    assert!(
        Evidence::<Nouns>::decode(Evidence::Headers(high.clone(), low.clone()).encode()).is_err()
    );
    assert!(
        Evidence::<Nouns>::decode(Evidence::Headers(low.clone(), low.clone()).encode()).is_err()
    );
    let certified = Evidence::Certified(lane[0].clone(), world.certificate(0, &fork[0]));
    for evidence in [headers, certified] {
        let bytes = evidence.encode();
        assert_eq!(
            Evidence::decode(bytes.clone()).expect("its own encoding"),
            evidence
        );
        for end in 0..bytes.len() {
            assert!(
                Evidence::<Nouns>::decode(bytes.slice(..end)).is_err(),
                "cut at {end}"
            );
        }
    }
}

// L-06
#[test]
fn bounds_hold_at_both_ends_of_all_epochs() {
    let bounds = Bounds { past: 2, future: 1 };
    for (current, epoch, within) in [
        (5, 2, false),
        (5, 3, true),
        (5, 5, true),
        (5, 6, true),
        (5, 7, false),
        (0, 0, true),
        (1, 0, true),
        (0, 1, true),
        (0, 2, false),
        (0, u64::MAX, false),
        (u64::MAX, u64::MAX, true),
        (u64::MAX, u64::MAX - 2, true),
        (u64::MAX, u64::MAX - 3, false),
    ] {
        assert_eq!(
            bounds.contain(current, epoch),
            within,
            "{epoch} from {current}"
        );
    }
}

// L-01, D-03
#[test]
fn a_committee_knows_its_quorum_its_indices_and_whether_it_signs() {
    let mut world = World::new();
    for (validators, quorum) in [(1, 1), (2, 2), (3, 3), (4, 3), (5, 4), (6, 5)] {
        world.seat(0, &(0..validators).collect::<Vec<_>>(), &[1, 4]);
        let committee = world.committee(0, 0);
        assert_eq!(committee.quorum(), quorum, "of {validators}");
        assert!(committee.signs() && !world.committee(6, 0).signs());
        assert_eq!(committee.sequencer(0), Some(&world.key(1)));
        assert_eq!(committee.sequencer_index(&world.key(4)), Some(1));
        assert_eq!(
            (committee.sequencer(2), committee.sequencer(u32::MAX)),
            (None, None)
        );
        assert!(committee.sequencer_index(&world.key(0)).is_none());
        assert!(committee.validator_index(&world.key(6)).is_none());
    }
}

// D-10, D-39: what the protocol rests on is checked before the first message.
#[test]
fn a_genesis_that_could_stall_its_lanes_is_refused() {
    let refused = |change: fn(&mut Genesis)| {
        let mut genesis = genesis();
        change(&mut genesis);
        genesis.check()
    };
    assert_eq!(genesis().check(), Ok(()));
    assert_eq!(
        refused(|it| it.slot_ms = 0),
        Err(GenesisError::Zero("slot_ms"))
    );
    assert_eq!(
        refused(|it| it.window_ms = 0),
        Err(GenesisError::Zero("window_ms"))
    );
    assert_eq!(
        refused(|it| it.in_flight_max = 0),
        Err(GenesisError::Zero("in_flight_max"))
    );
    let none = refused(|it| it.lane_ahead_max = Limits::default());
    assert_eq!(none, Err(GenesisError::Zero("lane_ahead_max.chunks")));
    assert_eq!(
        refused(|it| it.in_flight_max = 129),
        Err(GenesisError::Pipeline(129))
    );
    assert_eq!(
        refused(|it| it.lane_ahead_max.bytes = 999),
        Err(GenesisError::Ahead("bytes"))
    );
    assert_eq!(
        refused(|it| it.lane_ahead_max.items = 99),
        Err(GenesisError::Ahead("items"))
    );
    let shallow = GenesisError::InFlight {
        chunks: 3,
        in_flight: 4,
    };
    assert_eq!(refused(|it| it.lane_ahead_max.chunks = 3), Err(shallow));
    let few = GenesisError::Headers {
        headers: 63,
        chunks: 16,
    };
    assert_eq!(refused(|it| it.lane_headers_max = 63), Err(few));
}
