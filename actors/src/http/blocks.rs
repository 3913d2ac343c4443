//! Final blocks.

use super::{
    error::{Code, Fault},
    index::result,
    server::Api,
};
use crate::{
    block::Block,
    deploy::Hexed,
    executor::Record,
    node::{Deployment, Nouns},
    orderer::Orderer as _,
};
use axum::{
    Json,
    extract::{Path, Query, State, rejection::QueryRejection},
};
use commonware_codec::Encode as _;
use commonware_formatting::hex;
use drystone_engine::types::Digest;
use serde::Deserialize;
use serde_json::{Value, json};
use std::sync::Arc;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// 1 if the answer is to be proven.
    proof: Option<u8>,
}

pub(super) async fn block<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    Path(name): Path<String>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Json<Value>, Fault> {
    let Query(Asked { proof }) = asked.map_err(|it| Fault::new(Code::Malformed, it.to_string()))?;
    let missing = || {
        Fault::new(
            Code::NotFound,
            format!("block {name} is not here, or not final"),
        )
    };
    let orderer = &api.node.orderer;
    let block = if let Ok(height) = name.parse() {
        orderer.at(height).await.ok_or_else(missing)?
    } else {
        let wanted = "a block is named by its height or by its digest, 64 hexadecimal digits";
        let Hexed(digest) = name
            .parse::<Hexed<Digest>>()
            .map_err(|_| Fault::new(Code::Malformed, wanted))?;
        let block = orderer.named(digest).await.ok_or_else(missing)?;
        // What was proposed is not yet final.
        let ordered = orderer.at(block.height).await.ok_or_else(missing)?;
        if ordered.digest() != digest {
            return Err(missing());
        }
        block
    };
    let record = api.node.executor.record(block.height).await;
    let mut answer = describe(&api, &block, record.ok().flatten().as_ref());
    if proof == Some(1) {
        // A block may be final by the one above it alone: then there is nothing that shows it by itself.
        let finality = orderer.finality(block.height).await;
        answer["proof"] = json!({
            "block": hex(&block.encode()),
            "finality": finality.map(|it| hex(&it.encode())),
        });
    }
    Ok(Json(answer))
}

fn describe<D: Deployment>(
    api: &Api<D>,
    block: &Block<Nouns<D>>,
    record: Option<&Record<Nouns<D>>>,
) -> Value {
    let tips = block.tips.iter().map(|it| {
        let tip = it.tip();
        json!({
            "sequencer": hex(&it.sequencer().encode()),
            "height": tip.height,
            "slot": tip.slot,
            "digest": tip.digest.to_string(),
        })
    });
    let executed = record.map(|record| {
        let results = record.results.entries.iter();
        let results =
            results.map(|it| json!({ "id": it.id.to_string(), "result": result(&it.fate) }));
        json!({ "root": record.root.to_string(), "transactions": results.collect::<Vec<_>>() })
    });
    json!({
        "height": block.height,
        "digest": block.digest().to_string(),
        "parent": block.parent.to_string(),
        "epoch": api.about.parameters.epoch(block.height),
        "timestamp_ms": block.timestamp_ms,
        "certifies": { "height": block.executed.height, "root": block.executed.root.to_string() },
        "tips": tips.collect::<Vec<_>>(),
        "executed": executed,
    })
}
