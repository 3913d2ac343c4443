//! The scenarios a program knows by name.

use super::Runnable;
use crate::System;
use serde::Deserialize;
use thiserror::Error;

/// The scenarios a program knows, of any number of systems. The first is the one that is run when none is named.
#[derive(Default)]
pub struct Registry {
    scenarios: Vec<Box<dyn Runnable>>,
}

/// Why no scenario was found.
#[derive(Debug, Error)]
pub enum Unknown {
    /// The program has none.
    #[error("this program knows no scenario")]
    Empty,
    /// Nothing has this name.
    #[error("there is no scenario `{name}`; there are: {known}")]
    Name {
        /// What was asked for.
        name: String,
        /// What there is.
        known: String,
    },
    /// More than one system has a scenario of this name.
    #[error("several systems have a scenario `{name}`; say which: {matching}")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// The full names that match.
        matching: String,
    },
    /// The text does not say which scenario it is about.
    #[error("not a capsule: {0}")]
    Capsule(#[from] serde_json::Error),
}

/// As much of a capsule as says which scenario it belongs to.
#[derive(Deserialize)]
struct Address {
    system: String,
    plan: PlanAddress,
}

#[derive(Deserialize)]
struct PlanAddress {
    scenario: String,
}

impl Registry {
    /// Knows nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the scenarios of a system.
    ///
    /// # Panics
    ///
    /// If two scenarios have the same full name: one of them could never be run.
    #[must_use]
    pub fn with<S: System>(self) -> Self {
        S::scenarios().into_iter().fold(self, Self::with_runnable)
    }

    /// Adds one scenario.
    ///
    /// # Panics
    ///
    /// If another has the same full name.
    #[must_use]
    pub fn with_runnable(mut self, scenario: impl Runnable + 'static) -> Self {
        let full = full_name(&scenario);
        assert!(
            self.iter().all(|known| full_name(known) != full),
            "two scenarios are called `{full}`"
        );
        self.scenarios.push(Box::new(scenario));
        self
    }

    /// The scenarios in the order they were added.
    pub fn iter(&self) -> impl Iterator<Item = &dyn Runnable> {
        self.scenarios.iter().map(|scenario| &**scenario)
    }

    /// The scenario of this name, alone or as `system/scenario`; the first of all if none is named.
    pub fn find(&self, name: Option<&str>) -> Result<&dyn Runnable, Unknown> {
        let Some(name) = name else {
            return self.iter().next().ok_or(Unknown::Empty);
        };
        let matches =
            |scenario: &&dyn Runnable| scenario.name() == name || full_name(*scenario) == name;
        let matching: Vec<_> = self.iter().filter(matches).collect();
        match matching.as_slice() {
            [one] => Ok(*one),
            [] => Err(Unknown::Name {
                name: name.to_owned(),
                known: list(self.iter()),
            }),
            several => Err(Unknown::Ambiguous {
                name: name.to_owned(),
                matching: list(several.iter().copied()),
            }),
        }
    }

    /// The scenario that a capsule, whose text this is, belongs to.
    pub fn find_for(&self, capsule: &str) -> Result<&dyn Runnable, Unknown> {
        let address: Address = serde_json::from_str(capsule)?;
        self.find(Some(&format!(
            "{}/{}",
            address.system, address.plan.scenario
        )))
    }
}

fn list<'a>(scenarios: impl Iterator<Item = &'a dyn Runnable>) -> String {
    scenarios.map(full_name).collect::<Vec<_>>().join(", ")
}

/// `system/scenario`: unique in a program.
pub fn full_name(scenario: &dyn Runnable) -> String {
    format!("{}/{}", scenario.system(), scenario.name())
}

/// The name of a seed's capsule, without its ending.
pub fn capsule_stem(scenario: &dyn Runnable, seed: u64) -> String {
    format!("{}-{}-{seed}", scenario.system(), scenario.name())
}
