//! A checker that cannot fail proves nothing: each bug planted in the engine is caught by the property meant for it.
//!
//! `cargo test --release --workspace --locked --config .ci/tests.toml --test canary -- --nocapture` prints how many seeds it
//! took. The seeds are those of the swarm that looks for bugs nobody planted; only the bug is fixed.

#![cfg(feature = "canary")]

use drystone_engine::{Canary, scheme::fixture::Free};
use drystone_simulator::{Outcome, Scenario, System as _, lanes::Lanes};
use std::collections::BTreeSet;

/// A bug must be caught so often: the second time shows that the first was no luck.
const CATCHES: u64 = 2;

/// Within how many seeds.
const SEEDS_MAX: u64 = 3_000;

/// Who judges a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Judges {
    /// Every property: the one meant for the bug is the first that is violated.
    All,
    /// The one meant for the bug. What it forbids cannot come about before another property has seen the reason: two
    /// quorums meet in an honest validator, which signed twice; a header that nobody signed has a forged certificate.
    Alone,
}
use Judges::{All, Alone};

fn swarm(bug: Canary) -> Scenario<Lanes<Free>> {
    Scenario::<Lanes<Free>>::swarm("swarm").adjust(move |options| options.bug = bug)
}

fn run(bug: Canary, seed: u64, property: &'static str, judges: Judges) -> Outcome {
    let swarm = swarm(bug);
    let scenario = match judges {
        All => swarm,
        Alone => swarm.holds(move |plan| {
            let mut properties = Lanes::<Free>::properties(plan);
            properties.retain(|it| it.name() == property);
            properties
        }),
    };
    scenario.run(seed)
}

fn violates(outcome: &Outcome, property: &str) -> bool {
    outcome
        .failure
        .as_ref()
        .is_some_and(|it| it.property == property)
}

fn is_caught(bug: Canary, property: &'static str, judges: Judges) {
    let (mut caught, mut seeds) = (Vec::new(), 0);
    while (caught.len() as u64) < CATCHES && seeds < SEEDS_MAX {
        let seed = seeds;
        seeds += 1;
        if violates(&run(bug, seed, property, judges), property) {
            // It is the bug that is caught, and not something else that is wrong in this seed.
            assert!(
                !violates(&run(Canary::None, seed, property, judges), property),
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
    ($($test:ident: $bug:ident by $judges:ident $property:literal;)*) => {
        $(#[test]
        fn $test() {
            is_caught(Canary::$bug, $property, $judges);
        })*

        #[test]
        fn every_bug_has_a_property_meant_for_it() {
            let caught = [$((Canary::$bug, $judges)),*];
            let by_all = caught.into_iter().filter(|(_, judges)| *judges == All);
            assert!(by_all.map(|(bug, _)| bug).eq(Canary::ALL));
        }

        #[test]
        fn every_property_has_a_bug_that_violates_it() {
            let plan = swarm(Canary::None).plan(0);
            let properties = Lanes::<Free>::properties(&plan);
            let mut names: BTreeSet<_> = properties.iter().map(|it| it.name()).collect();
            names.insert(Lanes::<Free>::goal(&plan).name());
            // About disks and not about lanes: what violates it is among the tests of the world that makes the errors.
            names.remove("stops only on disk errors");
            assert_eq!(names, BTreeSet::from([$($property),*]));
        }
    };
}

caught! {
    acks_that_leave_before_their_locks_are_synced: AckBeforeSync by All "remembers acks";
    acks_that_do_not_wait_for_the_body: AckWithoutBody by All "bodies before acks";
    locks_forgotten_on_restart: ForgetLocks by All "remembers acks";
    a_second_header_that_replaces_the_first: ReplaceLock by All "acks once";
    certificates_believed_unchecked: TrustCertificates by All "genuine certificates";
    a_second_certificate_believed_unchecked: TrustCertificates by Alone "one certificate";
    a_certificate_of_nothing_believed_unchecked: TrustCertificates by Alone "certifies what was proposed";
    evidence_that_nobody_checked: AccuseUnchecked by All "nobody framed";
    epochs_that_are_not_journaled: ForgetEpoch by All "epochs rise";
    headers_sent_before_they_are_synced: SendBeforeSync by All "proposes once";
    bodies_that_expire_by_the_local_clock: ExpireByClock by All "bodies before acks";
    lanes_that_run_ahead_without_bound: NoLead by All "fits a block";
    nothing_ever_sent_again: NeverResend by All "lanes advance";
}
