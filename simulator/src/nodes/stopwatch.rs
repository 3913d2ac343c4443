//! How long transfers take.

use super::observation::{Fate, Seen};
use crate::{
    Goal, Stamped,
    lanes::{Quantiles, Short},
};
use commonware_utils::sync::Mutex;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The goal that so many transfers are executed at every one of some nodes; and the times of all that led there.
#[derive(Clone)]
pub struct Stopwatch {
    nodes: BTreeSet<usize>,
    transfers: usize,
    record: Arc<Mutex<Record>>,
}

/// What a client wants, whichever version of it is executed: whose it is, and its nonce.
type Payment = (u16, u64);

#[derive(Default)]
struct Record {
    /// The payment that each version is of.
    payments: BTreeMap<Short, Payment>,
    /// When the first version of each payment was signed: its client brings it in the same moment. One that expires and is
    /// signed again has taken so much longer.
    begun_us: BTreeMap<Payment, u64>,
    /// When each height was final somewhere for the first time.
    final_us: BTreeMap<u64, u64>,
    /// When and at what height each was executed somewhere for the first time, and at how many nodes since.
    executed: BTreeMap<Short, (u64, u64, usize)>,
    last_us: BTreeMap<Short, u64>,
    done: usize,
    blocks: u64,
    tips: u64,
}

/// What it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Times {
    /// Transfers executed at every node.
    pub transfers: u64,
    /// Blocks final.
    pub blocks: u64,
    /// Certificates of lanes in them.
    pub tips: u64,
    /// From the first signature to the last execution at the last node.
    pub span_us: u64,
    /// How often a client had to sign again what had expired.
    pub signed_again: u64,
    /// From the first time that the client brings it to a block that stands for it being final at the first node.
    pub final_us: Quantiles,
    /// From the first time that the client brings it to its execution, durable, at the first node.
    pub executed_us: Quantiles,
    /// From the first time that the client brings it to its execution at the last node.
    pub everywhere_us: Quantiles,
}

impl Stopwatch {
    /// Stops when so many transfers are executed at all these nodes.
    pub fn new(nodes: impl IntoIterator<Item = usize>, transfers: usize) -> Self {
        Self {
            nodes: nodes.into_iter().collect(),
            transfers,
            record: Arc::default(),
        }
    }

    /// What it took until now.
    pub fn times(&self) -> Times {
        let record = self.record.lock();
        let since = |id: &Short, at_us: u64| at_us - record.begun_us[&record.payments[id]];
        let executed = record.executed.iter();
        let all = || executed.clone();
        let begin_us = record.begun_us.values().min().copied().unwrap_or(0);
        let end_us = record.last_us.values().max().copied().unwrap_or(begin_us);
        Times {
            transfers: record.done as u64,
            blocks: record.blocks,
            tips: record.tips,
            signed_again: (record.payments.len() - record.begun_us.len()) as u64,
            span_us: end_us - begin_us,
            final_us: Quantiles::of(
                all()
                    .map(|(id, (_, height, _))| since(id, record.final_us[height]))
                    .collect(),
            ),
            executed_us: Quantiles::of(all().map(|(id, it)| since(id, it.0)).collect()),
            everywhere_us: Quantiles::of(
                record
                    .last_us
                    .iter()
                    .map(|(id, at_us)| since(id, *at_us))
                    .collect(),
            ),
        }
    }
}

impl Goal<Seen> for Stopwatch {
    fn name(&self) -> &'static str {
        "transfers are executed"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let mut record = self.record.lock();
        let record = &mut *record;
        match &seen.what {
            Seen::Signed {
                id, from, nonce, ..
            } => {
                let payment = (*from, *nonce);
                record.payments.insert(*id, payment);
                record.begun_us.entry(payment).or_insert(seen.at_us);
            }
            Seen::Finalized { height, tips, .. } if !record.final_us.contains_key(height) => {
                record.final_us.insert(*height, seen.at_us);
                record.blocks += 1;
                record.tips += tips.len() as u64;
            }
            Seen::Executed {
                height, results, ..
            } if seen.node.is_some_and(|it| self.nodes.contains(&it)) => {
                for (id, _) in results.iter().filter(|it| it.1 == Fate::Executed) {
                    let first = (seen.at_us, *height, 0);
                    let (_, _, nodes) = record.executed.entry(*id).or_insert(first);
                    *nodes += 1;
                    if *nodes == self.nodes.len() {
                        record.done += 1;
                        record.last_us.insert(*id, seen.at_us);
                    }
                }
            }
            _ => {}
        }
    }

    fn reached(&self) -> bool {
        self.record.lock().done >= self.transfers
    }

    fn missing(&self) -> (Option<usize>, String) {
        let done = self.record.lock().done;
        (None, format!("{done} of {} are", self.transfers))
    }
}
