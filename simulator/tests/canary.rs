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

/// A bug must be caught so often before its sweep ends: the second time shows that the first was no luck.
const CATCHES: u64 = 2;

struct Expected {
    bug: Bug,
    property: &'static str,
    /// Within how many seeds it must be caught; at least three times what was measured.
    seeds_max: u64,
}

const fn expected(bug: Bug, property: &'static str, seeds_max: u64) -> Expected {
    Expected {
        bug,
        property,
        seeds_max,
    }
}

const EXPECTED: [Expected; 9] = [
    expected(Bug::AckBeforeSync, "acks once", 3_000),
    expected(Bug::AckWithoutBody, "bodies before acks", 3_000),
    expected(Bug::ForgetLocks, "acks once", 3_000),
    expected(Bug::ReplaceLock, "acks once", 3_000),
    expected(Bug::TrustCertificates, "genuine certificates", 3_000),
    expected(Bug::ForgetEpoch, "epochs rise", 3_000),
    expected(Bug::SendBeforeSync, "proposes once", 3_000),
    expected(Bug::ExpireByClock, "bodies before acks", 3_000),
    expected(Bug::NeverResend, "lanes advance", 3_000),
];

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

#[test]
fn every_planted_bug_is_caught_by_the_property_meant_for_it() {
    let bugs: Vec<_> = EXPECTED.iter().map(|it| it.bug).collect();
    assert_eq!(bugs, Bug::ALL, "every bug is expected, once");
    println!(
        "{:20} {:22} {:>10} {:>6} {:>6}",
        "bug", "property", "first seed", "seeds", "caught"
    );
    let mut escaped = Vec::new();
    for Expected {
        bug,
        property,
        seeds_max,
    } in EXPECTED
    {
        let (mut first, mut caught, mut seeds) = (None, 0, 0);
        while caught < CATCHES && seeds < seeds_max {
            let seed = seeds;
            seeds += 1;
            if violates(&run(bug, seed), property) {
                // It is the bug that is caught, and not something else that is wrong in this seed.
                assert!(
                    !violates(&run(Bug::None, seed), property),
                    "seed {seed} fails without a bug"
                );
                first = first.or(Some(seed));
                caught += 1;
            }
        }
        let shown = first.map_or_else(|| "never".to_owned(), |it| it.to_string());
        println!(
            "{:20} {property:22} {shown:>10} {seeds:>6} {caught:>6}",
            format!("{bug:?}")
        );
        if caught < CATCHES {
            escaped.push(bug);
        }
    }
    assert_eq!(escaped, [], "these bugs escaped");
}
