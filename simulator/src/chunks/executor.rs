//! The double of the executor: for each block in order it gathers the bodies, executes, keeps what was accepted, and says
//! so to the node's actors.

use super::{
    chain::{Block, Blocks},
    genesis::{Key, Nouns, World},
    ledger::Ledger,
    observation::{Seen, Share},
    payment::Payment,
};
use crate::{Observer, host::Host, lanes::Short};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::Clock as _;
use commonware_utils::{channel::watch, sync::Mutex};
use drystone_actors::{
    Reference, certificate_pool,
    chunk::{Chunk, Limits},
    chunk_store::{self, Found},
    mempool, relay,
};
use drystone_engine::{Engine, Horizon};
use futures::future::join_all;
use std::{sync::Arc, time::Duration};

/// How long to wait after an overloaded actor dropped a question.
const RETRY: Duration = Duration::from_millis(10);

/// One life's.
pub struct Executor {
    pub world: Arc<World>,
    pub observer: Observer<Seen>,
    pub ledger: Arc<Mutex<Ledger>>,
    pub blocks: Blocks,
    /// The height up to which the node knows the chain to be finalized.
    pub told: watch::Receiver<u64>,
    pub engine: Engine<Nouns>,
    pub store: chunk_store::Mailbox<Key>,
    pub relay: relay::Mailbox<Key>,
    pub pool: certificate_pool::Mailbox<Nouns>,
    pub mempool: mempool::Mailbox<Nouns>,
}

impl Executor {
    /// Executes until the node ends.
    pub async fn run(mut self, host: Host) {
        loop {
            let height = self.ledger.lock().height + 1;
            let due = height + self.world.options.execution_lag;
            if self.told.wait_for(|told| *told >= due).await.is_err() {
                return;
            }
            let index = usize::try_from(height - 1).expect("few blocks");
            let block = self.blocks.lock()[index].clone();
            self.execute(&host, &block).await;
            self.sample().await;
        }
    }

    async fn execute(&self, host: &Host, block: &Block) {
        let genesis = &self.world.genesis;
        let is_live = |slot| {
            genesis
                .expiry_ms(slot)
                .is_some_and(|it| it >= block.time_ms)
        };
        let headers = block.runs.iter().flat_map(|run| &run.headers);
        let live = headers.filter(|it| is_live(it.slot)).map(Reference::from);
        let live: Vec<_> = live.collect();
        let gather = live.iter().map(|it| self.gather(host, it, block.height));
        let bodies = join_all(gather).await;
        let mut chunks: Vec<_> = live.into_iter().zip(bodies).collect();
        self.observer.report(Seen::Gathered {
            height: block.height,
            time_ms: block.time_ms,
        });
        self.accept(host, block.height, &chunks).await;

        chunks.sort_by(|(a, _), (b, _)| {
            (a.place.slot, &a.sequencer).cmp(&(b.place.slot, &b.sequencer))
        });
        let limits = Limits::from(&**genesis);
        let opened = chunks
            .into_iter()
            .filter_map(|(_, body)| Chunk::decode(body, &limits).ok());
        let payments = opened.flat_map(|it| it.transactions().to_vec());
        let payments = payments.filter_map(|it| Some((Payment::id(&it), Payment::decode(&it)?)));
        // The commit of the state.
        let made = self.ledger.lock().execute(block.time_ms, payments);
        self.observer.report(Seen::Executed {
            height: block.height,
            time_ms: block.time_ms,
            ids: made.iter().map(|(id, _)| Short::of(id)).collect(),
        });

        let tips = block.tips();
        self.mempool.executed(mempool::Executed {
            time_ms: block.time_ms,
            transactions: made,
            lanes: tips
                .iter()
                .map(|(lane, tip)| (lane.clone(), tip.height))
                .collect(),
        });
        let horizon = Horizon {
            executed_ms: block.time_ms,
            executed: tips,
            ..Horizon::default()
        };
        self.store.advanced(horizon.clone());
        self.pool.advanced(horizon.clone());
        self.engine.advanced(horizon);
    }

    /// The body of a chunk, from here or from anywhere, however long it takes.
    async fn gather(&self, host: &Host, reference: &Reference<Key>, height: u64) -> Bytes {
        let lane = self.world.nodes[&reference.sequencer];
        let is_genuine = |body: &Bytes| {
            Sha256::hash(&[body]) == reference.place.digest
                && body.len() == reference.bytes as usize
        };
        let report = |genuine| {
            self.observer.report(Seen::Fetched {
                lane,
                height: reference.place.height,
                genuine,
            });
        };
        loop {
            if let Ok(Found::Body(body)) = self.store.get(reference.clone(), Some(height)).await {
                if !is_genuine(&body) {
                    report(false);
                }
                return body;
            }
            if let Ok(fetched) = self.relay.fetch(reference.clone(), height).await {
                let body = fetched.map(|it| it.body().clone()).unwrap_or_default();
                report(is_genuine(&body));
                return body;
            }
            host.sleep(RETRY).await;
        }
    }

    async fn accept(&self, host: &Host, height: u64, chunks: &[(Reference<Key>, Bytes)]) {
        loop {
            let given = chunks
                .iter()
                .map(|(it, body)| (it.clone(), Some(body.clone())));
            match self.store.accept(height, given.collect()).await {
                Ok(accepted) => {
                    return accepted.expect("every body was given along");
                }
                Err(_) => host.sleep(RETRY).await,
            }
        }
    }

    /// What the node says that it holds.
    async fn sample(&self) {
        let (pool, store) = (self.mempool.usage().await, self.store.usage().await);
        let share = |(name, it): (&Key, &chunk_store::Share)| Share {
            lane: self.world.nodes[name],
            chunks: it.held.chunks,
            bytes: it.held.bytes,
            bodies: it.memory.chunks,
            memory: it.memory.bytes,
            memory_most: it.memory_bytes_most,
        };
        if let (Ok(pool), Ok(store)) = (pool, store) {
            self.observer.report(Seen::Used {
                items: pool.items as u64,
                bytes: pool.bytes as u64,
                memory: store.memory_bytes,
                shares: store.producers.iter().map(share).collect(),
            });
        }
    }
}
