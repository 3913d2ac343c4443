//! Ties the actors to each other, and lets a watcher see.

use super::{Deployment, Nouns, Watcher as _, epochs::Epochs, step::Step};
use crate::{
    Bodies,
    block::{self, Block, rules::Invalid},
    certificate_pool, chain,
    chunk::Chunk,
    chunk_store, claims, executor,
    lane::{self, Reports},
    mempool,
    orderer::{Orderer as _, Sink, simplex::Simplex},
    reference::Reference,
};
use commonware_utils::{acknowledgement::Exact, channel::oneshot};
use drystone_engine::{
    Activity, Engine, Horizon,
    types::{Certificate, Digest, Signed, Tip},
};
use std::sync::{Arc, OnceLock};

/// Takes what the engine of the lanes reports.
pub struct Reporter<D: Deployment> {
    pub(super) inner: Reports<Nouns<D>, mempool::Mailbox<Nouns<D>>, D::Signers>,
    pub(super) chain: chain::Mailbox<Nouns<D>>,
    pub(super) watcher: D::Watcher,
}

impl<D: Deployment> Clone for Reporter<D> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            chain: self.chain.clone(),
            watcher: self.watcher.clone(),
        }
    }
}

impl<D: Deployment> drystone_engine::Reporter<Nouns<D>> for Reporter<D> {
    fn report(&self, activity: Activity<Nouns<D>>) {
        self.watcher.lanes(&activity);
        if let Activity::Certified(certificate) = &activity {
            self.chain.certified(certificate.clone());
        }
        self.inner.report(activity);
    }
}

/// Knows headers, for blocks.
pub(super) struct Headers<D: Deployment> {
    pub(super) engine: Engine<Nouns<D>>,
    pub(super) watcher: D::Watcher,
}

impl<D: Deployment> Clone for Headers<D> {
    fn clone(&self) -> Self {
        Self {
            engine: self.engine.clone(),
            watcher: self.watcher.clone(),
        }
    }
}

impl<D: Deployment> executor::Lanes<Nouns<D>> for Headers<D> {
    fn run(
        &self,
        height: u64,
        sequencer: &D::PublicKey,
        above: Tip,
        to: Tip,
    ) -> oneshot::Receiver<Vec<Arc<Signed<Nouns<D>>>>> {
        executor::Lanes::run(&self.engine, height, sequencer, above, to)
    }
}

impl<D: Deployment> chain::Source<Nouns<D>> for Headers<D> {
    fn certified(&self, certificate: Arc<Certificate<Nouns<D>>>) {
        self.engine.certified(certificate);
    }

    fn refused(&self, invalid: &Invalid<D::PublicKey>) {
        self.watcher.refused(invalid);
    }

    fn proposes(&self, order: &chain::Order<Nouns<D>>, block: Block<Nouns<D>>) -> Block<Nouns<D>> {
        self.watcher.proposes(order, block)
    }
}

/// Takes what the mempool reports.
pub struct Transactions<D: Deployment>(pub(super) D::Watcher);

impl<D: Deployment> Clone for Transactions<D> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<D: Deployment> mempool::Observer<D::PublicKey> for Transactions<D> {
    fn report(&self, activity: mempool::Activity<D::PublicKey>) {
        self.0.transaction(&activity);
    }
}

/// Keeps what the builder packs.
pub struct Shelf<D: Deployment> {
    pub(super) store: chunk_store::Mailbox<D::PublicKey>,
    pub(super) watcher: D::Watcher,
}

impl<D: Deployment> Clone for Shelf<D> {
    fn clone(&self) -> Self {
        Self {
            store: self.store.clone(),
            watcher: self.watcher.clone(),
        }
    }
}

impl<D: Deployment> Bodies for Shelf<D> {
    fn persist(&mut self, chunk: Chunk) -> oneshot::Receiver<()> {
        self.watcher.packed(&chunk);
        self.store.persist(chunk)
    }
}

/// Whom the chunk store tells.
pub struct Outlets<D: Deployment> {
    pub(super) inner: lane::Outlets<Nouns<D>, mempool::Mailbox<Nouns<D>>>,
    pub(super) watcher: D::Watcher,
}

impl<D: Deployment> chunk_store::Outlets<D::PublicKey> for Outlets<D> {
    fn want(&mut self, reference: &Reference<D::PublicKey>) {
        self.inner.want(reference);
    }

    fn settle(&mut self, reference: &Reference<D::PublicKey>) {
        self.inner.settle(reference);
    }

    fn sighted(&mut self, reference: &Reference<D::PublicKey>, ids: Vec<Digest>) {
        self.watcher.kept(reference, &ids);
        self.inner.sighted(reference, ids);
    }

    fn stir(&mut self) {
        self.inner.stir();
    }
}

/// Whom the executor tells.
pub struct Progress<D: Deployment> {
    pub(super) engine: Engine<Nouns<D>>,
    pub(super) store: chunk_store::Mailbox<D::PublicKey>,
    pub(super) pool: certificate_pool::Mailbox<Nouns<D>>,
    pub(super) chain: chain::Mailbox<Nouns<D>>,
    pub(super) claims: claims::Mailbox,
    pub(super) mempool: mempool::Mailbox<Nouns<D>>,
    pub(super) step: Step<D>,
    pub(super) watcher: D::Watcher,
    /// Set once it is started.
    pub(super) orderer: Arc<OnceLock<Simplex<Nouns<D>>>>,
    pub(super) retention_blocks: u64,
}

/// The orderer is asked to prune once in so many blocks: it drops whole sections.
const PRUNE_BLOCKS: u64 = 64;

impl<D: Deployment> executor::Outlets<D::PublicKey> for Progress<D> {
    fn advanced(&mut self, horizon: Horizon<D::PublicKey>) {
        self.pool.advanced(horizon.clone());
        self.store.advanced(horizon.clone());
        self.engine.advanced(horizon);
    }

    fn executed(&mut self, state: block::Executed, transactions: mempool::Executed<D::PublicKey>) {
        self.watcher.executed(state);
        self.chain.executed(state);
        self.claims.executed(state.height);
        self.mempool.executed(transactions);
        self.step.executed(state.height);
        if state.height.is_multiple_of(PRUNE_BLOCKS)
            && let Some(orderer) = self.orderer.get()
        {
            orderer.prune(state.height.saturating_sub(self.retention_blocks));
        }
    }
}

/// Takes what is final.
pub struct Delivery<D: Deployment> {
    pub(super) executor: executor::Mailbox<Nouns<D>>,
    pub(super) epochs: Epochs<D>,
    pub(super) step: Step<D>,
    pub(super) watcher: D::Watcher,
}

impl<D: Deployment> Clone for Delivery<D> {
    fn clone(&self) -> Self {
        Self {
            executor: self.executor.clone(),
            epochs: self.epochs.clone(),
            step: self.step.clone(),
            watcher: self.watcher.clone(),
        }
    }
}

impl<D: Deployment> Sink<Nouns<D>> for Delivery<D> {
    fn finalized(&mut self, block: Arc<Block<Nouns<D>>>, acknowledgement: Exact) {
        self.watcher.finalized(&block);
        self.epochs.finalized(block.height);
        self.step.newest(block.height);
        Sink::finalized(&mut self.executor, block, acknowledgement);
    }

    fn newest(&mut self, height: u64) {
        self.step.newest(height);
    }
}
