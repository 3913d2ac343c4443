//! What is promised is on the disk.

use crate::{
    Plan, Property, Stamped, Violation,
    chunks::{observation::Seen, system::Chunks},
    lanes::{self, Short},
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// After any crash an honest node has the bodies it answers for: those it acked as its own word (neither covered by a
/// certificate nor expired by then), and those it made. A node of which a disk fault took something is no witness.
pub struct KeepsBodies {
    healthy: BTreeSet<usize>,
    slot_ms: u64,
    window_ms: u64,
    /// Bodies by lane, height and header.
    payloads: BTreeMap<(usize, u64, Short), Short>,
    certified: BTreeMap<(usize, usize), u64>,
    told_ms: BTreeMap<usize, u64>,
    executed_ms: BTreeMap<usize, u64>,
    /// What each node answers for, and until when.
    promised: BTreeMap<(usize, usize, u64, Short), u64>,
}

impl KeepsBodies {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        Self {
            healthy: plan.healthy(),
            slot_ms: plan.options.lanes.slot_ms,
            window_ms: plan.options.lanes.window_ms,
            payloads: BTreeMap::new(),
            certified: BTreeMap::new(),
            told_ms: BTreeMap::new(),
            executed_ms: BTreeMap::new(),
            promised: BTreeMap::new(),
        }
    }

    const fn expiry_ms(&self, slot: u64) -> u64 {
        (slot + 1) * self.slot_ms + self.window_ms
    }

    fn of_lane(&mut self, node: usize, seen: &lanes::Seen) {
        match seen {
            lanes::Seen::Locked {
                lane,
                height,
                digest,
                payload,
                ..
            } => {
                self.payloads.insert((*lane, *height, *digest), *payload);
            }
            lanes::Seen::Certified { lane, height, .. } => {
                let certified = self.certified.entry((node, *lane)).or_insert(0);
                *certified = (*certified).max(*height);
            }
            lanes::Seen::Acked {
                lane,
                height,
                slot,
                digest,
                ..
            } => {
                let certified = self.certified.get(&(node, *lane)).copied().unwrap_or(0);
                let told_ms = self.told_ms.get(&node).copied().unwrap_or(0);
                let expiry_ms = self.expiry_ms(*slot);
                let payload = self.payloads.get(&(*lane, *height, *digest)).copied();
                if let Some(payload) =
                    payload.filter(|_| *height > certified && expiry_ms >= told_ms)
                {
                    let promise = (node, *lane, *height, payload);
                    self.promised.insert(promise, expiry_ms);
                }
            }
            _ => {}
        }
    }
}

impl Property<Seen> for KeepsBodies {
    fn name(&self) -> &'static str {
        "keeps bodies"
    }

    fn sentence(&self) -> &'static str {
        "after a crash an honest node still has every live body that it acked or made"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        if let Seen::Lane(lanes::Seen::Told { to, finalized_ms }) = &seen.what {
            self.told_ms.insert(*to, *finalized_ms);
        }
        let Some(node) = seen.node.filter(|it| self.healthy.contains(it)) else {
            return Ok(0);
        };
        match &seen.what {
            Seen::Lane(seen) => self.of_lane(node, seen),
            Seen::Kept {
                lane,
                height,
                slot,
                payload,
                ..
            } if *lane == node => {
                let expiry_ms = self.expiry_ms(*slot);
                let promise = (node, *lane, *height, *payload);
                self.promised.insert(promise, expiry_ms);
            }
            Seen::Executed { time_ms, .. } => {
                self.executed_ms.insert(node, *time_ms);
            }
            Seen::Asked {
                lane,
                height,
                payload,
                found,
                ..
            } => {
                let executed_ms = self.executed_ms.get(&node).copied().unwrap_or(0);
                let expiry_ms = self
                    .promised
                    .get(&(node, *lane, *height, *payload))
                    .copied();
                if expiry_ms.is_none_or(|it| it < executed_ms) {
                    return Ok(0);
                }
                if !found {
                    let message = format!(
                        "the body at height {height} of lane {lane} is gone, which it answers for"
                    );
                    return Err(Violation::by(seen, message));
                }
                return Ok(1);
            }
            _ => {}
        }
        Ok(0)
    }
}
