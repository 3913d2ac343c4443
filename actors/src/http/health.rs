//! What operators watch.

use super::{error::Fault, server::Api, status::Standing};
use crate::node::Deployment;
use axum::{Json, extract::State};
use rustix::time::{ClockId, clock_gettime};
use serde_json::{Value, json};
use std::sync::Arc;

/// The process answers.
pub(super) async fn live() -> Json<Value> {
    Json(json!({ "live": true }))
}

/// The node is in step with the chain, as far as it knows: it takes transactions, if it is one that does.
pub(super) async fn ready<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
) -> Result<Json<Value>, Fault> {
    let standing = Standing::of(&api).await;
    if !standing.in_step {
        let (executed, newest) = (standing.executed, standing.newest);
        // After a start it has heard of none that it has not executed.
        let message =
            format!("not in step with the chain: executed {executed} of {newest} blocks known");
        return Err(Fault::busy(message, 1_000));
    }
    Ok(Json(
        json!({ "ready": true, "executed": standing.executed }),
    ))
}

/// Every metric of the node.
pub(super) async fn metrics<D: Deployment>(State(api): State<Arc<Api<D>>>) -> String {
    let standing = Standing::of(&api).await;
    let height = i64::try_from(standing.finalized).unwrap_or(i64::MAX);
    api.gauges.height.set(height);
    let cpu = clock_gettime(ClockId::ProcessCPUTime);
    let ms = cpu.tv_sec * 1_000 + cpu.tv_nsec / 1_000_000;
    api.gauges.cpu_ms.set(ms);
    (api.metrics)()
}
