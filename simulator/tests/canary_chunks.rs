//! Each bug planted in the actors is caught by the property meant for it.
//!
//! `cargo test --release --workspace --locked --config .ci/tests.toml --test canary_chunks -- --nocapture` prints how many seeds
//! it took.

#![cfg(feature = "canary")]

use drystone_actors::Canary;
use drystone_simulator::{Outcome, Scenario, chunks::Chunks};

/// A bug must be caught so often: the second time shows that the first was no luck.
const CATCHES: usize = 2;

/// Within how many seeds.
const SEEDS_MAX: u64 = 3_000;

fn run(bug: Canary, seed: u64) -> Outcome {
    let swarm = Scenario::<Chunks>::swarm("swarm").adjust(move |options| options.bug = bug);
    swarm.run(seed)
}

fn violates(outcome: &Outcome, property: &str) -> bool {
    let failure = outcome.failure.as_ref();
    failure.is_some_and(|it| it.property == property)
}

fn is_caught(bug: Canary, property: &'static str) {
    let (mut caught, mut seeds) = (Vec::new(), 0);
    while caught.len() < CATCHES && seeds < SEEDS_MAX {
        let seed = seeds;
        seeds += 1;
        if violates(&run(bug, seed), property) {
            // It is the bug that is caught, and not something else that is wrong in this seed.
            let sound = run(Canary::None, seed);
            assert!(
                !violates(&sound, property),
                "seed {seed} fails without a bug"
            );
            caught.push(seed);
        }
    }
    println!("{bug:?}: {seeds} seeds, caught by {property:?} in seeds {caught:?}");
    assert!(caught.len() >= CATCHES, "{bug:?} escaped {seeds} seeds");
}

macro_rules! caught {
    ($($test:ident: $bug:ident by $property:literal;)*) => {
        $(#[test]
        fn $test() {
            is_caught(Canary::$bug, $property);
        })*

        #[test]
        fn every_bug_has_a_property_meant_for_it() {
            // Those after them are in the executor.
            let here = [$(Canary::$bug),*];
            assert_eq!(here, Canary::ALL[..here.len()]);
            assert_eq!(Canary::ALL[here.len()], Canary::ShadowSkipped);
        }
    };
}

caught! {
    payments_that_expire_without_a_verdict: DropSilently by "leaves with a verdict";
    payments_that_are_announced_to_nobody: KeepToItself by "payments settle";
    payments_lost_with_chunks_that_came_to_nothing: LoseReturned by "payments settle";
    chunks_whose_body_is_not_durable: SealBeforeSync by "keeps bodies";
    bodies_called_durable_before_they_are: ValidBeforeSync by "keeps bodies";
    quotas_that_start_anew_with_the_node: ForgetQuota by "within quota";
    bodies_that_nobody_compared: TrustBodies by "genuine bodies";
    bodies_that_are_asked_for_once: AskOnce by "payments settle";
    certificates_handed_out_after_they_expired: KeepExpired by "selects what fits";
}
