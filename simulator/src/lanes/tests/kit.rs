//! Runs a scenario and keeps what was observed, for assertions that are about one test alone.

use crate::{
    Goal, Outcome, Property, Scenario, Stamped,
    lanes::{Lanes, Named, Options, Seen, observation::Short, property},
    property::Verdict,
    trace::Event,
};
use commonware_utils::sync::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
    sync::Arc,
};

/// What one run showed.
#[derive(Default)]
pub struct Log {
    seen: Vec<Stamped<Seen>>,
    events: Vec<Stamped<Event>>,
}

/// A run that passed, with all it showed.
pub struct Run {
    pub outcome: Outcome,
    log: Log,
}

/// Judges nothing: it keeps the observations.
struct Witness(Arc<Mutex<Log>>);

impl Property<Seen> for Witness {
    fn name(&self) -> &'static str {
        "witness"
    }

    fn sentence(&self) -> &'static str {
        "everything observed is kept for the test"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        self.0.lock().seen.push(seen.clone());
        Ok(0)
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        self.0.lock().events.push(event.clone());
        Ok(0)
    }
}

/// Runs seeds, each of which must pass with every property of lanes.
pub fn watch<F: Named>(scenario: &Scenario<Lanes<F>>, seeds: Range<u64>) -> Vec<Run> {
    let log = Arc::new(Mutex::new(Log::default()));
    let kept = log.clone();
    let scenario = scenario.clone().holds(move |plan| {
        *kept.lock() = Log::default();
        let mut properties = property::all(plan);
        properties.push(Box::new(Witness(kept.clone())));
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

/// Few chunks and a short way to the chain: what a test changes stands out.
pub fn options(nodes: usize) -> Options {
    Options {
        chunk_every_us: 50_000,
        ..Options::all(nodes)
    }
}

impl Run {
    /// Every observation of a node.
    pub fn by(&self, node: usize) -> impl Iterator<Item = &Stamped<Seen>> {
        self.log.seen.iter().filter(move |it| it.node == Some(node))
    }

    /// Every observation.
    pub fn seen(&self) -> impl Iterator<Item = &Stamped<Seen>> {
        self.log.seen.iter()
    }

    /// How often something happened to a node.
    pub fn events(&self, node: usize, event: &Event) -> usize {
        let of = self.log.events.iter().filter(|it| it.node == Some(node));
        of.filter(|it| it.what == *event).count()
    }

    /// Acks of a lane by a node: when, in which epoch, at which height.
    pub fn acks(&self, node: usize, of: usize) -> Vec<(u64, u64, u64)> {
        let acked = |it: &Stamped<Seen>| match it.what {
            Seen::Acked {
                epoch,
                lane,
                height,
                ..
            } if lane == of => Some((it.at_us, epoch, height)),
            _ => None,
        };
        self.by(node).filter_map(acked).collect()
    }

    /// Certificates of a lane that a node took: when, of which epoch, at which height.
    pub fn certified(&self, node: usize, of: usize) -> Vec<(u64, u64, u64)> {
        let certified = |it: &Stamped<Seen>| match it.what {
            Seen::Certified {
                epoch,
                lane,
                height,
                ..
            } if lane == of => Some((it.at_us, epoch, height)),
            _ => None,
        };
        self.by(node).filter_map(certified).collect()
    }

    /// Heights of a lane that a node locked.
    pub fn locked(&self, node: usize, of: usize) -> BTreeSet<u64> {
        let locked = |it: &Stamped<Seen>| match it.what {
            Seen::Locked { lane, height, .. } if lane == of => Some(height),
            _ => None,
        };
        self.by(node).filter_map(locked).collect()
    }

    /// When a node entered each epoch for the first time.
    pub fn entered(&self, node: usize) -> BTreeMap<u64, u64> {
        let mut entered = BTreeMap::new();
        for it in self.by(node) {
            if let Seen::Entered { epoch } = it.what {
                entered.entry(epoch).or_insert(it.at_us);
            }
        }
        entered
    }

    /// When a node had certificates of all `lanes` at a height, if it ever had.
    pub fn certified_at(&self, node: usize, lanes: &[usize], height: u64) -> Option<u64> {
        let first = |lane: &usize| {
            let certified = self.certified(node, *lane);
            certified
                .iter()
                .find(|(.., at)| *at >= height)
                .map(|(at_us, ..)| *at_us)
        };
        let times: Option<Vec<_>> = lanes.iter().map(first).collect();
        times?.into_iter().max()
    }

    /// The lane and height of each header's body.
    pub fn bodies(&self) -> BTreeMap<Short, (usize, u64)> {
        let mut bodies = BTreeMap::new();
        for it in self.seen() {
            if let Seen::Locked {
                lane,
                height,
                payload,
                ..
            } = it.what
            {
                bodies.insert(payload, (lane, height));
            }
        }
        bodies
    }

    /// How often a property was checked.
    pub fn checked(&self, property: &str) -> u64 {
        self.outcome.properties[property].checked
    }
}

/// The goal that, once the faults have stopped, nodes learn so many new heights of each lane.
#[derive(Clone)]
pub struct Gains {
    nodes: Vec<usize>,
    lanes: Vec<usize>,
    heights: u64,
    /// By lane, the highest certificate before the faults stopped.
    before: BTreeMap<usize, u64>,
    healed: bool,
    highest: BTreeMap<(usize, usize), u64>,
}

impl Gains {
    pub fn new(nodes: Range<usize>, lanes: Range<usize>, heights: u64) -> Self {
        Self {
            nodes: nodes.collect(),
            lanes: lanes.collect(),
            heights,
            before: BTreeMap::new(),
            healed: false,
            highest: BTreeMap::new(),
        }
    }

    fn lacking(&self) -> Option<(usize, usize, u64)> {
        let pairs = self
            .nodes
            .iter()
            .flat_map(|node| self.lanes.iter().map(|lane| (*node, *lane)));
        pairs
            .map(|(node, lane)| {
                let target = self.before.get(&lane).copied().unwrap_or(0) + self.heights;
                (node, lane, target)
            })
            .find(|(node, lane, target)| {
                self.highest
                    .get(&(*node, *lane))
                    .is_none_or(|it| it < target)
            })
    }
}

impl Goal<Seen> for Gains {
    fn name(&self) -> &'static str {
        "lanes gain heights"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let (Seen::Certified { lane, height, .. }, Some(node)) = (&seen.what, seen.node) else {
            return;
        };
        let highest = self.highest.entry((node, *lane)).or_insert(0);
        *highest = (*highest).max(*height);
        if !self.healed {
            let before = self.before.entry(*lane).or_insert(0);
            *before = (*before).max(*height);
        }
    }

    fn healed(&mut self, _: u64, _: &BTreeSet<usize>) {
        self.healed = true;
    }

    fn reached(&self) -> bool {
        self.healed && self.lacking().is_none()
    }

    fn missing(&self) -> (Option<usize>, String) {
        let Some((node, lane, target)) = self.lacking() else {
            return (None, String::new());
        };
        let highest = self.highest.get(&(node, lane)).copied().unwrap_or(0);
        (
            Some(node),
            format!("lane {lane} is certified to {highest} there, not to {target}"),
        )
    }
}
