//! No bound is passed.

use crate::{
    Plan, Property, Stamped, Violation,
    chunks::{observation::Seen, options::Options, system::Chunks},
    lanes::{self, Short},
    property::Verdict,
    trace::Event,
};
use std::collections::{BTreeMap, BTreeSet};

/// What a producer has at an honest node stays within its quota: what is neither executed nor expired there, and what
/// was made in one period. A node's own lane is left out: what it has signed already counts whatever the limits.
pub struct WithinQuota {
    healthy: BTreeSet<usize>,
    options: Options,
    /// Of each node and lane.
    held: BTreeMap<(usize, usize), Held>,
    /// How far blocks that a node gathered in this life moved each lane. What lies below is not held any more, and word that it
    /// is durable may come after the block (seed 70237 of chunks/swarm).
    moved: BTreeMap<(usize, usize), u64>,
    /// Lanes moved by the block of a time.
    included: BTreeMap<u64, Vec<(usize, u64)>>,
}

/// Bodies by expiry, height and digest, each with its period and length.
type Held = BTreeMap<(u64, u64, Short), (u64, u32)>;

impl WithinQuota {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        Self {
            healthy: plan.healthy(),
            options: plan.options.clone(),
            held: BTreeMap::new(),
            moved: BTreeMap::new(),
            included: BTreeMap::new(),
        }
    }

    fn judge(&self, seen: &Stamped<Seen>, node: usize, lane: usize, period: u64) -> Verdict {
        let held = &self.held[&(node, lane)];
        let (chunks, bytes) = sum(held.values());
        let ahead = self.options.lanes.ahead_max;
        let bytes_max = 2 * ahead * u64::from(self.options.chunk_bytes_max);
        if chunks > 2 * ahead || bytes > bytes_max {
            let message = format!(
                "lane {lane} holds {chunks} chunks of {bytes} bytes there, {} of {bytes_max} are its quota",
                2 * ahead
            );
            return Err(Violation::by(seen, message));
        }
        let (made, _) = sum(held.values().filter(|it| it.0 == period));
        if made > self.options.rate_chunks_max {
            let message = format!(
                "lane {lane} has {made} chunks of period {period} there, {} are its quota",
                self.options.rate_chunks_max
            );
            return Err(Violation::by(seen, message));
        }
        Ok(1)
    }
}

fn sum<'a>(bodies: impl Iterator<Item = &'a (u64, u32)>) -> (u64, u64) {
    bodies.fold((0, 0), |(chunks, bytes), it| {
        (chunks + 1, bytes + u64::from(it.1))
    })
}

impl Property<Seen> for WithinQuota {
    fn name(&self) -> &'static str {
        "within quota"
    }

    fn sentence(&self) -> &'static str {
        "what a producer has at an honest node, held and of one period, stays within its quota"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        match (&seen.what, seen.node) {
            (
                Seen::Kept {
                    lane,
                    height,
                    slot,
                    payload,
                    bytes,
                    ..
                }
                // What a crash left.
                | Seen::Asked {
                    lane,
                    height,
                    slot,
                    payload,
                    bytes,
                    found: true,
                },
                Some(node),
            ) if self.healthy.contains(&node)
                && *lane != node
                && self.moved.get(&(node, *lane)).is_none_or(|it| it < height) =>
            {
                let lanes = &self.options.lanes;
                let expiry_ms = (slot + 1) * lanes.slot_ms + lanes.window_ms;
                let period = slot / (self.options.rate_period_ms / lanes.slot_ms).max(1);
                let held = self.held.entry((node, *lane)).or_default();
                held.insert((expiry_ms, *height, *payload), (period, *bytes));
                self.judge(seen, node, *lane, period)
            }
            (
                Seen::Lane(lanes::Seen::Included {
                    block_ms,
                    lane,
                    height,
                    ..
                }),
                _,
            ) => {
                let included = self.included.entry(*block_ms).or_default();
                included.push((*lane, *height));
                Ok(0)
            }
            (Seen::Gathered { time_ms, .. }, Some(node)) => {
                let included = self.included.get(time_ms).cloned().unwrap_or_default();
                for (lane, upto) in included {
                    let moved = self.moved.entry((node, lane)).or_insert(0);
                    *moved = upto.max(*moved);
                    if let Some(held) = self.held.get_mut(&(node, lane)) {
                        held.retain(|(_, height, _), _| *height > upto);
                    }
                }
                for ((of, _), held) in &mut self.held {
                    if *of == node {
                        *held = held.split_off(&(*time_ms, 0, Short(0)));
                    }
                }
                Ok(0)
            }
            _ => Ok(0),
        }
    }

    fn event(&mut self, event: &Stamped<Event>) -> Verdict {
        if let (Event::Booted, Some(node)) = (&event.what, event.node) {
            self.held.retain(|(of, _), _| *of != node);
            self.moved.retain(|(of, _), _| *of != node);
        }
        Ok(0)
    }
}
