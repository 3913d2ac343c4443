//! Listens, and leads each request to its handler.

use super::{
    blocks,
    error::{Code, Fault},
    events, health,
    limits::{Door, Limits, limit},
    status, transactions, values,
    watch::Watch,
};
use crate::{
    block::Parameters,
    deploy::HttpSettings,
    node::{Deployment, Node},
};
use axum::{
    Router,
    body::to_bytes,
    extract::DefaultBodyLimit,
    http::{Method, Uri, header::CONTENT_TYPE},
    middleware::{from_fn_with_state, map_response},
    response::{IntoResponse as _, Response},
    routing::{get, post},
};
use commonware_runtime::{
    Metrics,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _},
};
use drystone_engine::types::Digest;
use std::{future::Future, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    select,
    sync::{Semaphore, watch},
};

/// What does not change while a node runs.
#[derive(Clone, Debug)]
pub struct About {
    /// What people call the deployment.
    pub deployment: String,
    /// Its digest.
    pub genesis: Digest,
    /// What its blocks keep to.
    pub parameters: Arc<Parameters>,
    /// This node's key, in hexadecimal digits.
    pub me: String,
    /// Whether it votes.
    pub validator: bool,
    /// Whether it has a lane.
    pub sequencer: bool,
    /// Other nodes that take part.
    pub peers: usize,
    /// The version of the program.
    pub version: &'static str,
}

/// What handlers share.
pub struct Api<D: Deployment> {
    pub(super) node: Node<D>,
    pub(super) watch: Watch<D::PublicKey>,
    pub(super) about: About,
    pub(super) settings: HttpSettings,
    pub(super) metrics: Box<dyn Fn() -> String + Send + Sync>,
    pub(super) gauges: Gauges,
    /// Why what was to be served could not be read.
    pub(super) damaged: watch::Sender<Option<String>>,
}

impl<D: Deployment> Api<D> {
    /// What handlers share. `context` has the metrics of the whole node.
    pub fn new<E: Metrics>(
        context: E,
        node: Node<D>,
        watch: Watch<D::PublicKey>,
        about: About,
        settings: HttpSettings,
    ) -> Self {
        Self {
            gauges: Gauges::new(&context),
            metrics: Box::new(move || context.encode()),
            node,
            watch,
            about,
            settings,
            damaged: watch::Sender::new(None),
        }
    }
}

/// What is counted here.
#[derive(Clone)]
pub(super) struct Gauges {
    pub(super) requests: Counter,
    pub(super) refused: Counter,
    pub(super) height: Gauge,
    pub(super) cpu_ms: Gauge,
}

impl Gauges {
    fn new(context: &impl Metrics) -> Self {
        Self {
            requests: context.counter("requests", "requests of clients"),
            refused: context.counter("refused", "requests refused because others were under way"),
            height: context.gauge("finalized_height", "newest final block here"),
            cpu_ms: context.gauge(
                "process_cpu_ms",
                "processor time of the process, in milliseconds",
            ),
        }
    }
}

/// Where a node is listening, and the task that serves.
pub struct Served<F> {
    /// The address, with the port that was chosen if none was asked for.
    pub address: SocketAddr,
    /// Ends once it was told to, and no request is under way any more; or with the reason, once something could not be read.
    pub task: F,
}

/// Listens for clients until `stopped` resolves.
///
/// # Errors
/// If the address cannot be listened at.
pub async fn serve<D: Deployment>(
    api: Api<D>,
    stopped: impl Future<Output = ()> + Send + 'static,
) -> io::Result<Served<impl Future<Output = Result<(), String>> + Send>> {
    let settings = api.settings.clone();
    let longest = Duration::from_millis(settings.timeout_ms.get() + settings.wait_max_ms);
    let limits = Limits {
        requests: Arc::new(Semaphore::new(settings.requests_max)),
        timeout: longest,
        gauges: api.gauges.clone(),
    };
    let mut damaged = api.damaged.subscribe();
    let router = Router::new()
        .route("/transactions", post(transactions::submit::<D>))
        .route("/transactions/{id}", get(transactions::status::<D>))
        .route("/blocks/{name}", get(blocks::block::<D>))
        .route("/state/{key}", get(values::value::<D>))
        .route("/query", post(values::query::<D>))
        .route("/status", get(status::status::<D>))
        .route("/events", get(events::events::<D>))
        .layer(DefaultBodyLimit::max(settings.body_bytes_max))
        .layer(from_fn_with_state(limits, limit))
        // What operators watch is answered however busy the node is.
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready::<D>))
        .route("/metrics", get(health::metrics::<D>))
        .fallback(nowhere)
        .method_not_allowed_fallback(not_so)
        .layer(map_response(in_json))
        .with_state(Arc::new(api));
    let listener = TcpListener::bind(settings.listen).await?;
    let address = listener.local_addr()?;
    let door = Door {
        listener,
        connections: Arc::new(Semaphore::new(settings.connections_max)),
        idle: longest + IDLE,
    };
    let mut found = damaged.clone();
    let stopped = async move {
        select! {
            () = stopped => {},
            _ = found.wait_for(Option::is_some) => {},
        }
    };
    let serving = axum::serve(door, router).with_graceful_shutdown(stopped);
    Ok(Served {
        address,
        task: async move {
            serving.await.map_err(|it| it.to_string())?;
            damaged.borrow_and_update().clone().map_or(Ok(()), Err)
        },
    })
}

/// How much longer than the longest request a connection may be silent.
const IDLE: Duration = Duration::from_secs(5);

/// What is refused before a handler sees it is refused in JSON as well.
async fn in_json(response: Response) -> Response {
    let kind = response.headers().get(CONTENT_TYPE);
    let json = kind.is_some_and(|it| it.as_bytes().starts_with(b"application/json"));
    let status = response.status();
    if json || !status.is_client_error() {
        return response;
    }
    let (_, body) = response.into_parts();
    // A few words of the framework's.
    let said = to_bytes(body, 1_024).await.unwrap_or_default();
    let said = String::from_utf8_lossy(&said);
    let message = format!("{}: {said}", status.canonical_reason().unwrap_or("refused"));
    Fault::new(Code::Malformed, message).into_response()
}

async fn nowhere(uri: Uri) -> Fault {
    let message = format!("there is nothing at {}", uri.path());
    Fault::new(Code::NotFound, message)
}

async fn not_so(method: Method, uri: Uri) -> Fault {
    let message = format!("{method} means nothing at {}", uri.path());
    Fault::new(Code::NotAllowed, message)
}
