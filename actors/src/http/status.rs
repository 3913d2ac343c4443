//! How a node is.

use super::server::Api;
use crate::{node::Deployment, orderer::Orderer as _};
use axum::{Json, extract::State};
use serde_json::{Value, json};
use std::sync::Arc;

/// Where a node stands.
pub(super) struct Standing {
    /// The newest block known to be final, here or not.
    pub(super) newest: u64,
    /// The newest final block here.
    pub(super) finalized: u64,
    /// The newest executed block.
    pub(super) executed: u64,
    /// The root of the state after it.
    pub(super) root: Option<String>,
    /// Its time.
    pub(super) time_ms: u64,
    /// Whether it is in step with the chain, and takes transactions if it takes any.
    pub(super) in_step: bool,
}

impl Standing {
    pub(super) async fn of<D: Deployment>(api: &Api<D>) -> Self {
        let known = api.node.orderer.newest().await.unwrap_or_default();
        let progress = api.node.executor.progress().newest();
        let head = progress.as_ref().map(|it| it.head);
        let executed = head.map_or(0, |it| it.height);
        let finalized = api.watch.finalized().max(executed);
        let newest = known.max(finalized);
        let root = progress.and_then(|it| it.roots.get(&executed).map(ToString::to_string));
        Self {
            newest,
            finalized,
            executed,
            root,
            time_ms: head.map_or(0, |it| it.time_ms),
            in_step: api.node.is_in_step(),
        }
    }
}

/// The transport shows whom it is connected to in what it counts, and nowhere else.
const CONNECTED: &str = "network_tracker_directory_connected{";

fn connected(metrics: &str) -> usize {
    let lines = metrics.lines().filter(|it| it.starts_with(CONNECTED));
    lines.filter(|it| !it.ends_with(" 0")).count()
}

pub(super) async fn status<D: Deployment>(State(api): State<Arc<Api<D>>>) -> Json<Value> {
    let standing = Standing::of(&api).await;
    let about = &api.about;
    let waiting = api.node.mempool.usage().await.ok();
    let role = match (about.validator, about.sequencer) {
        (true, _) => "validator",
        (false, true) => "sequencer",
        (false, false) => "follower",
    };
    Json(json!({
        "deployment": about.deployment,
        "genesis": about.genesis.to_string(),
        "key": about.me,
        "height": standing.finalized,
        "newest": standing.newest,
        "executed": standing.executed,
        "root": standing.root,
        "time_ms": standing.time_ms,
        "epoch": about.parameters.epoch(standing.finalized + 1),
        "role": role,
        "mode": if standing.in_step { "synced" } else { "syncing" },
        "peers": { "known": about.peers, "connected": connected(&(api.metrics)()) },
        "waiting": waiting.map(|it| json!({ "transactions": it.items, "bytes": it.bytes })),
        "version": about.version,
    }))
}
