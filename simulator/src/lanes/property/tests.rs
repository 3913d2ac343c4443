//! What a property must not let pass, shown to it directly. The sweep with planted bugs (`tests/canary.rs`) shows that
//! each is reached in whole runs too; here stand the branches that no one bug reaches first.

use super::{
    bodies::BodiesBeforeAcks,
    certificates::{GenuineCertificates, OneCertificate},
    evidence::NobodyFramed,
    fits::FitsABlock,
    proposals::CertifiesProposed,
};
use crate::{
    Observation as _, Property, Stamped,
    lanes::{
        observation::{Seen, Short},
        options::Options,
    },
};
use std::collections::BTreeSet;

/// Nodes 0 to 2 are honest, 3 is not.
fn healthy() -> BTreeSet<usize> {
    (0..3).collect()
}

/// Shows observations by nodes, and gives what the property says of the last one.
fn last(
    mut property: impl Property<Seen>,
    shown: impl IntoIterator<Item = (usize, Seen)>,
) -> Result<u64, Option<usize>> {
    let mut verdict = Ok(0);
    for ((node, what), number) in shown.into_iter().zip(1..) {
        assert!(verdict.is_ok(), "only the last one may be wrong");
        let shown = property.kinds().expect("it says what concerns it");
        assert!(shown.contains(&what.kind()), "{what:?} is not shown to it");
        verdict = property.observe(&Stamped {
            at_us: number,
            number,
            node: Some(node),
            incarnation: 0,
            cause: 0,
            what,
        });
    }
    verdict.map_err(|violation| violation.node)
}

const fn certified(epoch: u64, lane: usize, height: u64, digest: u64, genuine: bool) -> Seen {
    Seen::Certified {
        epoch,
        lane,
        height,
        digest: Short(digest),
        genuine,
    }
}

const fn proposed(lane: usize, height: u64, digest: u64) -> Seen {
    Seen::Proposed {
        lane,
        height,
        slot: height,
        digest: Short(digest),
    }
}

const fn evidence(lane: usize, genuine: bool) -> Seen {
    Seen::Evidence {
        lane,
        height: 5,
        genuine,
    }
}

const fn included(headers: u64, live: u64) -> Seen {
    Seen::Included {
        block_ms: 1_000,
        lane: 0,
        height: 40,
        headers,
        live,
    }
}

#[test]
fn a_second_certified_header_at_one_height_is_seen_whoever_took_it() {
    let first = (0, certified(1, 0, 7, 70, true));
    for genuine in [true, false] {
        let second = (2, certified(1, 0, 7, 71, genuine));
        let verdict = last(OneCertificate::default(), [first.clone(), second]);
        assert_eq!(verdict, Err(Some(2)));
    }
    // The same one again, another epoch, another lane, another height: nothing is wrong.
    for fine in [
        certified(1, 0, 7, 70, true),
        certified(2, 0, 7, 71, true),
        certified(1, 1, 7, 71, true),
        certified(1, 0, 8, 71, true),
    ] {
        let verdict = last(OneCertificate::default(), [first.clone(), (1, fine)]);
        assert_eq!(verdict, Ok(1));
    }
}

#[test]
fn a_forged_certificate_is_seen_when_an_honest_node_takes_it() {
    let property = || GenuineCertificates::new(healthy());
    assert_eq!(
        last(property(), [(1, certified(0, 3, 1, 1, false))]),
        Err(Some(1))
    );
    assert_eq!(last(property(), [(3, certified(0, 3, 1, 1, false))]), Ok(0));
}

#[test]
fn a_certified_header_that_nobody_signed_is_seen_however_good_its_proof() {
    let property = || CertifiesProposed::new(healthy());
    let signed = (0, proposed(0, 7, 70));
    for (lane, height, digest) in [(0, 7, 71), (0, 8, 70), (1, 7, 70)] {
        let shown = [
            signed.clone(),
            (1, certified(0, lane, height, digest, true)),
        ];
        assert_eq!(last(property(), shown), Err(Some(1)));
    }
    let shown = [signed.clone(), (1, certified(0, 0, 7, 70, true))];
    assert_eq!(last(property(), shown), Ok(1));
    // What a faulty sequencer has certified is its own affair.
    let shown = [signed, (1, certified(0, 3, 7, 70, true))];
    assert_eq!(last(property(), shown), Ok(0));
}

#[test]
fn an_honest_sequencer_that_stands_accused_is_seen_and_so_is_proof_that_proves_nothing() {
    let property = || NobodyFramed::new(healthy());
    assert_eq!(last(property(), [(1, evidence(0, true))]), Err(Some(1)));
    assert_eq!(last(property(), [(1, evidence(3, false))]), Err(Some(1)));
    assert_eq!(last(property(), [(1, evidence(3, true))]), Ok(1));
    assert_eq!(last(property(), [(3, evidence(0, false))]), Ok(0));
}

#[test]
fn a_run_that_no_block_takes_is_seen_by_its_live_chunks_and_by_its_headers() {
    let options = Options {
        ahead_max: 8,
        headers_max: 32,
        ..Options::all(4)
    };
    let property = || FitsABlock::new(&options);
    assert_eq!(last(property(), [(0, included(32, 8))]), Ok(1));
    assert_eq!(last(property(), [(0, included(9, 9))]), Err(Some(0)));
    assert_eq!(last(property(), [(0, included(33, 0))]), Err(Some(0)));
}

#[test]
fn an_ack_without_a_body_is_seen_until_that_node_was_told_of_the_inclusion() {
    let property = || BodiesBeforeAcks::new(healthy(), &Options::all(4));
    let locked = |node| {
        let what = Seen::Locked {
            lane: 0,
            height: 40,
            slot: 1_000,
            digest: Short(7),
            previous: Short(6),
            payload: Short(70),
        };
        (node, what)
    };
    let acked = |node, height| {
        let what = Seen::Acked {
            epoch: 0,
            lane: 0,
            height,
            slot: 1_000,
            digest: Short(7),
        };
        (node, what)
    };
    let told = |to, finalized_ms| (to, Seen::Told { to, finalized_ms });
    let stored = (1, Seen::Stored { payload: Short(70) });
    let block = (0, included(1, 1));

    let shown = [locked(1), stored.clone(), acked(1, 40)];
    assert_eq!(last(property(), shown), Ok(1));
    let shown = [locked(1), locked(2), stored, acked(2, 40)];
    assert_eq!(last(property(), shown), Err(Some(2)));
    // The chain included it, and others know.
    let shown = [locked(1), block.clone(), told(2, 1_000), acked(1, 40)];
    assert_eq!(last(property(), shown), Err(Some(1)));
    // An earlier block says nothing of it. A later one may say it: what it executes was included before (seed 30347 of
    // lanes/mixed, where word of two blocks came in the other order).
    let shown = [locked(1), block.clone(), told(1, 999), acked(1, 40)];
    assert_eq!(last(property(), shown), Err(Some(1)));
    for at_ms in [1_000, 1_001] {
        let shown = [locked(1), block.clone(), told(1, at_ms), acked(1, 40)];
        assert_eq!(last(property(), shown), Ok(1));
    }
    let everybody = || (0..3).map(|node| told(node, 1_000));
    let shown = |height| {
        [locked(1), block.clone()]
            .into_iter()
            .chain(everybody())
            .chain([acked(1, height)])
    };
    assert_eq!(last(property(), shown(40)), Ok(1));
    assert_eq!(last(property(), shown(41)), Err(Some(1)));
}
