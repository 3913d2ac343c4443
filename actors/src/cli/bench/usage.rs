//! What the nodes used.

use super::super::{client::Client, failure::Failure};
use serde_json::{Value, json};
use std::ops::Sub;

/// What all nodes together have used so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Usage {
    cpu_seconds: f64,
    syncs: f64,
    blocks: f64,
    nodes: f64,
}

impl Usage {
    /// Asks every node.
    pub(super) async fn of(nodes: &[Client]) -> Result<Self, Failure> {
        let mut usage = Self::default();
        for node in nodes {
            let text = node.text("/metrics").await?;
            usage.cpu_seconds += value(&text, "http_process_cpu_ms") / 1_000.0;
            usage.syncs += value(&text, "runtime_storage_syncs_total");
            usage.blocks += value(&text, "node_executor_height");
            usage.nodes += 1.0;
        }
        Ok(usage)
    }

    pub(super) fn answer(&self, executed: u64) -> Value {
        let per =
            |count: f64, of: f64| (of > 0.0).then(|| (count / of * 1_000.0).round() / 1_000.0);
        let blocks = self.blocks / self.nodes.max(1.0);
        json!({
            "nodes_cpu_seconds": (self.cpu_seconds * 100.0).round() / 100.0,
            "cpu_us_per_transaction": per(self.cpu_seconds * 1e6, executed as f64),
            "blocks": blocks,
            "syncs_per_block_and_node": per(self.syncs / self.nodes.max(1.0), blocks),
        })
    }
}

impl Sub for Usage {
    type Output = Self;

    fn sub(self, before: Self) -> Self {
        Self {
            cpu_seconds: self.cpu_seconds - before.cpu_seconds,
            syncs: self.syncs - before.syncs,
            blocks: self.blocks - before.blocks,
            nodes: self.nodes,
        }
    }
}

/// The sum of a metric over its labels.
fn value(text: &str, name: &str) -> f64 {
    let lines = text.lines().filter_map(|it| it.strip_prefix(name));
    let values = lines.filter(|it| it.starts_with([' ', '{']));
    let values = values.filter_map(|it| it.rsplit(' ').next()?.parse::<f64>().ok());
    values.sum()
}
