//! What these tests ask of a run.

use crate::{
    Goal, Stamped,
    lanes::{Options, Seen, observation::Short},
    testing::Run,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// Few chunks and a short way to the chain: what a test changes stands out.
pub fn options(nodes: usize) -> Options {
    Options {
        chunk_every_us: 50_000,
        ..Options::all(nodes)
    }
}

impl Run<Seen> {
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
