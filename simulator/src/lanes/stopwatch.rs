//! How long chunks take from proposal to certificate, in virtual time.

use super::observation::Seen;
use crate::{Goal, Stamped, property::Kinds};
use commonware_utils::sync::Mutex;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

/// Takes the time of every chunk of a run; also the goal that each lane gets its chunks certified at every node.
///
/// Clones are one stopwatch: give a scenario a clone and read the other. A stopwatch is good for one run.
#[derive(Clone)]
pub struct Stopwatch {
    state: Arc<Mutex<State>>,
}

/// What a stopwatch shows. Times are virtual microseconds from the moment a sequencer first sent a header to the
/// moment a certificate at or above its height was verified.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Times {
    /// Chunks certified at every node.
    pub chunks: u64,
    /// Certificates that sequencers assembled: fewer than chunks, since one covers all below it.
    pub certificates: u64,
    /// Until the sequencer itself had a certificate.
    pub proposer_us: Quantiles,
    /// Until the last of all nodes had one.
    pub last_node_us: Quantiles,
}

/// Of a set of times: nearest ranks, so each is a time that was taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quantiles {
    /// Half took no longer.
    pub p50: u64,
    /// Of a hundred, 99 took no longer.
    pub p99: u64,
    /// None took longer.
    pub max: u64,
}

impl Quantiles {
    /// Of these times, in any order; zeros if there are none.
    pub fn of(mut times: Vec<u64>) -> Self {
        times.sort_unstable();
        let rank = |of_hundred: usize| {
            let place = (times.len() * of_hundred).div_ceil(100);
            times.get(place.saturating_sub(1)).copied().unwrap_or(0)
        };
        Self {
            p50: rank(50),
            p99: rank(99),
            max: rank(100),
        }
    }
}

struct State {
    nodes: usize,
    chunks_each: u64,
    lanes: BTreeMap<usize, Lane>,
}

#[derive(Default)]
struct Lane {
    /// When each header was first sent, from height 1.
    proposed_us: Vec<u64>,
    /// The highest height certified at each node.
    certified: BTreeMap<usize, u64>,
    /// How many certificates the sequencer has had.
    certificates: u64,
    proposer_us: Vec<u64>,
    last_node_us: Vec<u64>,
}

impl Stopwatch {
    /// For `nodes` nodes that all follow `lanes`, each of which has `chunks_each` chunks.
    pub fn new(nodes: usize, lanes: impl IntoIterator<Item = usize>, chunks_each: u64) -> Self {
        let lanes = lanes.into_iter().map(|lane| (lane, Lane::default()));
        let state = State {
            nodes,
            chunks_each,
            lanes: lanes.collect(),
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// What it shows now.
    pub fn times(&self) -> Times {
        let state = self.state.lock();
        let all = |of: fn(&Lane) -> &Vec<u64>| {
            let times = state.lanes.values().flat_map(of);
            Quantiles::of(times.copied().collect())
        };
        let chunks = state.lanes.values().map(|lane| lane.last_node_us.len());
        Times {
            chunks: chunks.sum::<usize>() as u64,
            certificates: state.lanes.values().map(|lane| lane.certificates).sum(),
            proposer_us: all(|lane| &lane.proposer_us),
            last_node_us: all(|lane| &lane.last_node_us),
        }
    }
}

impl Lane {
    /// Takes the times of the heights from one past those `taken` up to `height`.
    fn take(proposed_us: &[u64], taken: &mut Vec<u64>, height: u64, at_us: u64) {
        for proposed_us in proposed_us.iter().take(height as usize).skip(taken.len()) {
            taken.push(at_us - proposed_us);
        }
    }

    fn certified(&mut self, nodes: usize, at_us: u64, by: usize, is_own: bool, height: u64) {
        let highest = self.certified.entry(by).or_insert(0);
        *highest = height.max(*highest);
        if is_own {
            self.certificates += 1;
            Self::take(&self.proposed_us, &mut self.proposer_us, *highest, at_us);
        }
        if self.certified.len() == nodes {
            let everywhere = self.certified.values().min().copied().unwrap_or(0);
            Self::take(&self.proposed_us, &mut self.last_node_us, everywhere, at_us);
        }
    }
}

impl Goal<Seen> for Stopwatch {
    fn name(&self) -> &'static str {
        "every chunk is certified at every node"
    }

    fn kinds(&self) -> Kinds {
        Some(&["proposed", "certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let mut state = self.state.lock();
        let nodes = state.nodes;
        match (&seen.what, seen.node) {
            (Seen::Proposed { lane, height, .. }, _) => {
                if let Some(lane) = state.lanes.get_mut(lane) {
                    // A sequencer that restarted may send a header again: what counts is the first time.
                    if *height == lane.proposed_us.len() as u64 + 1 {
                        lane.proposed_us.push(seen.at_us);
                    }
                }
            }
            (Seen::Certified { lane, height, .. }, Some(node)) => {
                let is_own = node == *lane;
                if let Some(lane) = state.lanes.get_mut(lane) {
                    lane.certified(nodes, seen.at_us, node, is_own, *height);
                }
            }
            _ => {}
        }
    }

    fn reached(&self) -> bool {
        let state = self.state.lock();
        let mut lanes = state.lanes.values();
        lanes.all(|lane| lane.last_node_us.len() as u64 >= state.chunks_each)
    }

    fn missing(&self) -> (Option<usize>, String) {
        let state = self.state.lock();
        let behind = state.lanes.iter().find_map(|(number, lane)| {
            let certified = lane.last_node_us.len();
            (certified as u64 != state.chunks_each).then(|| {
                format!(
                    "of {} chunks of lane {number}, {certified} are certified everywhere",
                    state.chunks_each
                )
            })
        });
        (None, behind.unwrap_or_default())
    }
}
