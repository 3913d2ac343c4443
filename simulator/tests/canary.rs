//! A checker that cannot fail proves nothing: each bug planted in the engine is caught by the property meant for it.
//!
//! `cargo test --release -p drystone-simulator --features canary --test canary -- --nocapture` prints how many seeds it
//! took. The seeds are those of the swarm that looks for bugs nobody planted; only the bug is fixed.

#![cfg(feature = "canary")]

use drystone_engine::scheme::fixture::Free;
use drystone_simulator::{
    Outcome, Scenario,
    lanes::{Bug, Lanes},
};

/// A bug must be caught so often: the second time shows that the first was no luck.
const CATCHES: u64 = 2;

/// Within how many seeds.
const SEEDS_MAX: u64 = 3_000;

fn run(bug: Bug, seed: u64) -> Outcome {
    Scenario::<Lanes<Free>>::swarm("swarm")
        .adjust(move |options| options.bug = bug)
        .run(seed)
}

fn violates(outcome: &Outcome, property: &str) -> bool {
    outcome
        .failure
        .as_ref()
        .is_some_and(|it| it.property == property)
}

fn is_caught(bug: Bug, property: &str) {
    let (mut caught, mut seeds) = (Vec::new(), 0);
    while (caught.len() as u64) < CATCHES && seeds < SEEDS_MAX {
        let seed = seeds;
        seeds += 1;
        if violates(&run(bug, seed), property) {
            // It is the bug that is caught, and not something else that is wrong in this seed.
            assert!(
                !violates(&run(Bug::None, seed), property),
                "seed {seed} fails without a bug"
            );
            caught.push(seed);
        }
    }
    println!("{bug:?}: {seeds} seeds, caught by {property:?} in seeds {caught:?}");
    assert!(
        caught.len() as u64 >= CATCHES,
        "{bug:?} escaped {seeds} seeds"
    );
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $property:literal;)*) => {
        $(#[test]
        fn $test() {
            is_caught(Bug::$bug, $property);
        })*

        #[test]
        fn every_bug_has_a_property_meant_for_it() {
            assert_eq!([$(Bug::$bug),*], Bug::ALL);
        }
    };
}

caught! {
    acks_that_leave_before_their_locks_are_synced: AckBeforeSync by "remembers acks";
    acks_that_do_not_wait_for_the_body: AckWithoutBody by "bodies before acks";
    locks_forgotten_on_restart: ForgetLocks by "remembers acks";
    a_second_header_that_replaces_the_first: ReplaceLock by "acks once";
    certificates_believed_unchecked: TrustCertificates by "genuine certificates";
    epochs_that_are_not_journaled: ForgetEpoch by "epochs rise";
    headers_sent_before_they_are_synced: SendBeforeSync by "proposes once";
    bodies_that_expire_by_the_local_clock: ExpireByClock by "bodies before acks";
    nothing_ever_sent_again: NeverResend by "lanes advance";
}
