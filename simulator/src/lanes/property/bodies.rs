//! An ack promises the body.

use crate::{
    Property, Stamped, Violation,
    lanes::{
        observation::{Seen, Short},
        options::Options,
    },
    property::Verdict,
};
use std::collections::{BTreeMap, BTreeSet};

/// What an honest validator acks is stored there, or covered by a certificate it took, or expired by the chain time it
/// was told: local clocks do not count.
pub struct BodiesBeforeAcks {
    healthy: BTreeSet<usize>,
    slot_ms: u64,
    window_ms: u64,
    /// The body of each header.
    payloads: BTreeMap<Short, Short>,
    stored: BTreeSet<(usize, Short)>,
    certified: BTreeMap<(usize, usize), u64>,
    included: BTreeMap<usize, u64>,
    told_ms: BTreeMap<usize, u64>,
}

impl BodiesBeforeAcks {
    pub fn new(healthy: BTreeSet<usize>, options: &Options) -> Self {
        Self {
            healthy,
            slot_ms: options.slot_ms,
            window_ms: options.window_ms,
            payloads: BTreeMap::new(),
            stored: BTreeSet::new(),
            certified: BTreeMap::new(),
            included: BTreeMap::new(),
            told_ms: BTreeMap::new(),
        }
    }

    fn acked(
        &self,
        seen: &Stamped<Seen>,
        node: usize,
        lane: usize,
        height: u64,
        slot: u64,
        digest: Short,
    ) -> Verdict {
        let body = self.payloads.get(&digest);
        let stored = body.is_some_and(|it| self.stored.contains(&(node, *it)));
        let certified = self
            .certified
            .get(&(node, lane))
            .is_some_and(|it| *it >= height);
        let included = self.included.get(&lane).is_some_and(|it| *it >= height);
        let told_ms = self.told_ms.get(&node).copied().unwrap_or(0);
        let expired = (slot + 1) * self.slot_ms + self.window_ms < told_ms;
        if stored || certified || included || expired {
            return Ok(1);
        }
        Err(Violation::by(
            seen,
            format!(
                "acked height {height} of lane {lane} without its body, which is live at chain time {told_ms}"
            ),
        ))
    }
}

impl Property<Seen> for BodiesBeforeAcks {
    fn name(&self) -> &'static str {
        "bodies before acks"
    }

    fn sentence(&self) -> &'static str {
        "what an honest validator acks is durable there, certified, included, or expired by chain time"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        match (&seen.what, seen.node) {
            (
                Seen::Locked {
                    digest, payload, ..
                },
                _,
            ) => {
                self.payloads.insert(*digest, *payload);
            }
            (Seen::Stored { payload }, Some(node)) => {
                self.stored.insert((node, *payload));
            }
            (Seen::Certified { lane, height, .. }, Some(node)) => {
                let highest = self.certified.entry((node, *lane)).or_insert(0);
                *highest = (*highest).max(*height);
            }
            (Seen::Included { lane, height, .. }, _) => {
                self.included.insert(*lane, *height);
            }
            (Seen::Told { to, finalized_ms }, _) => {
                let told = self.told_ms.entry(*to).or_insert(0);
                *told = (*told).max(*finalized_ms);
            }
            (
                Seen::Acked {
                    lane,
                    height,
                    slot,
                    digest,
                    ..
                },
                Some(node),
            ) if self.healthy.contains(&node) => {
                return self.acked(seen, node, *lane, *height, *slot, *digest);
            }
            _ => {}
        }
        Ok(0)
    }
}
