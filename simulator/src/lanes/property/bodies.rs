//! An ack promises the body.

use crate::{
    Property, Stamped, Violation,
    lanes::{
        observation::{Seen, Short},
        options::Options,
    },
    property::{Kinds, Verdict},
};
use drystone_actors::unordered::Map;
use std::collections::{BTreeMap, BTreeSet};

/// What an honest validator acks is stored there, or covered by a certificate it took or by a block it was told of, or
/// expired by the chain time it was told: local clocks do not count, nor what the chain did elsewhere.
pub struct BodiesBeforeAcks {
    healthy: BTreeSet<usize>,
    slot_ms: u64,
    window_ms: u64,
    /// Headers and their bodies, by lane and height, until every honest node was told that they are included: from then
    /// on nobody needs the body.
    headers: BTreeMap<(usize, u64), Vec<(Short, Short)>>,
    /// The bodies of these headers, and of those not proposed yet.
    bodies: Map<Short, Body>,
    certified: BTreeMap<(usize, usize), u64>,
    /// By chain time, the blocks that some honest node was not told of.
    blocks: BTreeMap<u64, Block>,
    /// How far each lane is included, as each honest node was told.
    included: BTreeMap<(usize, usize), u64>,
    /// How far each lane is included, as every honest node was told.
    settled: BTreeMap<usize, u64>,
    told_ms: BTreeMap<usize, u64>,
}

/// A body, and how far it is known.
#[derive(Default)]
struct Body {
    /// How many headers name it: two sequencers may pack the same.
    named: usize,
    /// Who holds it.
    holders: Vec<usize>,
}

/// What a block includes, and which of the honest nodes were told.
#[derive(Default)]
struct Block {
    lanes: Vec<(usize, u64)>,
    told: BTreeSet<usize>,
}

impl BodiesBeforeAcks {
    pub fn new(healthy: BTreeSet<usize>, options: &Options) -> Self {
        Self {
            healthy,
            slot_ms: options.slot_ms,
            window_ms: options.window_ms,
            headers: BTreeMap::new(),
            bodies: Map::default(),
            certified: BTreeMap::new(),
            blocks: BTreeMap::new(),
            included: BTreeMap::new(),
            settled: BTreeMap::new(),
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
        // Nearly every one is.
        let body = body.and_then(|(_, payload)| self.bodies.get(payload));
        if body.is_some_and(|it| it.holders.contains(&node)) {
            return Ok(1);
        }
        let covers = |upto: &BTreeMap<(usize, usize), u64>| {
            upto.get(&(node, lane)).is_some_and(|it| *it >= height)
        };
        let told_ms = self.told_ms.get(&node).copied().unwrap_or(0);
        let expired = (slot + 1) * self.slot_ms + self.window_ms < told_ms;
        if covers(&self.certified) || covers(&self.included) || expired {
            return Ok(1);
        }
        Err(Violation::by(
            seen,
            format!(
                "acked height {height} of lane {lane} without its body, which is live at chain time {told_ms}"
            ),
        ))
    }

    /// An honest node was told of a block, and so of all before it: word of those may come later.
    fn told(&mut self, node: usize, block_ms: u64) {
        let mut told = Vec::new();
        for (at_ms, block) in self.blocks.range_mut(..=block_ms) {
            if !block.told.insert(node) {
                continue;
            }
            for (lane, height) in &block.lanes {
                let included = self.included.entry((node, *lane)).or_insert(0);
                *included = (*included).max(*height);
            }
            if block.told.len() == self.healthy.len() {
                told.push(*at_ms);
            }
        }
        for at_ms in told {
            let block = self.blocks.remove(&at_ms).expect("just seen");
            for (lane, height) in block.lanes {
                self.settle(lane, height);
            }
        }
    }

    fn settle(&mut self, lane: usize, height: u64) {
        let settled = self.settled.entry(lane).or_insert(0);
        *settled = (*settled).max(height);
        while let Some((&place, _)) = self.headers.range((lane, 0)..=(lane, height)).next() {
            for (_, payload) in self.headers.remove(&place).expect("just seen") {
                if let Some(body) = self.bodies.get_mut(&payload) {
                    body.named -= 1;
                    if body.named == 0 {
                        self.bodies.remove(&payload);
                    }
                }
            }
        }
    }
}

impl Property<Seen> for BodiesBeforeAcks {
    fn name(&self) -> &'static str {
        "bodies before acks"
    }

    fn sentence(&self) -> &'static str {
        "what an honest validator acks is durable there, certified, or by what it was told of the chain included or expired"
    }

    fn kinds(&self) -> Kinds {
        Some(&["locked", "stored", "certified", "included", "told", "acked"])
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
            ) if self.settled.get(lane).is_none_or(|it| it < height) => {
                let headers = self.headers.entry((*lane, *height)).or_default();
                if !headers.contains(&(*digest, *payload)) {
                    headers.push((*digest, *payload));
                    self.bodies.or_default(*payload).named += 1;
                }
            }
            (Seen::Stored { payload }, Some(node)) => {
                let holders = &mut self.bodies.or_default(*payload).holders;
                if !holders.contains(&node) {
                    holders.push(node);
                }
            }
            (Seen::Certified { lane, height, .. }, Some(node)) => {
                let highest = self.certified.entry((node, *lane)).or_insert(0);
                *highest = (*highest).max(*height);
            }
            (
                Seen::Included {
                    block_ms,
                    lane,
                    height,
                    ..
                },
                _,
            ) => {
                let block = self.blocks.entry(*block_ms).or_default();
                block.lanes.push((*lane, *height));
            }
            (Seen::Told { to, finalized_ms }, _) => {
                let told = self.told_ms.entry(*to).or_insert(0);
                *told = (*told).max(*finalized_ms);
                if self.healthy.contains(to) {
                    self.told(*to, *finalized_ms);
                }
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
