//! What the executor asks of the actors around it, and whom it tells.

use crate::{block, chunk_store, mempool, reference::Reference, relay};
use bytes::Bytes;
use commonware_cryptography::PublicKey;
use commonware_utils::channel::oneshot;
use drystone_engine::{
    Horizon,
    types::{Signed, Tip, Types},
};
use std::sync::Arc;

/// Knows the headers of every lane.
pub trait Lanes<T: Types>: Clone + Send + Sync + 'static {
    /// The headers of a lane above one place up to another, lowest first: answered once all of them are here. They are
    /// those that `to` leads down to by their digests; whether the lowest follows `above` is judged by whoever asks.
    /// `height` is that of the block whose tip `to` is: where they may lie once it is executed. When the receiver is
    /// dropped, nobody needs them any more. A dropped sender means "ask again".
    fn run(
        &self,
        height: u64,
        sequencer: &T::PublicKey,
        above: Tip,
        to: Tip,
    ) -> oneshot::Receiver<Vec<Arc<Signed<T>>>>;
}

/// Keeps bodies. The chunk store's mailbox is one.
pub trait Store<P: PublicKey>: Clone + Send + Sync + 'static {
    /// Asks for a body of a block. A dropped sender means "ask again".
    fn get(
        &self,
        reference: Reference<P>,
        height: u64,
    ) -> oneshot::Receiver<chunk_store::Found<chunk_store::Stored>>;

    /// Keeps the bodies of an executed block under its height. Answered once they are durable; asking again is
    /// harmless. A dropped sender means that the store has ended.
    fn accept(
        &self,
        height: u64,
        chunks: Vec<(Reference<P>, Option<Bytes>)>,
    ) -> oneshot::Receiver<chunk_store::Accepted<P>>;

    /// Asks which bodies of an executed block are not kept under its height. A dropped sender means that the store has
    /// ended.
    fn lacking(
        &self,
        height: u64,
        references: Vec<Reference<P>>,
    ) -> oneshot::Receiver<Vec<Reference<P>>>;
}

impl<P: PublicKey> Store<P> for chunk_store::Mailbox<P> {
    fn get(
        &self,
        reference: Reference<P>,
        height: u64,
    ) -> oneshot::Receiver<chunk_store::Found<chunk_store::Stored>> {
        self.gather(reference, height)
    }

    fn accept(
        &self,
        height: u64,
        chunks: Vec<(Reference<P>, Option<Bytes>)>,
    ) -> oneshot::Receiver<chunk_store::Accepted<P>> {
        Self::accept(self, height, chunks)
    }

    fn lacking(
        &self,
        height: u64,
        references: Vec<Reference<P>>,
    ) -> oneshot::Receiver<Vec<Reference<P>>> {
        Self::lacking(self, height, references)
    }
}

/// Fetches bodies. The relay's mailbox is one.
pub trait Fetcher<P: PublicKey>: Clone + Send + Sync + 'static {
    /// Fetches a body of a finalized block, for ever. A dropped sender means "ask again".
    fn fetch(&self, reference: Reference<P>, height: u64) -> oneshot::Receiver<relay::Fetched>;
}

impl<P: PublicKey> Fetcher<P> for relay::Mailbox<P> {
    fn fetch(&self, reference: Reference<P>, height: u64) -> oneshot::Receiver<relay::Fetched> {
        Self::fetch(self, reference, height)
    }
}

/// Whom the executor tells. Every call must return at once. All of it is monotone, and is said again after a restart.
pub trait Outlets<P>: Send + 'static {
    /// The chain moved: for the engine, the certificate pool and the chunk store. What is finalized is told when a block
    /// arrives here, what is executed when its state is durable.
    fn advanced(&mut self, horizon: Horizon<P>);

    /// A block was executed: the state after it, for who judges blocks, and what it executed, for the mempool. Said again
    /// at the start of what an earlier life executed last, with all transactions that could be repeated.
    fn executed(&mut self, state: block::Executed, transactions: mempool::Executed<P>);
}
