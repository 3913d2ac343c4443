//! From arguments to seeds and worlds. The command line is stronger than the environment.

use super::{
    Usage,
    args::{Choice, Subject},
};
use crate::campaign::{Registry, Runnable, Seeds, World, capsule_stem, full_name};
use clap::{ArgMatches, parser::ValueSource};
use std::{fs, path::PathBuf};

/// The seeds of a sweep that names none.
const SEEDS: std::ops::Range<u64> = 0..200;

fn is_typed(matches: &ArgMatches, id: &str) -> bool {
    matches.value_source(id) == Some(ValueSource::CommandLine)
}

/// The seeds to sweep.
pub(super) fn seeds(choice: &Choice, matches: &ArgMatches) -> Result<Seeds, Usage> {
    match (choice.seed, choice.seeds) {
        (None, None) => Ok(SEEDS.into()),
        (Some(seed), None) => Ok(Seeds::one(seed)),
        (None, Some(seeds)) => Ok(seeds),
        (Some(seed), Some(seeds)) => {
            match (is_typed(matches, "seed"), is_typed(matches, "seeds")) {
                (true, false) => Ok(Seeds::one(seed)),
                (false, true) => Ok(seeds),
                (true, true) => Err(Usage(
                    "--seed and --seeds exclude each other: give one of them".into(),
                )),
                (false, false) => Err(Usage(
                    "DRYSTONE_SEED and DRYSTONE_SEEDS exclude each other: set one of them".into(),
                )),
            }
        }
    }
}

/// Where a world comes from.
pub(super) enum Source {
    /// A capsule.
    Capsule {
        /// Its file.
        path: PathBuf,
        /// Its text.
        text: String,
    },
    /// A seed of the scenario.
    Seed(u64),
}

impl Source {
    pub(super) fn world(&self) -> World<'_> {
        match self {
            Self::Capsule { text, .. } => World::Capsule(text),
            Self::Seed(seed) => World::Seed(*seed),
        }
    }

    /// The command that shows it.
    pub(super) fn command(&self, program: &str, scenario: &dyn Runnable) -> String {
        match self {
            Self::Capsule { path, .. } => format!("{program} replay {}", path.display()),
            Self::Seed(seed) => format!(
                "{program} replay --scenario {} --seed {seed}",
                full_name(scenario)
            ),
        }
    }

    /// A file name for what comes of it, without its ending.
    pub(super) fn stem(&self, scenario: &dyn Runnable) -> String {
        match self {
            Self::Capsule { path, .. } => path
                .file_stem()
                .unwrap_or_default()
                .to_string_lossy()
                .into_owned(),
            Self::Seed(seed) => capsule_stem(scenario, *seed),
        }
    }
}

/// The scenario and the world to look at.
pub(super) fn world<'a>(
    registry: &'a Registry,
    subject: &Subject,
    matches: &ArgMatches,
) -> Result<(&'a dyn Runnable, Source), Usage> {
    match (&subject.capsule, subject.seed) {
        (Some(_), Some(_)) if is_typed(matches, "seed") => Err(Usage(
            "a capsule holds its seed: give the file or --seed, not both".into(),
        )),
        (Some(path), _) => {
            let text = fs::read_to_string(path).map_err(|error| {
                Usage(format!(
                    "cannot read the capsule {}: {error}",
                    path.display()
                ))
            })?;
            let scenario = registry.find_for(&text).map_err(|error| {
                Usage(format!(
                    "cannot use the capsule {}: {error}",
                    path.display()
                ))
            })?;
            Ok((
                scenario,
                Source::Capsule {
                    path: path.clone(),
                    text,
                },
            ))
        }
        (None, Some(seed)) => Ok((
            registry
                .find(subject.scenario.as_deref())
                .map_err(Usage::of)?,
            Source::Seed(seed),
        )),
        (None, None) => Err(Usage(
            "which world? give the file of a capsule, or --seed N".into(),
        )),
    }
}
