//! What became of a load.

use super::{LoadOptions, follow::Executed, usage::Usage};
use crate::{cli::Failure, unordered};
use comfy_table::{Table, presets::NOTHING};
use drystone_engine::types::Digest;
use serde_json::{Value, json};
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// Counts, and times.
#[derive(Default)]
pub(super) struct Report {
    due: u64,
    submitted: u64,
    requests: usize,
    open: unordered::Map<Digest, Instant>,
    refused: BTreeMap<String, u64>,
    skipped: u64,
    to_final: Vec<Duration>,
    to_executed: Vec<Duration>,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Report {
    pub(super) fn due(&mut self, total: u64) {
        self.due = total;
    }

    pub(super) fn submitted(&mut self, id: Digest, due: Instant) {
        self.submitted += 1;
        self.first.get_or_insert(due);
        self.open.insert(id, due);
    }

    pub(super) fn requested(&mut self) {
        self.requests += 1;
    }

    pub(super) const fn requests(&self) -> usize {
        self.requests
    }

    pub(super) fn open(&self) -> usize {
        self.open.len()
    }

    pub(super) fn executed(&self) -> u64 {
        self.to_executed.len() as u64
    }

    /// Takes in what a node answered to a batch; gives back what it refused.
    pub(super) fn answered(
        &mut self,
        ids: &[Digest],
        answer: Result<Value, Failure>,
    ) -> Vec<Digest> {
        let refused: Vec<(Digest, String)> = match answer {
            Ok(answer) => {
                let refused = answer["refused"].as_array().cloned().unwrap_or_default();
                let one = |it: &Value| {
                    let index = usize::try_from(it["index"].as_u64()?).ok()?;
                    let why = it["reason"].as_str().or(it["answer"].as_str())?;
                    Some((*ids.get(index)?, why.to_owned()))
                };
                refused.iter().filter_map(one).collect()
            }
            Err(failure) => ids
                .iter()
                .map(|it| (*it, failure.message.clone()))
                .collect(),
        };
        for (id, why) in &refused {
            self.open.remove(id);
            *self.refused.entry(why.clone()).or_default() += 1;
        }
        refused.into_iter().map(|(id, _)| id).collect()
    }

    /// Takes in a block; gives back what of it was ours, and whether it was executed.
    pub(super) fn block(&mut self, block: Executed) -> Vec<(Digest, bool)> {
        let mut ours = Vec::new();
        for id in block.done {
            if let Some(due) = self.open.remove(&id) {
                self.to_final
                    .push(block.finalized.saturating_duration_since(due));
                self.to_executed
                    .push(block.executed.saturating_duration_since(due));
                self.last = Some(block.executed);
                ours.push((id, true));
            }
        }
        // Only what is not executed elsewhere in the block, and is no mere copy, is skipped for good; it expires at the end.
        let skipped = block.skipped.into_iter();
        for id in skipped.filter(|it| self.open.contains_key(it)) {
            self.skipped += 1;
            ours.push((id, false));
        }
        ours
    }

    pub(super) fn answer(&mut self, options: &LoadOptions, usage: &Usage) -> Value {
        let executed = self.to_executed.len() as u64;
        let took = match (self.first, self.last) {
            (Some(first), Some(last)) => last.saturating_duration_since(first),
            _ => Duration::ZERO,
        };
        let throughput = if took.is_zero() {
            0.0
        } else {
            executed as f64 / took.as_secs_f64()
        };
        json!({
            "rate": options.rate,
            "seconds": options.seconds,
            "due": self.due,
            "submitted": self.submitted,
            "refused": self.refused,
            "executed": executed,
            "skipped": self.skipped,
            "open": self.open.len(),
            "executed_per_second": throughput.round(),
            "to_final_ms": percentiles(&mut self.to_final),
            "to_executed_ms": percentiles(&mut self.to_executed),
            "usage": usage.answer(executed),
        })
    }
}

fn percentiles(latencies: &mut [Duration]) -> Value {
    latencies.sort_unstable();
    let at = |share: usize| {
        let index = (latencies.len() * share / 100).min(latencies.len().saturating_sub(1));
        latencies.get(index).map(Duration::as_millis)
    };
    json!({ "p50": at(50), "p90": at(90), "p99": at(99), "max": at(100) })
}

/// The answer for people.
pub(super) fn table(answer: &Value) -> String {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    let text = |it: &Value| it.to_string();
    for name in [
        "due",
        "submitted",
        "refused",
        "executed",
        "skipped",
        "open",
        "executed_per_second",
    ] {
        table.add_row([name.to_owned(), text(&answer[name])]);
    }
    for name in ["to_final_ms", "to_executed_ms", "usage"] {
        for (part, value) in answer[name].as_object().into_iter().flatten() {
            table.add_row([format!("{name} {part}"), text(value)]);
        }
    }
    table.to_string()
}
