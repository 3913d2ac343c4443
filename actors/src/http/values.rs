//! The executed state: values, proofs, the application's own answers.

use super::{
    error::{Code, Fault},
    server::Api,
};
use crate::node::Deployment;
use axum::{
    Json,
    body::Bytes,
    extract::{
        Path, Query, State,
        rejection::{BytesRejection, QueryRejection},
    },
};
use commonware_codec::Encode as _;
use commonware_formatting::{from_hex, hex};
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// 1 if the answer is to be proven.
    proof: Option<u8>,
}

/// What cannot be read is not served, and a node whose state is damaged stops.
fn failed<D: Deployment>(api: &Api<D>, error: impl ToString) -> Fault {
    let reason = error.to_string();
    api.damaged.send_replace(Some(reason.clone()));
    Fault::new(Code::Failed, reason)
}

pub(super) async fn value<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    Path(key): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let malformed = |reason: String| Fault::new(Code::Malformed, reason);
    let Query(Asked { proof }) = asked.map_err(|it| malformed(it.to_string()))?;
    let key = from_hex(&key)
        .filter(|it| !it.is_empty())
        .ok_or_else(|| malformed("a key is given in hexadecimal digits".into()))?;
    let proven = api.node.state.prove(&key).await;
    let proven = proven.map_err(|it| failed(&api, it))?;
    let proven = proven.ok_or_else(|| Fault::busy("there is no state yet", 1_000))?;
    Ok(Json(json!({
        "height": proven.head.height,
        "root": proven.root.to_string(),
        "value": proven.value.map(|it| hex(&it)),
        "proof": (proof == Some(1)).then(|| hex(&proven.proof.encode())),
    })))
}

pub(super) async fn query<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    body: Result<Bytes, BytesRejection>,
) -> Result<Bytes, Fault> {
    let body = body.map_err(|it| Fault::new(Code::TooLarge, it.to_string()))?;
    let answer = api.node.gate.query(&body).await;
    answer.map_err(|it| failed(&api, it))
}
