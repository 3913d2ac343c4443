//! Takes transactions, and says what became of them.

#[cfg(test)]
mod tests;

use super::{
    error::{Code, Fault},
    index::Phase,
    server::Api,
};
use crate::{
    chunk::{self, Limits},
    deploy::Hexed,
    mempool::Answer,
    node::Deployment,
    transaction::Transaction,
};
use axum::{
    Json,
    body::Bytes,
    extract::{Path, Query, State, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use commonware_formatting::from_hex;
use drystone_engine::types::Digest;
use serde::{Deserialize, Serialize};
use std::{sync::Arc, time::Duration};
use tokio::time::timeout;

/// Transactions of one request that the mempool is handed in one message: others have their turns between.
const AT_ONCE: usize = 1_024;

/// A batch as JSON.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Batch {
    transactions: Vec<String>,
}

/// What became of one transaction that was submitted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "answer", rename_all = "snake_case")]
enum Taken {
    Accepted,
    Duplicate,
    Invalid { reason: String },
    Busy { retry_after_ms: u64 },
    Closed,
}

impl From<Answer> for Taken {
    fn from(answer: Answer) -> Self {
        match answer {
            Answer::Accepted => Self::Accepted,
            Answer::Duplicate => Self::Duplicate,
            Answer::Invalid(reason) => Self::Invalid {
                reason: reason.to_string(),
            },
            Answer::Busy { retry_after_ms } => Self::Busy { retry_after_ms },
            Answer::Closed => Self::Closed,
        }
    }
}

/// One that was not accepted.
#[derive(Serialize)]
struct Refused {
    index: usize,
    #[serde(flatten)]
    taken: Taken,
}

/// What became of a batch: those that were not accepted are listed.
#[derive(Default, Serialize)]
struct Summary {
    accepted: usize,
    refused: Vec<Refused>,
    #[serde(skip)]
    answered: usize,
}

impl Summary {
    /// Takes in the answers to the next ones.
    fn add(&mut self, answers: Vec<Answer>) {
        for answer in answers {
            match Taken::from(answer) {
                Taken::Accepted => self.accepted += 1,
                taken => self.refused.push(Refused {
                    index: self.answered,
                    taken,
                }),
            }
            self.answered += 1;
        }
    }
}

pub(super) async fn submit<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, Fault> {
    let body = body.map_err(|rejection| {
        let max = api.settings.body_bytes_max;
        let message = format!("{rejection}: a body has at most {max} bytes");
        Fault::new(Code::TooLarge, message)
    })?;
    let kind = headers.get(CONTENT_TYPE).and_then(|it| it.to_str().ok());
    match brought(kind, body)? {
        Brought::One(bytes) => one(&api, bytes).await,
        Brought::Many(transactions) => Ok(many(&api, transactions).await),
    }
}

/// What a client brings, nothing of it read.
#[derive(Debug, PartialEq, Eq)]
enum Brought {
    One(Bytes),
    Many(Vec<Bytes>),
}

/// Takes a body apart, by its media type. A batch without a transaction is malformed in either form.
fn brought(kind: Option<&str>, body: Bytes) -> Result<Brought, Fault> {
    match kind {
        Some(super::BATCH) => {
            let limits = Limits {
                bytes_max: u32::MAX,
                items_max: u32::MAX,
            };
            let batch = chunk::parse(&body, &limits).map_err(malformed)?;
            Ok(Brought::Many(batch))
        }
        Some(kind) if kind.starts_with("application/json") => {
            let batch: Batch = serde_json::from_slice(&body).map_err(malformed)?;
            if batch.transactions.is_empty() {
                return Err(malformed("a batch must hold at least 1 transaction"));
            }
            let read = |(index, text): (usize, &String)| {
                let bytes = from_hex(text).map(Bytes::from);
                bytes.ok_or_else(|| malformed(format!("transaction {index} is not hexadecimal")))
            };
            let transactions = batch.transactions.iter().enumerate().map(read);
            transactions.collect::<Result<_, _>>().map(Brought::Many)
        }
        _ => Ok(Brought::One(body)),
    }
}

fn malformed(reason: impl ToString) -> Fault {
    Fault::new(Code::Malformed, reason.to_string())
}

async fn one<D: Deployment>(api: &Api<D>, bytes: Bytes) -> Result<Response, Fault> {
    let transaction = Transaction::decode(&api.node.gate, own(&bytes));
    let transaction =
        transaction.map_err(|reason| Fault::new(Code::Invalid, reason.to_string()))?;
    let id = transaction.facts.id;
    let answers = api.node.mempool.submit_all(vec![Ok(transaction)]).await;
    let (status, answer) = match answers.into_iter().next().expect("an answer for each") {
        Answer::Accepted => (StatusCode::ACCEPTED, "accepted"),
        Answer::Duplicate => (StatusCode::OK, "duplicate"),
        Answer::Invalid(reason) => return Err(Fault::new(Code::Invalid, reason.to_string())),
        Answer::Busy { retry_after_ms } => {
            let reason = "there is no room, or this node is not in step with the chain";
            return Err(Fault::busy(reason, retry_after_ms));
        }
        Answer::Closed => {
            let reason = "this node follows blocks only: bring the transaction to another one";
            return Err(Fault::new(Code::Closed, reason));
        }
    };
    let body = serde_json::json!({ "id": id.to_string(), "answer": answer });
    Ok((status, Json(body)).into_response())
}

async fn many<D: Deployment>(api: &Api<D>, transactions: Vec<Bytes>) -> Response {
    let mut summary = Summary::default();
    for part in transactions.chunks(AT_ONCE) {
        let read = |it: &Bytes| Transaction::decode(&api.node.gate, own(it));
        let part = part.iter().map(read).collect();
        summary.add(api.node.mempool.submit_all(part).await);
    }
    (StatusCode::ACCEPTED, Json(summary)).into_response()
}

/// Copied: what is kept must not pin the rest of the request.
fn own(bytes: &Bytes) -> Bytes {
    Bytes::copy_from_slice(bytes)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wait {
    /// How long to wait until it is settled, in milliseconds.
    wait: Option<u64>,
}

pub(super) async fn status<D: Deployment>(
    State(api): State<Arc<Api<D>>>,
    Path(id): Path<String>,
    wait: Result<Query<Wait>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Phase>, Fault> {
    let Hexed(id) = id.parse::<Hexed<Digest>>().map_err(malformed)?;
    let Query(Wait { wait }) = wait.map_err(malformed)?;
    let wait = wait.unwrap_or_default().min(api.settings.wait_max_ms);
    if wait > 0 {
        // First the place among those who wait, then the question: nothing is missed between.
        let settled = api.watch.settled(id);
        if !api.watch.phase(&id).is_settled() {
            let _ = timeout(Duration::from_millis(wait), settled).await;
        }
    }
    Ok(Json(api.watch.phase(&id)))
}
