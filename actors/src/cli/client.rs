//! Asks a node, over HTTP.

mod proven;

pub use proven::Proven;

use super::failure::{Exit, Failure};
use bytes::Bytes;
use proven::Judge;
use reqwest::{Method, Response, StatusCode};
use serde_json::Value;
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::sleep;

/// How long a transaction is waited for.
const WAIT_MS: u64 = 30_000;
/// For how long a node may be too busy to take a transaction.
const BUSY: Duration = Duration::from_secs(10);
/// How soon a client comes back then.
const COMES_BACK: Duration = Duration::from_millis(200);
/// Longer than a node lets anybody wait.
const TIMEOUT: Duration = Duration::from_secs(60);

/// A client of one node.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    node: String,
    /// Says which blocks are final, whatever a node says.
    judge: Option<Arc<Judge>>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client")
            .field("node", &self.node)
            .finish_non_exhaustive()
    }
}

impl Client {
    /// A client of the node at a URL.
    ///
    /// # Errors
    /// If the machine does not let it be one.
    pub fn new(node: &str) -> Result<Self, Failure> {
        // A proxy is for the outside; a node is next door.
        let http = reqwest::Client::builder().no_proxy().build();
        let http = http.map_err(|it| Failure::new(Exit::Unreachable, it))?;
        Ok(Self {
            http,
            node: node.trim_end_matches('/').to_owned(),
            judge: None,
        })
    }

    /// The same client, which believes validators and no node.
    pub(super) fn trusting(self, judge: Arc<Judge>) -> Self {
        Self {
            judge: Some(judge),
            ..self
        }
    }

    /// The node's URL.
    pub fn node(&self) -> &str {
        &self.node
    }

    /// A client of another node.
    pub fn of(&self, node: &str) -> Self {
        Self {
            http: self.http.clone(),
            node: node.trim_end_matches('/').to_owned(),
            judge: self.judge.clone(),
        }
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&'static str, Bytes)>,
    ) -> Result<Response, Failure> {
        let mut request = self
            .http
            .request(method, format!("{}{path}", self.node))
            .timeout(TIMEOUT);
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        request.send().await.map_err(|error| {
            let message = format!(
                "{} cannot be reached: {error}; is a node running there?",
                self.node
            );
            Failure::new(Exit::Unreachable, message)
        })
    }

    /// Asks for something.
    ///
    /// # Errors
    /// If the node cannot be reached, refuses, or has not got it.
    pub async fn get(&self, path: &str) -> Result<Value, Failure> {
        answer(self.send(Method::GET, path, None).await?).await
    }

    /// Asks for text.
    ///
    /// # Errors
    /// If the node cannot be reached, or refuses.
    pub async fn text(&self, path: &str) -> Result<String, Failure> {
        let response = self.send(Method::GET, path, None).await?;
        if response.status().is_success() {
            return response.text().await.map_err(broken);
        }
        Err(refused(response).await)
    }

    /// Hands something over.
    ///
    /// # Errors
    /// If the node cannot be reached, or refuses.
    pub async fn post(
        &self,
        path: &str,
        kind: &'static str,
        body: impl Into<Bytes>,
    ) -> Result<Value, Failure> {
        let body = Some((kind, body.into()));
        answer(self.send(Method::POST, path, body).await?).await
    }

    /// Asks the application something, in its own form.
    ///
    /// # Errors
    /// If the node cannot be reached, or refuses.
    pub async fn query(&self, request: impl Into<Bytes>) -> Result<Bytes, Failure> {
        let body = Some(("application/octet-stream", request.into()));
        let response = self.send(Method::POST, "/query", body).await?;
        if response.status().is_success() {
            return response.bytes().await.map_err(broken);
        }
        Err(refused(response).await)
    }

    /// Submits one transaction, and answers its id once it was accepted. Comes back to a node that is busy, as often as it says,
    /// but not for ever.
    ///
    /// # Errors
    /// If the node cannot be reached, or refuses it.
    pub async fn submit(&self, transaction: impl Into<Bytes>) -> Result<Value, Failure> {
        let (transaction, mut waited) = (transaction.into(), Duration::ZERO);
        loop {
            let body = Some(("application/octet-stream", transaction.clone()));
            let response = self.send(Method::POST, "/transactions", body).await?;
            if response.status() != StatusCode::SERVICE_UNAVAILABLE || waited >= BUSY {
                return answer(response).await;
            }
            sleep(COMES_BACK).await;
            waited += COMES_BACK;
        }
    }

    /// Waits until a transaction is settled, and answers what it came to.
    ///
    /// # Errors
    /// If the node cannot be reached, or the transaction was not executed.
    pub async fn settled(&self, id: &str) -> Result<Value, Failure> {
        let path = format!("/transactions/{id}?wait={WAIT_MS}");
        let mut answer = self.get(&path).await?;
        let text = |name: &str| answer[name].as_str().unwrap_or_default();
        let why = match (text("status"), text("result")) {
            ("final", "executed") => {
                answer["id"] = id.into();
                return Ok(answer);
            }
            ("final", result) => format!("was skipped in block {}: {result}", answer["height"]),
            ("invalid", _) => format!("became invalid: {}", text("reason")),
            ("expired", _) => "has expired".into(),
            (status, _) => format!("is not settled after {} s: {status}", WAIT_MS / 1_000),
        };
        let message = format!("transaction {id} {why}");
        Err(Failure::new(Exit::NotExecuted, message))
    }

    /// What is sent for as long as the node runs.
    ///
    /// # Errors
    /// If the node cannot be reached, or refuses.
    pub async fn events(&self) -> Result<Response, Failure> {
        let url = format!("{}/events?ids=1", self.node);
        let response = self.http.get(url).send().await;
        response.map_err(|it| Failure::new(Exit::Unreachable, it))
    }
}

fn broken(error: reqwest::Error) -> Failure {
    Failure::new(Exit::Unreachable, format!("the answer broke off: {error}"))
}

async fn answer(response: Response) -> Result<Value, Failure> {
    if !response.status().is_success() {
        return Err(refused(response).await);
    }
    let body = response.bytes().await.map_err(broken)?;
    serde_json::from_slice(&body)
        .map_err(|it| Failure::new(Exit::Refused, format!("the answer is no JSON: {it}")))
}

async fn refused(response: Response) -> Failure {
    let status = response.status();
    let exit = if status == StatusCode::NOT_FOUND {
        Exit::NotFound
    } else {
        Exit::Refused
    };
    let body = response.bytes().await.unwrap_or_default();
    let said = serde_json::from_slice::<Value>(&body).ok();
    let message = said.as_ref().and_then(|it| it["error"]["message"].as_str());
    let message = message.map_or_else(|| status.to_string(), ToOwned::to_owned);
    Failure::new(exit, message)
}
