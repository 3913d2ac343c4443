//! Which panics the errors of a disk explain.

use crate::{host::disk::failures::Failures, panics::Caught};
use commonware_runtime::Error;
use std::{
    io,
    sync::Arc,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

const VOTER: &str = "/registry/commonware-consensus-2026.10.0/src/simplex/actors/voter/actor.rs";

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

fn sync_failed() -> Error {
    let why = Arc::new(io::Error::other("injected disk error"));
    Error::BlobSyncFailed("votes".into(), "00".into(), why)
}

fn panic(file: &str, message: impl Into<String>) -> Caught {
    Caught {
        node: None,
        message: message.into(),
        file: file.into(),
    }
}

/// A life that was told of a failed sync, one second after its begin.
fn told() -> Failures {
    let mut failures = Failures::default();
    failures.tell(at(1_000), &sync_failed());
    failures
}

#[test]
fn a_panic_of_consensus_that_names_the_error_is_its_answer() {
    let shown = panic(VOTER, format!("failed to persist votes: {}", sync_failed()));
    let wrapped = panic(
        VOTER,
        format!("unable to sync: Runtime({:?})", sync_failed()),
    );
    for ms in [1_000, 1_700] {
        assert!(told().explain(at(ms), &shown) && told().explain(at(ms), &wrapped));
    }
}

#[test]
fn one_that_names_nothing_must_come_in_the_same_instant() {
    let silent = panic(VOTER, "failed to initialize notarized archive");
    assert!(told().explain(at(1_000), &silent));
    assert!(!told().explain(at(1_001), &silent));
}

#[test]
fn a_panic_of_our_own_has_no_excuse_whatever_it_says() {
    let ours = panic("actors/src/chain/actor.rs", format!("{:?}", sync_failed()));
    assert!(!told().explain(at(1_000), &ours));
}

#[test]
fn another_error_another_life_and_another_time_excuse_nothing() {
    let named = panic(VOTER, format!("{:?}", sync_failed()));
    assert!(!told().explain(at(60_000), &named), "long ago");
    let read = panic(VOTER, format!("{:?}", Error::ReadFailed));
    assert!(!told().explain(at(1_001), &read), "no read failed");
    let mut failures = told();
    failures.forget();
    assert!(!failures.explain(at(1_000), &named), "in a life before");
    // A blob that is not there is an answer, and no fault of the device.
    let missing = Error::BlobMissing("votes".into(), "00".into());
    failures.tell(at(1_000), &missing);
    assert!(!failures.explain(at(1_000), &panic(VOTER, format!("{missing:?}"))));
}
