//! All decisions of the builder. Pure: no clock, no disk, no await.

use super::{Config, Message, ingress::Request};
use crate::{
    chunk::Chunk,
    mempool::{Readiness, Sighting},
    transaction::Transaction,
};
use commonware_cryptography::PublicKey;
use commonware_utils::channel::oneshot;
use drystone_engine::types::{Digest, Payload};
use std::sync::Arc;

/// What the actor carries out.
#[derive(Debug)]
pub enum Effect<P> {
    /// Ask the mempool for transactions.
    Ask,
    /// Have a body made durable.
    Persist(Chunk),
    /// Answer the engine, and tell the mempool what became of what it handed out.
    Seal {
        /// Whom.
        to: oneshot::Sender<Payload>,
        /// What.
        payload: Payload,
        /// The chunk, as the mempool sees it.
        sighting: Sighting<P>,
    },
    /// Tell the mempool that there is no chunk.
    Fail,
}

/// How far the chunk being built is.
enum Phase {
    /// Nothing is built.
    Idle,
    /// The mempool was asked.
    Asked,
    /// The body is on its way to the disk.
    Persisting { payload: Payload, ids: Vec<Digest> },
}

/// Builds one chunk at a time.
pub struct State<P> {
    config: Config<P>,
    request: Option<Request>,
    readiness: Readiness,
    /// Since when something waits to be packed.
    since_ms: u64,
    /// Nothing is tried before this time.
    not_before_ms: u64,
    phase: Phase,
}

impl<P: PublicKey> State<P> {
    /// Starts with nothing to pack.
    pub const fn new(config: Config<P>) -> Self {
        Self {
            config,
            request: None,
            readiness: Readiness::Nothing,
            since_ms: 0,
            not_before_ms: 0,
            phase: Phase::Idle,
        }
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message, effects: &mut Vec<Effect<P>>) {
        match message {
            Message::Proposed(request) => self.request = Some(request),
            Message::Ripened(readiness) => {
                if self.readiness == Readiness::Nothing {
                    self.since_ms = now_ms;
                }
                self.readiness = readiness;
            }
            Message::Handed(transactions) => self.handed(now_ms, &transactions, effects),
            Message::Persisted(durable) => self.persisted(now_ms, durable, effects),
            Message::Woken => {}
        }
        if self.wake_ms().is_some_and(|it| it <= now_ms) {
            self.phase = Phase::Asked;
            effects.push(Effect::Ask);
        }
    }

    /// When the next chunk is begun, as things stand.
    pub fn wake_ms(&self) -> Option<u64> {
        let request = self.request.as_ref()?;
        // The engine may have given up on it.
        if !matches!(self.phase, Phase::Idle) || request.payload.is_closed() {
            return None;
        }
        let ripe_ms = match self.readiness {
            Readiness::Nothing => return None,
            Readiness::Some => self.since_ms.saturating_add(self.config.seal_ms),
            Readiness::Full => 0,
        };
        Some(ripe_ms.max(self.not_before_ms))
    }

    fn handed(
        &mut self,
        now_ms: u64,
        transactions: &[Arc<Transaction>],
        effects: &mut Vec<Effect<P>>,
    ) {
        assert!(matches!(self.phase, Phase::Asked), "the mempool was asked");
        // What is left, and what comes from now on, has its own time to wait.
        self.since_ms = now_ms;
        if transactions.is_empty() {
            self.retry(now_ms);
            return;
        }
        let bytes = transactions.iter().map(|it| &it.bytes);
        let chunk = Chunk::pack(bytes, &self.config.chunk)
            .expect("the mempool hands out what fits a chunk")
            .with_facts(transactions.iter().map(|it| it.facts).collect());
        self.phase = Phase::Persisting {
            payload: chunk.payload(),
            ids: transactions.iter().map(|it| it.facts.id).collect(),
        };
        effects.push(Effect::Persist(chunk));
    }

    fn persisted(&mut self, now_ms: u64, durable: bool, effects: &mut Vec<Effect<P>>) {
        let phase = std::mem::replace(&mut self.phase, Phase::Idle);
        let Phase::Persisting { payload, ids } = phase else {
            panic!("a body was on its way to the disk");
        };
        // The newest request is answered: a payload belongs to no height before the engine signs for it.
        let request = self
            .request
            .take_if(|it| durable && !it.payload.is_closed());
        let Some(Request { next, payload: to }) = request else {
            self.retry(now_ms);
            effects.push(Effect::Fail);
            return;
        };
        let genesis = &self.config.genesis;
        let slot = genesis.slot_at(now_ms).max(next.slot);
        let sighting = Sighting {
            sequencer: self.config.me.clone(),
            height: next.height,
            digest: payload.digest,
            // The header may get a slot a little later. Then the mempool gives its transactions up that much too early,
            // and one of them may travel twice.
            expiry_ms: genesis.expiry_ms(slot).unwrap_or(u64::MAX),
            ids,
        };
        effects.push(Effect::Seal {
            to,
            payload,
            sighting,
        });
    }

    fn retry(&mut self, now_ms: u64) {
        self.phase = Phase::Idle;
        self.not_before_ms = now_ms.saturating_add(self.config.retry_ms);
    }
}
