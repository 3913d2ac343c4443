//! A scenario with its system's type erased: what sweeps and the command line need of it.

use crate::{
    Capsule, Outcome, Plan, Recording, Scenario, System, TraceHash,
    capsule::{Broken, STORY_LINES},
    shrink::{self, Budget, Shrunk},
};

/// A name and a sentence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sentence {
    /// What it is called.
    pub name: String,
    /// What it says.
    pub text: String,
}

/// One run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Run {
    /// What became of it.
    pub outcome: Outcome,
    /// How loaded the system was, in thousandths of [`Runnable::load_unit`].
    pub load_milli: u64,
}

/// Names one world of a scenario.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World<'a> {
    /// The one drawn from this seed.
    Seed(u64),
    /// The one in this capsule, whose text this is.
    Capsule(&'a str),
}

/// A world that was run to be read about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The seed and every drawn option, as lines.
    pub plan: String,
    /// What became of it, with its story.
    pub outcome: Outcome,
    /// The identity of the run that the capsule was written for.
    pub recorded: Option<TraceHash>,
}

/// A scenario of any system. Each call builds its world, runs it on the calling thread and leaves nothing behind.
pub trait Runnable: Send + Sync {
    /// The name of its system.
    fn system(&self) -> &'static str;

    /// Its own name, unique in its system.
    fn name(&self) -> &str;

    /// The properties and the goal it is judged by. The kinds of failure that need no property are not among them.
    fn properties(&self) -> Vec<Sentence>;

    /// Every kind of observation there is.
    fn observation_kinds(&self) -> &'static [&'static str];

    /// What load is counted in.
    fn load_unit(&self) -> &'static str;

    /// Runs one seed, without its story.
    fn run(&self, seed: u64) -> Run;

    /// Runs one seed again and packs its failure, as JSON; `None` if it passes. `replay` is the command that shows it.
    fn pack(&self, seed: u64, replay: &str) -> Option<String>;

    /// Runs one world with its story.
    fn tell(&self, world: World<'_>, recording: Recording) -> Result<Told, Broken>;

    /// Looks for a smaller plan with the same failure; `None` if the world passes. `replay` is the command that will
    /// show what is found.
    fn shrink(
        &self,
        world: World<'_>,
        replay: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Shrunk>, Broken>;
}

impl<S: System> Runnable for Scenario<S> {
    fn system(&self) -> &'static str {
        S::NAME
    }

    fn name(&self) -> &str {
        Self::name(self)
    }

    fn properties(&self) -> Vec<Sentence> {
        let plan = self.plan(0);
        let properties = self.properties_of(&plan);
        let sentences = properties
            .iter()
            .map(|property| (property.name(), property.sentence()));
        sentences
            .chain([(
                self.goal_of(&plan).name(),
                "comes about in time once the faults have stopped",
            )])
            .map(|(name, text)| Sentence {
                name: name.to_owned(),
                text: text.to_owned(),
            })
            .collect()
    }

    fn observation_kinds(&self) -> &'static [&'static str] {
        <S::Observation as crate::Observation>::KINDS
    }

    fn load_unit(&self) -> &'static str {
        S::LOAD_UNIT
    }

    fn run(&self, seed: u64) -> Run {
        let plan = self.plan(seed);
        let outcome = self.replay(&plan, Recording::off());
        let load_milli = S::load_milli(&plan, &outcome);
        Run {
            outcome,
            load_milli,
        }
    }

    fn pack(&self, seed: u64, replay: &str) -> Option<String> {
        let plan = self.plan(seed);
        let outcome = self.replay(&plan, Recording::ends(STORY_LINES, 0));
        Capsule::of(&plan, &outcome, replay).map(|capsule| capsule.to_json())
    }

    fn tell(&self, world: World<'_>, recording: Recording) -> Result<Told, Broken> {
        let (plan, recorded) = plan_of(self, world)?;
        let outcome = self.replay(&plan, recording);
        Ok(Told {
            plan: plan.to_string(),
            outcome,
            recorded,
        })
    }

    fn shrink(
        &self,
        world: World<'_>,
        replay: &str,
        budget: &mut Budget<'_>,
    ) -> Result<Option<Shrunk>, Broken> {
        let (plan, _) = plan_of(self, world)?;
        Ok(shrink::shrink(self, &plan, replay, budget))
    }
}

fn plan_of<S: System>(
    scenario: &Scenario<S>,
    world: World<'_>,
) -> Result<(Plan<S>, Option<TraceHash>), Broken> {
    match world {
        World::Seed(seed) => Ok((scenario.plan(seed), None)),
        World::Capsule(text) => {
            Capsule::from_json(text).map(|capsule| (capsule.plan, Some(capsule.trace_hash)))
        }
    }
}
