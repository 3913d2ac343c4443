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
    /// Headers that no block included yet and their bodies, by lane and height. What is included needs no body.
    headers: BTreeMap<(usize, u64), Vec<(Short, Short)>>,
    /// Who holds the bodies of these headers, and of those not proposed yet.
    stored: BTreeMap<Short, BTreeSet<usize>>,
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
            headers: BTreeMap::new(),
            stored: BTreeMap::new(),
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
        let headers = self.headers.get(&(lane, height));
        let body = headers.and_then(|it| it.iter().find(|(header, _)| *header == digest));
        let stored = body
            .and_then(|(_, payload)| self.stored.get(payload))
            .is_some_and(|it| it.contains(&node));
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
                    lane,
                    height,
                    digest,
                    payload,
                    ..
                },
                _,
            ) if self.included.get(lane).is_none_or(|it| it < height) => {
                let headers = self.headers.entry((*lane, *height)).or_default();
                if !headers.contains(&(*digest, *payload)) {
                    headers.push((*digest, *payload));
                }
            }
            (Seen::Stored { payload }, Some(node)) => {
                self.stored.entry(*payload).or_default().insert(node);
            }
            (Seen::Certified { lane, height, .. }, Some(node)) => {
                let highest = self.certified.entry((node, *lane)).or_insert(0);
                *highest = (*highest).max(*height);
            }
            (Seen::Included { lane, height, .. }, _) => {
                self.included.insert(*lane, *height);
                while let Some((&(of, at), _)) = self.headers.range((*lane, 0)..).next()
                    && (of, at) <= (*lane, *height)
                {
                    for (_, payload) in self.headers.remove(&(of, at)).expect("just seen") {
                        self.stored.remove(&payload);
                    }
                }
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
