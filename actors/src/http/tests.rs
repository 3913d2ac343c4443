use super::{Index, Phase};
use crate::{
    executor::{Entry, Fate, Results},
    mempool::{Activity, Source, Verdict},
    transaction::Invalid,
};
use drystone_engine::types::Digest;

fn id(name: u8) -> Digest {
    Digest::from([name; 32])
}

fn accepted(name: u8) -> Activity<u8> {
    Activity::Accepted {
        id: id(name),
        source: Source::Client,
    }
}

fn left(name: u8, verdict: Verdict) -> Activity<u8> {
    Activity::Left {
        id: id(name),
        verdict,
    }
}

fn results(height: u64, entries: &[(u8, Fate)]) -> Results {
    Results {
        previous: id(0),
        height,
        block: id(0xb0),
        time_ms: height,
        entries: entries
            .iter()
            .map(|(name, fate)| Entry {
                id: id(*name),
                expiry_ms: 99,
                fate: fate.clone(),
            })
            .collect(),
    }
}

fn settled(index: &Index<u8>, name: u8) -> Option<(u64, String)> {
    match index.phase(&id(name)) {
        Phase::Final { height, result, .. } => Some((height, result)),
        _ => None,
    }
}

#[test]
fn a_transaction_goes_from_pending_over_certified_to_final() {
    let mut index = Index::<u8>::new(8);
    assert_eq!(index.phase(&id(1)), Phase::Unknown);
    index.reported(&accepted(1));
    assert_eq!(index.phase(&id(1)), Phase::Pending);
    index.kept(&0, 4, &[id(1)]);
    assert_eq!(index.phase(&id(1)), Phase::Pending);
    index.certified(&0, 5);
    assert_eq!(index.phase(&id(1)), Phase::Certified);
    index.executed(&results(1, &[(1, Fate::Executed)]));
    assert_eq!(settled(&index, 1), Some((1, "executed".into())));
    index.reported(&left(1, Verdict::Executed));
    assert_eq!(settled(&index, 1), Some((1, "executed".into())));
}

#[test]
fn a_body_that_comes_after_its_certificate_is_certified_at_once() {
    let mut index = Index::<u8>::new(8);
    index.certified(&0, 5);
    index.kept(&0, 5, &[id(1)]);
    index.kept(&0, 6, &[id(2)]);
    assert_eq!(index.phase(&id(1)), Phase::Certified);
    assert_eq!(index.phase(&id(2)), Phase::Unknown);
}

#[test]
fn a_copy_takes_nothing_from_the_one_that_was_executed() {
    let mut index = Index::<u8>::new(8);
    index.executed(&results(1, &[(1, Fate::Executed), (1, Fate::Duplicate)]));
    index.executed(&results(2, &[(1, Fate::Duplicate)]));
    index.reported(&accepted(1));
    index.reported(&left(1, Verdict::Expired));
    assert_eq!(settled(&index, 1), Some((1, "executed".into())));
}

#[test]
fn one_that_was_skipped_may_be_executed_later() {
    let mut index = Index::<u8>::new(8);
    let poor = Invalid::because("no money");
    index.executed(&results(1, &[(1, Fate::Invalid(poor))]));
    assert_eq!(settled(&index, 1), Some((1, "invalid: no money".into())));
    index.executed(&results(2, &[(1, Fate::Executed)]));
    assert_eq!(settled(&index, 1), Some((2, "executed".into())));
}

#[test]
fn what_expires_or_becomes_invalid_says_so() {
    let mut index = Index::<u8>::new(8);
    index.reported(&accepted(1));
    index.reported(&left(1, Verdict::Expired));
    assert_eq!(index.phase(&id(1)), Phase::Expired);
    index.reported(&accepted(2));
    let reason = Invalid::because("no money");
    index.reported(&left(2, Verdict::Invalid(reason)));
    let reason = "no money".to_owned();
    assert_eq!(index.phase(&id(2)), Phase::Invalid { reason });
}

#[test]
fn what_is_remembered_is_bounded_and_the_oldest_goes_first() {
    let mut index = Index::<u8>::new(4);
    for height in 0..100 {
        let name = u8::try_from(height).expect("small");
        index.executed(&results(height, &[(name, Fate::Executed)]));
        index.kept(&0, height, &[id(name), id(name), id(name)]);
    }
    assert_eq!(index.phase(&id(95)), Phase::Unknown);
    assert_eq!(settled(&index, 96), Some((96, "executed".into())));
    assert_eq!(settled(&index, 99), Some((99, "executed".into())));
}
