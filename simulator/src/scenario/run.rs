//! Running a scenario.

use super::Scenario;
use crate::{Goal, Outcome, Plan, Property, Recording, System, campaign::parse_seed, world};
use std::{env, thread};

/// Runs one seed instead of those a test names.
pub const SEED: &str = "DRYSTONE_SEED";

impl<S: System> Scenario<S> {
    /// Runs the plan of a seed, without a story.
    pub fn run(&self, seed: u64) -> Outcome {
        self.replay(&self.plan(seed), Recording::off())
    }

    /// Runs a plan, whoever drew it, with this scenario's properties and goal.
    pub fn replay(&self, plan: &Plan<S>, recording: Recording) -> Outcome {
        world::run(
            plan,
            self.properties_of(plan),
            self.goal_of(plan),
            recording,
        )
    }

    /// Runs seeds one after the other and gives what became of each. For a `#[test]`: panics at the first failure with
    /// the plan, the end of the story, and the command that replays it. With `DRYSTONE_SEED` set it runs that seed alone.
    pub fn run_seeds(&self, seeds: impl IntoIterator<Item = u64>) -> Vec<Outcome> {
        let chosen = env::var(SEED)
            .ok()
            .map(|seed| parse_seed(&seed).unwrap_or_else(|error| panic!("{SEED}: {error}")));
        let seeds: Vec<u64> = chosen.map_or_else(|| seeds.into_iter().collect(), |seed| vec![seed]);
        seeds.into_iter().map(|seed| self.must_pass(seed)).collect()
    }

    /// The names and sentences of the properties a run of `plan` is judged by.
    pub fn properties_of(&self, plan: &Plan<S>) -> Vec<Box<dyn Property<S::Observation>>> {
        self.properties
            .as_ref()
            .map_or_else(|| S::properties(plan), |properties| properties(plan))
    }

    /// The goal a run of `plan` must reach.
    pub fn goal_of(&self, plan: &Plan<S>) -> Box<dyn Goal<S::Observation>> {
        self.goal
            .as_ref()
            .map_or_else(|| S::goal(plan), |goal| goal(plan))
    }

    fn must_pass(&self, seed: u64) -> Outcome {
        let plan = self.plan(seed);
        let outcome = self.replay(&plan, Recording::off());
        let Some(failure) = &outcome.failure else {
            return outcome;
        };
        // The same plan gives the same run, so the story is told by running it again.
        let story = self.replay(&plan, Recording::ends(20, 40)).story.join("\n");
        let package = env::var("CARGO_PKG_NAME").unwrap_or_else(|_| "drystone-simulator".into());
        let test = thread::current().name().unwrap_or_default().to_owned();
        panic!(
            "{plan}{story}\n{failure}\nreplay: {SEED}={seed} cargo test --release -p {package} {test}"
        );
    }
}
