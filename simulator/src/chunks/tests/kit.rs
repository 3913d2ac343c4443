//! What these tests bring to a cluster, and ask of a run.

use crate::{
    Fault, Scenario,
    chunks::{
        Action, Chunks, Kind, Operation, Options,
        observation::{Answer, Seen},
    },
    lanes::{self, Short},
    plan::Links,
    testing::Run,
    time::millis,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

/// A cluster whose clients bring what the test says and nothing else.
pub fn cluster(options: Options) -> Scenario<Chunks> {
    let nodes = options.lanes.validators[0].len();
    Scenario::<Chunks>::cluster(nodes).quiet().options(options)
}

/// When the first payments come. Until the first block is executed, soon after a second, a mempool does not know what time it
/// is, and finds that everything expires too far in the future.
pub const BEGIN_US: u64 = millis(1_100);

/// So long a payment lives that every run must settle it.
pub const LIFETIME_MS: u64 = 3 * 3_600_000;

/// A client brings a payment to a node.
pub fn pays(to: usize, number: u32) -> Action {
    Action::Submit(Operation {
        to: vec![to],
        account: 7,
        number,
        bytes: 100,
        lifetime_ms: LIFETIME_MS,
        kind: Kind::Good,
    })
}

/// Payments of such numbers come to a node, one every 20 ms from a time on.
pub fn paying(
    scenario: Scenario<Chunks>,
    from_us: u64,
    to: usize,
    numbers: Range<u32>,
) -> Scenario<Chunks> {
    let first = numbers.start;
    numbers.fold(scenario, |scenario, number| {
        let at_us = from_us + u64::from(number - first) * 20_000;
        scenario.act(at_us, pays(to, number))
    })
}

/// Nothing that one node sends to another arrives.
pub const fn unheard(from: usize, to: usize) -> Fault {
    Fault::Loss {
        links: Links::One { from, to },
        ppm: 1_000_000,
    }
}

/// A body that was packed: when, by whom, which, and with what in it.
pub struct Pack<'a> {
    pub at_us: u64,
    pub node: usize,
    pub payload: Short,
    pub ids: &'a [Short],
}

impl Run<Seen> {
    /// Payments that a node accepted from clients.
    pub fn promised(&self, node: usize) -> BTreeSet<Short> {
        let promised = self.by(node).filter_map(|it| match it.what {
            Seen::Answered {
                id,
                answer: Answer::Accepted,
            } => Some(id),
            _ => None,
        });
        promised.collect()
    }

    /// Payments that a node executed, and when.
    pub fn executed(&self, node: usize) -> BTreeMap<Short, u64> {
        let mut executed = BTreeMap::new();
        for it in self.by(node) {
            if let Seen::Executed { ids, .. } = &it.what {
                executed.extend(ids.iter().map(|id| (*id, it.at_us)));
            }
        }
        executed
    }

    /// Every body that was packed, in their order.
    pub fn packed(&self) -> Vec<Pack<'_>> {
        let packed = self.seen().filter_map(|it| match &it.what {
            Seen::Packed { payload, ids } => Some(Pack {
                at_us: it.at_us,
                node: it.node?,
                payload: *payload,
                ids,
            }),
            _ => None,
        });
        packed.collect()
    }

    /// Certificates of a lane that a node took: when, and of which height.
    pub fn certified(&self, node: usize, of: usize) -> Vec<(u64, u64)> {
        let certified = self.by(node).filter_map(|it| match it.what {
            Seen::Lane(lanes::Seen::Certified { lane, height, .. }) if lane == of => {
                Some((it.at_us, height))
            }
            _ => None,
        });
        certified.collect()
    }

    /// When the bodies of a lane came to a node, or its relay handed them out, by height.
    pub fn arrived(&self, node: usize, of: usize) -> BTreeMap<u64, u64> {
        let mut arrived = BTreeMap::new();
        for it in self.by(node) {
            if let Seen::Kept { lane, height, .. } | Seen::Fetched { lane, height, .. } = it.what
                && lane == of
            {
                arrived.entry(height).or_insert(it.at_us);
            }
        }
        arrived
    }

    /// What the chain included of a lane: when, and up to which height.
    pub fn included(&self, of: usize) -> Vec<(u64, u64)> {
        let included = self.seen().filter_map(|it| match it.what {
            Seen::Lane(lanes::Seen::Included { lane, height, .. }) if lane == of => {
                Some((it.at_us, height))
            }
            _ => None,
        });
        included.collect()
    }
}
