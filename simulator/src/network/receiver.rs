//! The receiving half of a channel.

use super::{Shared, world::Port};
use commonware_cryptography::PublicKey;
use commonware_p2p::Message;
use commonware_runtime::Clock;
use std::{
    fmt,
    future::{Future, poll_fn},
    num::NonZeroUsize,
    sync::Arc,
};

/// The channel was registered again, or its node taken down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the channel is closed: it was registered again or its node was taken down")]
pub struct Closed;

/// Receives on one channel of one node. Dropping it closes the channel: what arrives later is lost.
pub struct Receiver<P: PublicKey, E: Clock> {
    shared: Arc<Shared<P, E>>,
    port: Port,
}

impl<P: PublicKey, E: Clock> Receiver<P, E> {
    pub(super) const fn new(shared: Arc<Shared<P, E>>, port: Port) -> Self {
        Self { shared, port }
    }
}

impl<P: PublicKey, E: Clock> fmt::Debug for Receiver<P, E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver")
            .field("port", &self.port)
            .finish_non_exhaustive()
    }
}

impl<P: PublicKey, E: Clock> commonware_p2p::Receiver for Receiver<P, E> {
    type Error = Closed;
    type PublicKey = P;

    /// Pops the inbox or leaves a waker there. The future owns nothing, so dropping it in a select
    /// loses no message.
    fn recv(&mut self) -> impl Future<Output = Result<Message<P>, Closed>> + Send {
        poll_fn(|cx| {
            let arrival = self.shared.world.lock().poll(self.port, cx);
            arrival.map(|arrival| {
                let (from, body) = arrival.ok_or(Closed)?;
                Ok((self.shared.peers[from as usize].clone(), body))
            })
        })
    }

    fn capacity(&self) -> NonZeroUsize {
        self.shared.inbox_max
    }
}

impl<P: PublicKey, E: Clock> Drop for Receiver<P, E> {
    fn drop(&mut self) {
        self.shared.world.lock().close(self.port);
    }
}
