//! What bounds requests before anything is done for them.

use super::{
    error::{Code, Fault},
    server::Gauges,
};
use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse as _, Response},
    serve::Listener,
};
use std::{
    io::{self, ErrorKind},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
    sync::{OwnedSemaphorePermit, Semaphore},
    time::{Sleep, sleep, timeout},
};

/// How many requests may be under way, and how long each may take.
#[derive(Clone)]
pub(super) struct Limits {
    pub(super) requests: Arc<Semaphore>,
    pub(super) timeout: Duration,
    pub(super) gauges: Gauges,
}

/// Lets a request through, or says why not.
pub(super) async fn limit(State(limits): State<Limits>, request: Request, next: Next) -> Response {
    limits.gauges.requests.inc();
    let Ok(_permit) = limits.requests.clone().try_acquire_owned() else {
        limits.gauges.refused.inc();
        return Fault::busy("too many requests are under way here", 100).into_response();
    };
    match timeout(limits.timeout, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Fault::new(Code::TimedOut, "the request took too long").into_response(),
    }
}

/// Takes connections while there are not too many; more wait to be accepted.
pub(super) struct Door {
    pub(super) listener: TcpListener,
    pub(super) connections: Arc<Semaphore>,
    /// How long nothing may move on one.
    pub(super) idle: Duration,
}

/// A connection that gives its place back when it is closed. It is, when nothing has moved on it for too long: whoever says
/// nothing, or takes nothing, keeps nobody out.
pub(super) struct Connection {
    stream: TcpStream,
    idle: Duration,
    silent: Pin<Box<Sleep>>,
    _permit: OwnedSemaphorePermit,
}

impl Connection {
    /// Passes on what became of reading or writing; a wait that is too long is an error.
    fn moved<T>(
        &mut self,
        context: &mut Context<'_>,
        moved: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if moved.is_ready() {
            self.silent.set(sleep(self.idle));
            return moved;
        }
        self.silent
            .as_mut()
            .poll(context)
            .map(|()| Err(ErrorKind::TimedOut.into()))
    }
}

impl Listener for Door {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        let permit = self.connections.clone().acquire_owned().await;
        let permit = permit.expect("it is never closed");
        let (stream, from) = Listener::accept(&mut self.listener).await;
        // Answers are small and awaited.
        let _ = stream.set_nodelay(true);
        let connection = Connection {
            stream,
            idle: self.idle,
            silent: Box::pin(sleep(self.idle)),
            _permit: permit,
        };
        (connection, from)
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let moved = Pin::new(&mut self.stream).poll_read(context, buffer);
        self.moved(context, moved)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let moved = Pin::new(&mut self.stream).poll_write(context, bytes);
        self.moved(context, moved)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
