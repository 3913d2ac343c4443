//! What the builder asks of whoever keeps the bodies.

use crate::chunk::Chunk;
use commonware_utils::channel::oneshot;

/// Keeps the bodies of chunks. The chunk store's mailbox is one.
pub trait Bodies: Clone + Send + 'static {
    /// Makes the body of an own chunk durable, before any header names it. Answered once the body is
    /// synced; dropping the sender means that it is not kept, and its transactions go back.
    fn persist(&mut self, chunk: Chunk) -> oneshot::Receiver<()>;
}
