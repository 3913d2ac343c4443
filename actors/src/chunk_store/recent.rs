//! Chunks that came here not long ago, as they were opened and read then: whoever wants one before a block has executed it
//! need not read it from the disk, hash it and read its transactions again.
//!
//! It says nothing of what is here: the state does, and what is not among these lies on the disk. Each producer has room of
//! its own, and makes room for its newest chunks at the cost of its oldest. What no block executes goes when chain time has
//! moved on for long enough.

#[cfg(test)]
mod tests;

use crate::{chunk::Chunk, reference::Reference, transaction::Facts};
use bytes::Bytes;
use commonware_cryptography::PublicKey;
use drystone_engine::types::Digest;
use std::collections::BTreeMap;

/// See the module.
pub(super) struct Recent<P> {
    /// Of one producer, at most.
    bytes_max: u64,
    /// For so much chain time, at most.
    keep_ms: u64,
    chain_ms: u64,
    producers: BTreeMap<P, Shelf>,
}

/// The chunks of one producer.
#[derive(Default)]
struct Shelf {
    /// By the digest of the body, with its number in the order of arrival.
    chunks: BTreeMap<Digest, (u64, Chunk)>,
    /// By number: when it came, in chain time, and which it is.
    order: BTreeMap<u64, (u64, Digest)>,
    next: u64,
    bytes: u64,
}

/// What keeping a chunk takes: the body, and for each transaction the view and what was read off it.
fn size(chunk: &Chunk) -> u64 {
    let each = size_of::<Bytes>() + size_of::<Facts>();
    (chunk.body().len() + chunk.transactions().len() * each) as u64
}

impl<P: PublicKey> Recent<P> {
    pub const fn new(bytes_max: u64, keep_ms: u64) -> Self {
        Self {
            bytes_max,
            keep_ms,
            chain_ms: 0,
            producers: BTreeMap::new(),
        }
    }

    /// What all chunks take, in bytes.
    pub fn bytes(&self) -> u64 {
        self.producers.values().map(|it| it.bytes).sum()
    }

    /// The chain moved.
    pub fn advanced(&mut self, chain_ms: u64) {
        self.chain_ms = self.chain_ms.max(chain_ms);
        let before_ms = self.chain_ms.saturating_sub(self.keep_ms);
        self.producers.retain(|_, shelf| {
            while let Some((at_ms, oldest)) = shelf.order.values().next().copied()
                && at_ms < before_ms
            {
                shelf.remove(&oldest);
            }
            !shelf.chunks.is_empty()
        });
    }

    /// Keeps a chunk, if its producer may have so much.
    pub fn keep(&mut self, producer: &P, chunk: Chunk) {
        if size(&chunk) > self.bytes_max {
            return;
        }
        let shelf = self.producers.entry(producer.clone()).or_default();
        let digest = chunk.payload().digest;
        shelf.remove(&digest);
        shelf.bytes += size(&chunk);
        shelf.order.insert(shelf.next, (self.chain_ms, digest));
        shelf.chunks.insert(digest, (shelf.next, chunk));
        shelf.next += 1;
        while shelf.bytes > self.bytes_max
            && let Some((_, oldest)) = shelf.order.values().next().copied()
        {
            shelf.remove(&oldest);
        }
    }

    /// The chunk that a header names.
    pub fn get(&self, reference: &Reference<P>) -> Option<&Chunk> {
        let shelf = self.producers.get(&reference.sequencer)?;
        let (_, chunk) = shelf.chunks.get(&reference.place.digest)?;
        (chunk.payload() == reference.payload()).then_some(chunk)
    }

    /// A block has executed it.
    pub fn forget(&mut self, reference: &Reference<P>) {
        if let Some(shelf) = self.producers.get_mut(&reference.sequencer) {
            shelf.remove(&reference.place.digest);
            if shelf.chunks.is_empty() {
                self.producers.remove(&reference.sequencer);
            }
        }
    }
}

impl Shelf {
    fn remove(&mut self, digest: &Digest) {
        if let Some((number, chunk)) = self.chunks.remove(digest) {
            self.order.remove(&number);
            self.bytes -= size(&chunk);
        }
    }
}
