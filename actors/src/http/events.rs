//! Blocks as they become final and are executed, to whoever listens.

use super::{
    error::{Code, Fault},
    server::Api,
    watch::Event,
};
use crate::node::Deployment;
use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{
        Sse,
        sse::{Event as Sent, KeepAlive},
    },
};
use drystone_engine::types::Digest;
use futures::{Stream, stream};
use serde::Deserialize;
use serde_json::json;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::broadcast::{Receiver, error::RecvError};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    /// 1 if the ids of transactions are to be sent.
    ids: Option<u8>,
}

pub(super) async fn events<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    asked: Result<Query<Asked>, QueryRejection>,
) -> Result<Sse<impl Stream<Item = Result<Sent, Infallible>>>, Fault> {
    let Query(Asked { ids }) = asked.map_err(|it| Fault::new(Code::Malformed, it.to_string()))?;
    let listening = (api.watch.events(), ids == Some(1));
    let events = stream::unfold(listening, |(mut events, ids)| async move {
        let sent = next(&mut events, ids).await?;
        Some((Ok(sent), (events, ids)))
    });
    Ok(Sse::new(events).keep_alive(KeepAlive::default()))
}

async fn next(events: &mut Receiver<Event>, ids: bool) -> Option<Sent> {
    Some(match events.recv().await {
        Ok(Event::Final {
            height,
            block,
            time_ms,
            tips,
        }) => {
            let data = json!({
                "height": height, "block": block.to_string(), "time_ms": time_ms, "tips": tips,
            });
            Sent::default().event("final").data(data.to_string())
        }
        Ok(Event::Executed {
            height,
            root,
            ids: of,
        }) => {
            let (executed, skipped) = &*of;
            let mut data = json!({
                "height": height, "root": root.to_string(),
                "executed": executed.len(), "skipped": skipped.len(),
            });
            if ids {
                let list = |it: &[Digest]| it.iter().map(ToString::to_string).collect::<Vec<_>>();
                data["executed_ids"] = list(executed).into();
                data["skipped_ids"] = list(skipped).into();
            }
            Sent::default().event("executed").data(data.to_string())
        }
        // A slow reader: what it lost it can see by the heights, and ask for.
        Err(RecvError::Lagged(lost)) => Sent::default().event("lost").data(lost.to_string()),
        Err(RecvError::Closed) => return None,
    })
}
