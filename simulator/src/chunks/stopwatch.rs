//! How long payments take, and how often they travel.

use super::observation::{Answer, Seen};
use crate::{
    Goal, Stamped,
    lanes::{self, Quantiles, Short},
};
use commonware_utils::sync::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The goal that so many payments are executed at every one of some nodes; and the times of all that led there.
#[derive(Clone)]
pub struct Stopwatch {
    nodes: BTreeSet<usize>,
    payments: usize,
    record: Arc<Mutex<Record>>,
}

/// What is known so far. Lanes are named by their sequencer's node, whose own word counts.
#[derive(Default)]
struct Record {
    answers: BTreeMap<bool, u64>,
    accepted_us: BTreeMap<Short, u64>,
    packed: BTreeMap<Short, Vec<Short>>,
    /// By lane and height, each body and its length.
    sealed: BTreeMap<(usize, u64), (Short, u32)>,
    /// By lane, each height certified, and when.
    certified: BTreeMap<usize, BTreeMap<u64, u64>>,
    executed: BTreeMap<Short, BTreeMap<usize, u64>>,
    /// Payments executed at all nodes.
    done: usize,
    samples: Vec<Sample>,
}

/// What a node had in memory at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// When.
    pub at_us: u64,
    /// Whose memory.
    pub node: usize,
    /// Payments in the mempool.
    pub items: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bytes of the bodies in the chunk store's memory.
    pub memory: u64,
    /// Bytes of the chunks of the lane that holds most there, neither executed nor expired.
    pub lane_held: u64,
    /// The most bytes of bodies that one lane had in the chunk store's memory until then.
    pub lane_memory: u64,
}

/// What it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Payments that clients were promised.
    pub payments: u64,
    /// Answers to clients that were no promise.
    pub turned_away: u64,
    /// Chunks certified.
    pub chunks: u64,
    /// Their bytes.
    pub chunk_bytes: u64,
    /// Payments in them, each as often as it is in one.
    pub copies: u64,
    /// Different payments in them.
    pub packed: u64,
    /// Certificates that sequencers took of their own lanes.
    pub certificates: u64,
    /// From a promise to the first certificate, at its sequencer, of a chunk with the payment in it.
    pub certified_us: Quantiles,
    /// From a promise to the execution at the last node.
    pub executed_us: Quantiles,
}

impl Stopwatch {
    /// Stops when so many payments are executed at all these nodes.
    pub fn new(nodes: impl IntoIterator<Item = usize>, payments: usize) -> Self {
        Self {
            nodes: nodes.into_iter().collect(),
            payments,
            record: Arc::default(),
        }
    }

    /// What these nodes said that they had in memory, in order.
    pub fn samples(&self) -> Vec<Sample> {
        self.record.lock().samples.clone()
    }

    /// What it took until now.
    pub fn times(&self) -> Times {
        let record = self.record.lock();
        let mut first_us: BTreeMap<Short, u64> = BTreeMap::new();
        let (mut chunks, mut chunk_bytes, mut copies) = (0, 0, 0);
        for ((lane, height), (payload, bytes)) in &record.sealed {
            let certified = record.certified.get(lane);
            let certified = certified.map(|it| it.range(height..).map(|it| *it.1).min());
            let Some(at_us) = certified.flatten() else {
                continue;
            };
            chunks += 1;
            chunk_bytes += u64::from(*bytes);
            for id in record.packed.get(payload).into_iter().flatten() {
                copies += 1;
                let first_us = first_us.entry(*id).or_insert(at_us);
                *first_us = at_us.min(*first_us);
            }
        }
        let accepted = record.accepted_us.iter();
        let since = |id: &Short, at_us: u64| Some(at_us - record.accepted_us.get(id)?);
        let certified_us = first_us.iter().filter_map(|(id, at_us)| since(id, *at_us));
        let executed_us = record.executed.iter().filter_map(|(id, nodes)| {
            let last_us = nodes
                .values()
                .max()
                .filter(|_| nodes.len() == self.nodes.len());
            since(id, *last_us?)
        });
        Times {
            payments: accepted.len() as u64,
            turned_away: record.answers.get(&false).copied().unwrap_or(0),
            chunks,
            chunk_bytes,
            copies,
            packed: first_us.len() as u64,
            certificates: record.certified.values().map(|it| it.len() as u64).sum(),
            certified_us: Quantiles::of(certified_us.collect()),
            executed_us: Quantiles::of(executed_us.collect()),
        }
    }
}

impl Record {
    fn lane(&mut self, node: usize, seen: &lanes::Seen, at_us: u64) {
        if let lanes::Seen::Certified { lane, height, .. } = seen
            && *lane == node
        {
            let lane = self.certified.entry(*lane).or_default();
            lane.entry(*height).or_insert(at_us);
        }
    }
}

impl Goal<Seen> for Stopwatch {
    fn name(&self) -> &'static str {
        "payments are executed everywhere"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let Some(node) = seen.node else { return };
        let at_us = seen.at_us;
        let record = &mut *self.record.lock();
        match &seen.what {
            Seen::Lane(seen) => record.lane(node, seen, at_us),
            Seen::Answered { answer, .. } => {
                let promised = *answer == Answer::Accepted;
                *record.answers.entry(promised).or_default() += 1;
            }
            Seen::Accepted {
                id, client: true, ..
            } => {
                record.accepted_us.entry(*id).or_insert(at_us);
            }
            Seen::Packed { payload, ids } => {
                record.packed.insert(*payload, ids.clone());
            }
            Seen::Kept {
                lane,
                height,
                payload,
                bytes,
                ..
            } if *lane == node => {
                record.sealed.insert((*lane, *height), (*payload, *bytes));
            }
            Seen::Executed { ids, .. } if self.nodes.contains(&node) => {
                for id in ids.iter().filter(|it| record.accepted_us.contains_key(it)) {
                    let nodes = record.executed.entry(*id).or_default();
                    let fresh = nodes.insert(node, at_us).is_none();
                    record.done += usize::from(fresh && nodes.len() == self.nodes.len());
                }
            }
            Seen::Used {
                items,
                bytes,
                memory,
                shares,
            } if self.nodes.contains(&node) => record.samples.push(Sample {
                at_us,
                node,
                items: *items,
                bytes: *bytes,
                memory: *memory,
                lane_held: shares.iter().map(|it| it.bytes).max().unwrap_or(0),
                lane_memory: shares.iter().map(|it| it.memory_most).max().unwrap_or(0),
            }),
            _ => {}
        }
    }

    fn reached(&self) -> bool {
        self.record.lock().done >= self.payments
    }

    fn missing(&self) -> (Option<usize>, String) {
        let done = self.record.lock().done;
        let message = format!(
            "{done} of {} payments are executed everywhere",
            self.payments
        );
        (None, message)
    }
}
