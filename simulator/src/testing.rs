//! What the tests of systems share: a scenario is run, and what was observed is kept for assertions that are about one
//! test alone.

use crate::{Outcome, Property, Scenario, Stamped, System, property::Verdict, trace::Event};
use commonware_utils::sync::Mutex;
use std::{ops::Range, sync::Arc};

/// What one run showed.
struct Log<O> {
    seen: Vec<Stamped<O>>,
    events: Vec<Stamped<Event>>,
}

impl<O> Default for Log<O> {
    fn default() -> Self {
        Self {
            seen: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// A run that passed, with all it showed. A system's tests add their own questions to it.
pub struct Run<O> {
    pub outcome: Outcome,
    log: Log<O>,
}

/// Judges nothing: it keeps the observations.
struct Keeper<O>(Arc<Mutex<Log<O>>>);

impl<O: Clone + Send> Property<O> for Keeper<O> {
    fn name(&self) -> &'static str {
        "keeper"
    }

    fn sentence(&self) -> &'static str {
        "everything observed is kept for the test"
    }

    fn observe(&mut self, seen: &Stamped<O>) -> Verdict {
        self.0.lock().seen.push(seen.clone());
        Ok(0)
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        self.0.lock().events.push(event.clone());
        Ok(0)
    }
}

/// Runs seeds, each of which must pass with every property of the system, and reach the goal.
pub fn watch<S: System>(scenario: &Scenario<S>, seeds: Range<u64>) -> Vec<Run<S::Observation>> {
    let log = Arc::new(Mutex::new(Log::default()));
    let kept = log.clone();
    let scenario = scenario.clone().holds(move |plan| {
        *kept.lock() = Log::default();
        let mut properties = S::properties(plan);
        properties.push(Box::new(Keeper(kept.clone())));
        properties
    });
    let run = |seed| {
        let outcome = scenario.run_seeds([seed]).remove(0);
        Run {
            outcome,
            log: std::mem::take(&mut *log.lock()),
        }
    };
    seeds.map(run).collect()
}

impl<O> Run<O> {
    /// Every observation.
    pub fn seen(&self) -> impl Iterator<Item = &Stamped<O>> {
        self.log.seen.iter()
    }

    /// Every observation of a node.
    pub fn by(&self, node: usize) -> impl Iterator<Item = &Stamped<O>> {
        self.seen().filter(move |it| it.node == Some(node))
    }

    /// When something happened to a node, in the order of time.
    pub fn times(&self, node: usize, event: &Event) -> Vec<u64> {
        let of = self.log.events.iter().filter(|it| it.node == Some(node));
        of.filter(|it| it.what == *event)
            .map(|it| it.at_us)
            .collect()
    }

    /// Why a node stopped, each time.
    pub fn stops(&self, node: usize) -> impl Iterator<Item = &str> {
        let of = self
            .log
            .events
            .iter()
            .filter(move |it| it.node == Some(node));
        of.filter_map(|it| match &it.what {
            Event::Stopped { error, .. } => Some(error.as_str()),
            _ => None,
        })
    }

    /// How often a property was checked.
    pub fn checked(&self, property: &str) -> u64 {
        self.outcome.properties[property].checked
    }
}
