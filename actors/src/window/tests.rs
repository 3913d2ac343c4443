use super::{Unfit, Window};
use crate::transaction::{Account, Facts};
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::types::Digest;
use proptest::prelude::*;
use std::collections::BTreeSet;

const SPAN_MS: u64 = 100;

fn id(index: u64) -> Digest {
    Sha256::hash(&[&index.to_be_bytes()])
}

fn facts(index: u64, expiry_ms: u64) -> Facts {
    Facts {
        id: id(index),
        account: Account([0; 32]),
        expiry_ms,
    }
}

// D-35
#[test]
fn a_transaction_fits_from_a_span_before_its_expiry_up_to_it() {
    for (block_ms, fits) in [
        (99, false),
        (100, true),
        (150, true),
        (200, true),
        (201, false),
    ] {
        let mut window = Window::new(SPAN_MS);
        window.begin(block_ms);
        let expected = if fits { Ok(()) } else { Err(Unfit::Untimely) };
        assert_eq!(window.judge(&facts(1, 200)), expected, "at {block_ms}");
    }
}

// D-35
#[test]
fn no_millisecond_lies_between_executed_and_expired() {
    for executed_ms in [100, 101, 199, 200] {
        for block_ms in executed_ms + 1..=310 {
            let mut window = Window::new(SPAN_MS);
            window.begin(executed_ms);
            assert_eq!(window.judge(&facts(1, 200)), Ok(()));
            window.insert(id(1));
            assert_eq!(window.judge(&facts(1, 200)), Err(Unfit::Duplicate));
            window.begin(block_ms);
            let expected = if block_ms <= 200 {
                Unfit::Duplicate
            } else {
                Unfit::Untimely
            };
            assert_eq!(window.judge(&facts(1, 200)), Err(expected), "at {block_ms}");
        }
    }
}

#[test]
fn what_nobody_can_repeat_is_forgotten() {
    let mut window = Window::new(SPAN_MS);
    for index in 0..50 {
        window.begin(index * 10);
        window.insert(id(index));
        // A block, and those of the hundred milliseconds before it.
        assert_eq!(window.len() as u64, (index + 1).min(11));
    }
    window.begin(10_000);
    assert!(window.is_empty());
}

// D-29
#[test]
fn a_window_with_blocks_missing_says_so_until_what_they_executed_has_expired() {
    assert!(Window::new(SPAN_MS).is_complete(1));
    let window = Window::since(SPAN_MS, 1_000);
    // The newest block that is missing was at 999: what it executed lives until 1_099.
    assert!(!window.is_complete(1_000));
    assert!(!window.is_complete(1_099));
    assert!(window.is_complete(1_100));
}

#[test]
#[should_panic(expected = "chain time goes from Some(7) to 7")]
fn two_blocks_at_one_time_are_no_chain() {
    let mut window = Window::new(SPAN_MS);
    window.begin(7);
    window.begin(7);
}

proptest! {
    #[test]
    fn no_transaction_is_executed_twice_and_none_outside_of_its_validity(
        blocks in proptest::collection::vec(
            (1..60_u64, proptest::collection::vec((0..20_u64, 0..20_u64), 0..10)),
            1..40,
        ),
    ) {
        let mut window = Window::new(SPAN_MS);
        let mut executed = BTreeSet::new();
        let mut time_ms = 0;
        for (step, transactions) in blocks {
            time_ms += step;
            window.begin(time_ms);
            for (index, expiry) in transactions {
                // The id commits to the expiry.
                let facts = facts(index * 100 + expiry, expiry * 40);
                let timely = time_ms <= facts.expiry_ms && facts.expiry_ms <= time_ms + SPAN_MS;
                let judged = window.judge(&facts);
                if !timely {
                    prop_assert_eq!(judged, Err(Unfit::Untimely));
                } else if executed.insert(facts.id) {
                    prop_assert_eq!(judged, Ok(()));
                    window.insert(facts.id);
                } else {
                    prop_assert_eq!(judged, Err(Unfit::Duplicate));
                }
            }
        }
    }
}
