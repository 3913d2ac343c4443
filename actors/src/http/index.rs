//! What became of each transaction, for clients who ask by id. Pure: no clock, no disk, no await.

use crate::{
    executor::{Fate, Results},
    mempool::{Activity, Verdict},
    unordered,
};
use drystone_engine::types::Digest;
use serde::Serialize;
use std::collections::{BTreeMap, VecDeque};

/// How far a transaction has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "status", rename_all = "snake_case")]
pub enum Phase {
    /// It was accepted here, and waits.
    Pending,
    /// A chunk that holds it is certified: its bytes cannot be lost any more.
    Certified,
    /// A final block holds it, and was executed here.
    Final {
        /// The height of the block.
        height: u64,
        /// The block's digest.
        block: String,
        /// What it came to: `executed`, or why it was skipped.
        result: String,
    },
    /// Its time has passed.
    Expired,
    /// A block made it invalid before it was ordered.
    Invalid {
        /// Why.
        reason: String,
    },
    /// Nothing is known of it here: it was never here, or was forgotten.
    Unknown,
}

impl Phase {
    /// Whether it will stay so.
    pub const fn is_settled(&self) -> bool {
        matches!(
            self,
            Self::Final { .. } | Self::Expired | Self::Invalid { .. }
        )
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Known {
    Pending,
    Certified,
    /// In the results of a block.
    Settled {
        height: u64,
        entry: usize,
    },
    Expired,
    Invalid(String),
}

/// Of each block, its digest and what became of each of its transactions.
type Blocks = BTreeMap<u64, (Digest, Vec<Fate>)>;

fn fate(blocks: &Blocks, height: u64, entry: usize) -> Option<&Fate> {
    blocks.get(&height)?.1.get(entry)
}

/// Remembers a bounded number of transactions, those heard of last, and the results of the blocks they are in.
pub struct Index<P> {
    remembered_max: usize,
    transactions: unordered::Map<Digest, Known>,
    /// In the order they were heard of first.
    order: VecDeque<Digest>,
    /// Chunks that are not certified yet: what each lane holds, by height.
    chunks: BTreeMap<P, BTreeMap<u64, Vec<Digest>>>,
    /// Ids in them.
    uncertified: usize,
    certified: BTreeMap<P, u64>,
    blocks: Blocks,
}

impl<P: Ord + Clone> Index<P> {
    /// Remembers at most so many.
    pub fn new(remembered_max: usize) -> Self {
        Self {
            remembered_max,
            transactions: unordered::Map::default(),
            order: VecDeque::new(),
            chunks: BTreeMap::new(),
            uncertified: 0,
            certified: BTreeMap::new(),
            blocks: BTreeMap::new(),
        }
    }

    /// What is known of a transaction.
    pub fn phase(&self, id: &Digest) -> Phase {
        match self.transactions.get(id) {
            None => Phase::Unknown,
            Some(Known::Pending) => Phase::Pending,
            Some(Known::Certified) => Phase::Certified,
            Some(Known::Expired) => Phase::Expired,
            Some(Known::Invalid(reason)) => Phase::Invalid {
                reason: reason.clone(),
            },
            Some(Known::Settled { height, entry }) => {
                self.settled(*height, *entry).unwrap_or(Phase::Unknown)
            }
        }
    }

    /// Whether what is known of a transaction will stay so.
    pub fn is_settled(&self, id: &Digest) -> bool {
        match self.transactions.get(id) {
            None | Some(Known::Pending | Known::Certified) => false,
            Some(Known::Expired | Known::Invalid(_)) => true,
            Some(Known::Settled { height, entry }) => fate(&self.blocks, *height, *entry).is_some(),
        }
    }

    fn settled(&self, height: u64, entry: usize) -> Option<Phase> {
        let (block, fates) = self.blocks.get(&height)?;
        Some(Phase::Final {
            height,
            block: block.to_string(),
            result: result(fates.get(entry)?),
        })
    }

    /// The mempool reports.
    pub fn reported(&mut self, activity: &Activity<P>) {
        match activity {
            Activity::Accepted { id, .. } => self.learn(*id, Known::Pending),
            Activity::Left { id, verdict } => match verdict {
                // Its block says more.
                Verdict::Executed => {}
                Verdict::Expired => self.learn(*id, Known::Expired),
                Verdict::Invalid(reason) => self.learn(*id, Known::Invalid(reason.to_string())),
            },
        }
    }

    /// A chunk's body is here.
    pub fn kept(&mut self, sequencer: &P, height: u64, ids: &[Digest]) {
        if self
            .certified
            .get(sequencer)
            .is_some_and(|it| *it >= height)
        {
            ids.iter().for_each(|id| self.learn(*id, Known::Certified));
            return;
        }
        // Beyond the bound nothing is lost but the word "certified".
        if self.uncertified + ids.len() <= self.remembered_max {
            let lane = self.chunks.entry(sequencer.clone()).or_default();
            let before = lane.insert(height, ids.to_vec());
            self.uncertified += ids.len();
            self.uncertified -= before.map_or(0, |it| it.len());
        }
    }

    /// A lane is certified up to a height.
    pub fn certified(&mut self, sequencer: &P, height: u64) {
        let newest = self.certified.entry(sequencer.clone()).or_default();
        *newest = height.max(*newest);
        let Some(lane) = self.chunks.get_mut(sequencer) else {
            return;
        };
        let above = lane.split_off(&(height + 1));
        for (_, ids) in std::mem::replace(lane, above) {
            self.uncertified -= ids.len();
            ids.into_iter()
                .for_each(|id| self.learn(id, Known::Certified));
        }
    }

    /// A block was executed.
    pub fn executed(&mut self, results: &Results) {
        let height = results.height;
        if self.blocks.contains_key(&height) {
            return;
        }
        let mut fates = Vec::with_capacity(results.entries.len());
        for (entry, result) in results.entries.iter().enumerate() {
            fates.push(result.fate.clone());
            let settled = Known::Settled { height, entry };
            let Some(held) = self.transactions.get_mut(&result.id) else {
                self.learn(result.id, settled);
                continue;
            };
            let first = match held {
                Known::Settled { height: at, entry } if *at == height => fates.get(*entry),
                Known::Settled { height, entry } => fate(&self.blocks, *height, *entry),
                _ => None,
            };
            // A copy that was executed counts, wherever others are: and of those that were not, the last.
            if first != Some(&Fate::Executed) {
                *held = settled;
            }
        }
        self.blocks.insert(height, (results.block, fates));
    }

    fn learn(&mut self, id: Digest, known: Known) {
        let weak = matches!(known, Known::Pending | Known::Certified);
        match self.transactions.get_mut(&id) {
            // What is settled is not unsettled by a copy, nor what is certified.
            Some(held) => {
                let keeps = match held {
                    Known::Pending => false,
                    Known::Certified => known == Known::Pending,
                    Known::Settled { .. } => !matches!(known, Known::Settled { .. }),
                    Known::Expired | Known::Invalid(_) => weak && known != Known::Pending,
                };
                if !keeps {
                    *held = known;
                }
            }
            None => {
                self.transactions.insert(id, known);
                self.order.push_back(id);
                self.forget();
            }
        }
    }

    fn forget(&mut self) {
        while self.order.len() > self.remembered_max {
            let oldest = self.order.pop_front().expect("there are some");
            let known = self.transactions.remove(&oldest).expect("in both");
            // Blocks settle in their order, so those below this one's are asked for by nobody soon.
            if let Known::Settled { height, .. } = known {
                self.blocks = self.blocks.split_off(&height);
            }
        }
    }

    /// How many it remembers.
    pub const fn remembered_max(&self) -> usize {
        self.remembered_max
    }
}

/// What a transaction came to, in a word.
pub fn result(fate: &Fate) -> String {
    match fate {
        Fate::Executed => "executed".into(),
        Fate::Duplicate => "duplicate".into(),
        Fate::Untimely => "untimely".into(),
        Fate::Invalid(reason) => format!("invalid: {reason}"),
    }
}
