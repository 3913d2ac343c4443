use super::{Block, Body, Bounds, Executed, Included};
use crate::testing::{
    Key, Nouns, World,
    blocks::{bounds, digest, first, included, sorted},
};
use bytes::Bytes;
use commonware_codec::{Decode as _, Encode as _, EncodeSize as _, Error};
use commonware_consensus::BoundedBlock as _;
use commonware_utils::{TryFromIterator as _, ordered::Set};
use drystone_engine::types::{Committee, Provider};
use proptest::{collection::btree_map, prelude::*};
use std::{collections::BTreeMap, sync::Arc};

/// The tip at a height of a lane.
fn tip(world: &World, who: usize, height: u64, epoch: u64) -> Included<Nouns> {
    let lane = world.lane(who, 10, height);
    included(world, epoch, lane.last().expect("a height above 0"))
}

/// A block over lanes, each up to a height in an epoch.
fn block(world: &World, lanes: &BTreeMap<usize, (u64, u64)>) -> Block<Nouns> {
    let tips = lanes
        .iter()
        .map(|(who, (height, epoch))| tip(world, *who, *height, *epoch));
    let genesis = first(world);
    Block::new(Body {
        parent: genesis.digest(),
        height: 1,
        timestamp_ms: 1_001,
        executed: genesis.executed,
        tips: sorted(tips.collect()),
    })
}

fn decoded(bytes: impl Into<Bytes>, bounds: &Bounds<Nouns>) -> Result<Block<Nouns>, Error> {
    Block::decode_cfg(bytes.into(), bounds)
}

/// Some lanes, some heights, one of two epochs.
fn lanes() -> impl Strategy<Value = BTreeMap<usize, (u64, u64)>> {
    btree_map(0..6usize, (1..4u64, 0..2u64), 0..=6)
}

proptest! {
    // D-30
    #[test]
    fn a_block_survives_its_encoding(lanes in lanes(), known in 0..3u64) {
        let world = Arc::new(World::new());
        let block = block(&world, &lanes);
        let bytes = block.encode();
        prop_assert_eq!(bytes.len(), block.encode_size());
        let bounds = bounds(&world, known);
        prop_assert!(bytes.len() <= Block::max_encode_size(&bounds));
        prop_assert_eq!(decoded(bytes, &bounds).expect("own bytes decode"), block);
    }

    // D-30
    #[test]
    fn what_decodes_encodes_to_the_same_bytes(lanes in lanes(), at: prop::sample::Index, byte: u8, known in 0..3u64) {
        let world = Arc::new(World::new());
        let mut bytes = block(&world, &lanes).encode().to_vec();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if let Ok(other) = decoded(bytes.clone(), &bounds(&world, known)) {
            prop_assert_eq!(other.encode().to_vec(), bytes);
        }
    }

    // D-30
    #[test]
    fn what_is_cut_short_or_goes_on_is_refused(lanes in lanes(), cut: prop::sample::Index) {
        let world = Arc::new(World::new());
        let bytes = block(&world, &lanes).encode();
        let bounds = bounds(&world, 2);
        let cut = cut.index(bytes.len());
        prop_assert!(decoded(bytes.slice(..cut), &bounds).is_err());
        let longer = [bytes.as_ref(), &[0]].concat();
        prop_assert!(matches!(decoded(longer, &bounds), Err(Error::ExtraData(1))));
    }

    #[test]
    fn noise_never_panics(bytes: Vec<u8>) {
        let world = Arc::new(World::new());
        let _ = decoded(bytes, &bounds(&world, 2));
    }
}

/// Where the number of tips is written.
const COUNT_AT: usize = 32 + 8 + 8 + 8 + 32;
const ONE: [(usize, (u64, u64)); 1] = [(0, (1, 0))];
const TWO: [(usize, (u64, u64)); 2] = [(0, (1, 0)), (1, (1, 0))];

// D-05: more certificates than there are lanes. R-11
#[test]
fn more_tips_than_lanes_are_refused_before_they_are_read() {
    let world = Arc::new(World::new());
    let mut bytes = block(&world, &BTreeMap::new()).encode().to_vec();
    bytes[COUNT_AT..].copy_from_slice(&7u16.to_be_bytes());
    let refused = decoded(bytes, &bounds(&world, 2));
    assert!(
        matches!(refused, Err(Error::InvalidLength(7))),
        "{refused:?}"
    );
}

// D-05, D-30
#[test]
fn one_lane_twice_or_lanes_out_of_order_are_refused() {
    let world = Arc::new(World::new());
    let whole = block(&world, &TWO.into());
    let bytes = whole.encode();
    let (head, tips) = bytes.split_at(COUNT_AT + 2);
    let (first, second) = tips.split_at(whole.tips[0].encode_size());
    for wrong in [
        [head, second, first].concat(),
        [head, first, first].concat(),
    ] {
        let refused = decoded(wrong, &bounds(&world, 2));
        let out_of_order = matches!(refused, Err(Error::Invalid(_, "tips out of order")));
        assert!(out_of_order, "{refused:?}");
    }
    assert!(decoded([head, first, second].concat(), &bounds(&world, 2)).is_ok());
}

// L-21, R-11: a certificate that claims 10^6 signers, of an epoch known and of one unknown.
#[test]
fn a_certificate_is_bounded_by_its_epochs_committee_or_by_the_largest_allowed() {
    let world = Arc::new(World::new());
    let mut bytes = block(&world, &ONE.into()).encode().to_vec();
    // The proof is the bitmap of signers (its length, then a byte here) and a tag of 16 bytes.
    let length_at = bytes.len() - 16 - 1 - 8;
    bytes[length_at..length_at + 8].copy_from_slice(&5u64.to_be_bytes());
    let known = decoded(bytes.clone(), &bounds(&world, 1));
    assert!(matches!(known, Err(Error::InvalidLength(5))), "{known:?}");
    assert!(
        decoded(bytes.clone(), &bounds(&world, 0)).is_ok(),
        "judged once it is known"
    );
    bytes[length_at..length_at + 8].copy_from_slice(&1_000_000u64.to_be_bytes());
    let claimed = decoded(bytes.clone(), &bounds(&world, 0));
    assert!(matches!(claimed, Err(Error::EndOfBuffer)), "{claimed:?}");
    bytes.splice(length_at + 8..length_at + 9, vec![1; 125_000]);
    let large = decoded(bytes, &bounds(&world, 0));
    let too_large = matches!(large, Err(Error::Invalid(_, "a certificate is too large")));
    assert!(too_large, "{large:?}");
}

// D-05: of whoever is no sequencer of the certificate's epoch.
#[test]
fn a_lane_of_no_sequencer_is_refused() {
    let world = Arc::new(World::new());
    let mut bytes = block(&world, &ONE.into()).encode().to_vec();
    bytes[COUNT_AT + 2..COUNT_AT + 34].fill(7);
    let refused = decoded(bytes, &bounds(&world, 1));
    let stranger = matches!(refused, Err(Error::Invalid(_, "a lane of no sequencer")));
    assert!(stranger, "{refused:?}");
}

/// Sequencer 0 sits in epoch 0 alone.
struct Leaves(World);

impl Provider<Nouns> for Leaves {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        let all = self.0.committee(5, epoch);
        let stays = |it: &&Key| epoch == 0 || **it != self.0.key(0);
        let sequencers = all.sequencers().iter().filter(stays).cloned();
        let sequencers = Set::try_from_iter(sequencers).expect("distinct");
        Some(Arc::new(Committee::new(
            epoch,
            all.scheme().clone(),
            sequencers,
        )))
    }
}

// D-46: a sequencer that is removed in e + 1. What epoch e certified of it is still included; of epoch e + 1 there is nothing.
#[test]
fn a_lane_is_included_by_the_epoch_of_its_certificate_and_not_of_the_block() {
    let world = Arc::new(World::new());
    let bounds = Bounds {
        provider: Arc::new(Leaves(World::new())),
        validators_max: 4,
        lanes_max: 6,
    };
    for (epoch, known) in [(0, true), (1, false)] {
        let bytes = block(&world, &[(0, (1, epoch))].into()).encode();
        let refused = decoded(bytes, &bounds).err();
        let stranger = matches!(refused, Some(Error::Invalid(_, "a lane of no sequencer")));
        assert_eq!(
            (refused.is_none(), stranger),
            (known, !known),
            "epoch {epoch}"
        );
    }
}

#[test]
#[should_panic(expected = "the certificate is not over the header at height 2")]
fn a_header_beside_another_headers_certificate_is_our_own_fault() {
    let world = World::new();
    let lane = world.lane(0, 10, 2);
    Included::new(lane[1].header().clone(), world.certificate(0, &lane[0]));
}

#[test]
fn every_part_of_a_block_is_in_its_digest() {
    let world = World::new();
    let block = block(&world, &ONE.into());
    let body = |change: fn(&mut Body<Nouns>)| {
        let mut body = Body::clone(&block);
        change(&mut body);
        Block::new(body).digest()
    };
    let digests = [
        block.digest(),
        body(|it| it.parent = digest(9)),
        body(|it| it.height += 1),
        body(|it| it.timestamp_ms += 1),
        body(|it| it.executed.height += 1),
        body(|it| it.executed.root = digest(9)),
        body(|it| it.tips.clear()),
    ];
    let distinct: std::collections::BTreeSet<_> = digests.into_iter().collect();
    assert_eq!(distinct.len(), digests.len());
    assert_eq!(body(|_| ()), block.digest());
    assert_eq!(
        block.executed,
        Executed {
            height: 0,
            root: digest(0)
        }
    );
}
