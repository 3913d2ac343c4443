//! Scenarios of lanes by name, and goals for tests.

use super::{
    observation::Seen,
    options::Options,
    profile::{PROFILES, Profile},
    system::{Lanes, Named},
};
use crate::{Goal, Scenario, Stamped, property::Kinds, time::secs};
use std::collections::{BTreeMap, BTreeSet};

/// The scenarios every scheme has.
pub fn named<F: Named>() -> Vec<Scenario<Lanes<F>>> {
    let light = Options {
        chunk_every_us: 1_000_000,
        section_bytes: 1 << 20,
        ..Options::all(4)
    };
    let loaded = Options {
        chunk_every_us: 10_000,
        ..light.clone()
    };
    let calm = |name: &str, options: Options| {
        Scenario::<Lanes<F>>::cluster(4)
            .named(name)
            .options(options)
            .lasting(secs(60))
    };
    let mut scenarios = vec![
        Scenario::swarm("swarm"),
        calm("light", light),
        calm("loaded", loaded),
    ];
    scenarios.extend(PROFILES.iter().map(Profile::named));
    scenarios
}

/// The goal that certificates of lanes at or above a height are known to nodes.
#[derive(Clone)]
pub struct Certifies {
    height: u64,
    wanting: BTreeSet<(usize, usize)>,
    highest: BTreeMap<(usize, usize), u64>,
}

impl Certifies {
    /// Each of `nodes` learns a certificate of each of `lanes` at `height` or above.
    pub fn new(
        nodes: impl IntoIterator<Item = usize>,
        lanes: impl IntoIterator<Item = usize> + Clone,
        height: u64,
    ) -> Self {
        let pairs = nodes.into_iter().flat_map(|node| {
            let lanes = lanes.clone();
            lanes.into_iter().map(move |lane| (node, lane))
        });
        Self {
            height,
            wanting: pairs.collect(),
            highest: BTreeMap::new(),
        }
    }
}

impl Goal<Seen> for Certifies {
    fn name(&self) -> &'static str {
        "lanes are certified"
    }

    fn kinds(&self) -> Kinds {
        Some(&["certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let (Seen::Certified { lane, height, .. }, Some(node)) = (&seen.what, seen.node) else {
            return;
        };
        let highest = self.highest.entry((node, *lane)).or_insert(0);
        *highest = (*highest).max(*height);
        if *height >= self.height {
            self.wanting.remove(&(node, *lane));
        }
    }

    fn reached(&self) -> bool {
        self.wanting.is_empty()
    }

    fn missing(&self) -> (Option<usize>, String) {
        let Some((node, lane)) = self.wanting.first() else {
            return (None, String::new());
        };
        let highest = self.highest.get(&(*node, *lane)).copied().unwrap_or(0);
        (
            Some(*node),
            format!(
                "lane {lane} is certified to {highest} there, not to {}",
                self.height
            ),
        )
    }
}
