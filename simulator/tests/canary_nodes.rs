//! Each bug planted in the executor and in the chain actor is caught by the property meant for it.
//!
//! `cargo test --release --workspace --locked --config .ci/tests.toml --test canary_nodes -- --nocapture` prints how many seeds
//! it took.

#![cfg(feature = "canary")]

use drystone_actors::Canary;
use drystone_simulator::{
    Fault, Outcome, Scenario,
    nodes::{Action, Intent, Nodes, Options, Role},
    plan::Unsynced,
    time::{millis, secs},
};

/// A bug must be caught so often: the second time shows that the first was no luck.
const CATCHES: usize = 2;

/// Within how many seeds.
const SEEDS_MAX: u64 = 1_000;

/// One that no scenario meets often enough: the executor's own tests catch it (`actors/src/executor/tests/canary.rs`).
const ELSEWHERE: [Canary; 1] = [Canary::ForgetExecuted];

/// Anything may happen.
fn swarm() -> Scenario<Nodes> {
    Scenario::<Nodes>::swarm("swarm")
}

/// Four nodes that take 150 ms to execute a block and die by turns; every transfer is brought to all of them, so that all of
/// them pack it.
fn restless() -> Scenario<Nodes> {
    let mut options = Options::all(4);
    options.slow = (0..4).map(|node| (node, 150)).collect();
    let scenario = Scenario::<Nodes>::cluster(4)
        .options(options)
        .quiet()
        .lasting(secs(14));
    let scenario = (0..12).fold(scenario, |scenario, crash| {
        let at_us = secs(2) + crash * millis(850);
        let dies = Fault::Crash {
            nodes: [(crash % 4) as usize].into(),
            unsynced: Unsynced::Subset,
        };
        scenario.during(at_us..at_us + millis(300), dies)
    });
    (0..200).fold(scenario, |scenario, number| {
        scenario.act(
            secs(1) + number * millis(50),
            Action::Pay(intent(number, vec![0, 1, 2, 3])),
        )
    })
}

/// One account after the other pays, at these nodes.
fn intent(number: u64, to: Vec<usize>) -> Intent {
    let from = (number % 16) as u16;
    Intent {
        to,
        from,
        payee: (from + 1) % 16,
        amount: 1,
        tip: 0,
        lifetime_ms: 60_000,
        unnumbered: false,
        loyal: false,
    }
}

/// Four lanes, each of which may run ahead by half of what fits a block.
fn narrow() -> Options {
    let mut options = Options::all(4);
    let lanes = &mut options.chunks.lanes;
    (lanes.in_flight_max, lanes.ahead_max, lanes.headers_max) = (2, 2, 8);
    options
}

/// One leader in four forges, and a block has tips only if it names the newest state that it could.
fn forged() -> Scenario<Nodes> {
    forging(Options::all(4))
}

/// The same, and what the four lanes have is more than fits a block.
fn crowded() -> Scenario<Nodes> {
    forging(narrow())
}

fn forging(options: Options) -> Scenario<Nodes> {
    let options = Options {
        execution_lag_max: 2,
        ..options
    };
    let scenario = Scenario::<Nodes>::cluster(4)
        .options(options)
        .role(3, Role::Forges)
        .quiet()
        .lasting(secs(12));
    (0..200).fold(scenario, |scenario, number| {
        let to = vec![(number % 4) as usize];
        scenario.act(
            secs(1) + number * millis(50),
            Action::Pay(intent(number, to)),
        )
    })
}

fn run(scenario: fn() -> Scenario<Nodes>, bug: Canary, seed: u64) -> Outcome {
    let planted = scenario().adjust(move |it| it.chunks.bug = bug);
    planted.run(seed)
}

fn violates(outcome: &Outcome, property: &str) -> bool {
    let failure = outcome.failure.as_ref();
    failure.is_some_and(|it| it.property == property)
}

fn is_caught(scenario: fn() -> Scenario<Nodes>, bug: Canary, property: &'static str) {
    let (mut caught, mut seeds) = (Vec::new(), 0);
    while caught.len() < CATCHES && seeds < SEEDS_MAX {
        let seed = seeds;
        seeds += 1;
        if violates(&run(scenario, bug, seed), property) {
            // It is the bug that is caught, and not something else that is wrong in this seed.
            let sound = run(scenario, Canary::None, seed);
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
    ($($test:ident: $bug:ident in $scenario:ident by $property:literal;)*) => {
        $(#[test]
        fn $test() {
            is_caught($scenario, Canary::$bug, $property);
        })*

        #[test]
        fn every_bug_has_a_property_meant_for_it() {
            // Those before them are in the actors of chunks.
            let mut here: Vec<_> = [$(Canary::$bug),*].into_iter().chain(ELSEWHERE).collect();
            here.sort_unstable();
            assert_eq!(here, Canary::ALL[Canary::ALL.len() - here.len()..]);
            assert_eq!(here[0], Canary::ShadowSkipped);
        }
    };
}

caught! {
    copies_that_a_skipped_one_shadows: ShadowSkipped in swarm by "follows the rules";
    blocks_acknowledged_before_they_are_executed: AcknowledgeEarly in restless by "stops only on disk errors";
    chunks_executed_after_they_expired: ExecuteExpired in swarm by "executes what lives";
    lanes_told_from_the_finalized_chain_alone: ForgetAncestors in swarm by "keeps the rules";
    blocks_that_go_back_in_time: ProposeByClock in swarm by "honest blocks are valid";
    times_that_nobody_looks_at: OverlookTime in forged by "keeps the rules";
    states_that_nobody_looks_at: OverlookExecuted in forged by "keeps the rules";
    tips_that_nobody_looks_at: OverlookTips in forged by "keeps the rules";
    loads_that_nobody_looks_at: OverlookLoad in crowded by "keeps the rules";
}
