//! All of the actor but its context, its archives and its mailbox.

use super::{
    Error, Unknown,
    actor::{Outlets as _, Types},
    disk::{Archives, Machine},
    ingress::{Accepted, Found, Ingress, Stored, Usage},
    message::{Effect, Message, Source},
    metrics::Metrics,
    recent::Recent,
    record::Record,
    state::State,
};
use crate::{chunk::Chunk, reference::Reference, transaction::Rules as _};
use bytes::Bytes;
use commonware_cryptography::PublicKey;
use commonware_parallel::Strategy as _;
use commonware_runtime::{Error as RuntimeError, Handle};
use commonware_utils::{channel::oneshot, futures::Pool};
use drystone_engine::{Verdict, types::Digest};
use std::{collections::BTreeMap, future::pending};

/// A body that the application looked at. If it found nothing wrong, the chunk has what it read.
pub(super) type Checked<P> = (Reference<P>, Chunk);

/// A sync under way, and the position it covers.
pub(super) struct UnderWay {
    handle: Handle<()>,
    position: u64,
}

/// Waits for the sync in flight, or for ever if there is none. May be dropped at any time.
pub(super) async fn completed(in_flight: &mut Option<UnderWay>) -> Result<u64, RuntimeError> {
    match in_flight {
        Some(sync) => {
            (&mut sync.handle).await?;
            Ok(sync.position)
        }
        None => pending().await,
    }
}

/// The next body the application looked at. An empty pool costs a turn of the loop nothing.
pub(super) async fn checked<P: PublicKey>(checking: &mut Pool<'static, Checked<P>>) -> Checked<P> {
    if checking.is_empty() {
        pending().await
    } else {
        checking.next_completed().await
    }
}

/// See the module.
pub(super) struct Core<T: Types> {
    pub state: State<T::PublicKey>,
    pub recent: Recent<T::PublicKey>,
    pub rules: T::Rules,
    pub strategy: T::Strategy,
    pub outlets: T::Outlets,
    pub metrics: Metrics,
    /// Who waits for what. One entry a chunk: the state bounds them.
    pub judges: BTreeMap<Reference<T::PublicKey>, oneshot::Sender<Verdict>>,
    pub builders: BTreeMap<Digest, oneshot::Sender<()>>,
    pub executors: BTreeMap<u64, oneshot::Sender<Accepted<T::PublicKey>>>,
    pub checking: Pool<'static, Checked<T::PublicKey>>,
}

impl<T: Types> Core<T> {
    pub async fn accept<E: Machine>(
        &mut self,
        mut archives: Archives<E, T::PublicKey>,
        now_ms: u64,
        message: Ingress<T::PublicKey>,
    ) -> Result<Archives<E, T::PublicKey>, Error> {
        let message = match message {
            Ingress::Told(message) => {
                if let Message::Advanced(horizon) = &message {
                    self.recent.advanced(horizon.finalized_ms);
                }
                message
            }
            Ingress::Judge(reference, responder) => {
                // Who asked before and asks again is told to ask again.
                self.judges.insert(reference.clone(), responder);
                Message::Asked(reference)
            }
            Ingress::Persist(chunk, responder) => {
                self.builders.insert(chunk.payload().digest, responder);
                self.recent.keep(self.state.me(), chunk.clone());
                Message::Packed(chunk)
            }
            Ingress::Get {
                reference,
                height,
                responder,
            } => {
                let found = self.find(&archives, &reference, height).await?;
                let _ = responder.send(found.into_body());
                return Ok(archives);
            }
            Ingress::Gather {
                reference,
                height,
                responder,
            } => {
                let found = self.find(&archives, &reference, Some(height)).await?;
                let _ = responder.send(found);
                return Ok(archives);
            }
            Ingress::Lacking {
                height,
                references,
                responder,
            } => {
                let lacking = archives.lacking(height, references).await?;
                let _ = responder.send(lacking);
                return Ok(archives);
            }
            Ingress::Usage(responder) => {
                let _ = responder.send(Usage {
                    held: self.state.held_by_all(),
                    memory_bytes: self.memory_bytes(),
                    producers: self.state.shares(),
                });
                return Ok(archives);
            }
            Ingress::Accept {
                height,
                chunks,
                responder,
            } => {
                let sourced = |(reference, given): (Reference<T::PublicKey>, Option<Bytes>)| {
                    let source = self.state.source(&reference, given);
                    (reference, source)
                };
                let chunks: Vec<(Reference<T::PublicKey>, Source)> =
                    chunks.into_iter().map(sourced).collect();
                let nowhere = chunks.iter().filter(|(_, it)| *it == Source::Nowhere);
                let nowhere = nowhere.map(|(it, _)| it.clone()).collect();
                let unknown = archives.lacking(height, nowhere).await?;
                if !unknown.is_empty() {
                    let _ = responder.send(Err(Unknown { height, unknown }));
                    return Ok(archives);
                }
                let references: Vec<_> = chunks.iter().map(|(it, _)| it.clone()).collect();
                archives = archives.accept(height, chunks).await?;
                references.iter().for_each(|it| self.recent.forget(it));
                self.executors.insert(height, responder);
                Message::Kept { height, references }
            }
        };
        self.apply(archives, now_ms, message).await
    }

    async fn find<E: Machine>(
        &mut self,
        archives: &Archives<E, T::PublicKey>,
        reference: &Reference<T::PublicKey>,
        height: Option<u64>,
    ) -> Result<Found<Stored>, Error> {
        let mut body = None;
        if let Some(location) = self.state.locate(reference) {
            if let Some(chunk) = self.recent.get(reference) {
                self.metrics.served.inc();
                self.metrics.recent.inc();
                return Ok(Found::Body(Stored::Chunk(chunk.clone())));
            }
            body = archives.read(location).await?;
        }
        if body.is_none() {
            body = archives.read_accepted(&reference.place.digest).await?;
        }
        Ok(match body {
            Some(body) => {
                self.metrics.served.inc();
                Found::Body(Stored::Body(body))
            }
            None => {
                self.metrics.absent.inc();
                Found::Absent(self.state.absence(reference, height))
            }
        })
    }

    pub async fn apply<E: Machine>(
        &mut self,
        mut archives: Archives<E, T::PublicKey>,
        now_ms: u64,
        message: Message<T::PublicKey>,
    ) -> Result<Archives<E, T::PublicKey>, Error> {
        let mut effects = Vec::new();
        self.state.apply(now_ms, message, &mut effects);
        for effect in effects {
            match effect {
                Effect::Write(location, record) => {
                    self.wrote(&record);
                    archives = archives.write(location, &record).await?;
                }
                Effect::Move {
                    from,
                    to,
                    reference,
                    sealed,
                } => {
                    let body = archives.fetch(from).await?;
                    let record = Record::moved(reference, body, sealed.then_some(from));
                    archives = archives.write(to, &record).await?;
                }
                Effect::Prune(bucket) => archives = archives.prune(bucket).await?,
                Effect::Retire(height) => archives = archives.retire(height).await?,
                other => self.carry_out(other),
            }
        }
        Ok(archives)
    }

    fn wrote(&self, record: &Record<T::PublicKey>) {
        if let Record::Body { body, .. } | Record::Draft { body, .. } = record {
            self.metrics.bodies.inc();
            self.metrics.bytes.inc_by(body.len() as u64);
        }
    }

    fn carry_out(&mut self, effect: Effect<T::PublicKey>) {
        match effect {
            Effect::Answer(reference, verdict) => {
                match verdict {
                    Verdict::Valid => {}
                    Verdict::Invalid => {
                        self.metrics.invalid.inc();
                    }
                    Verdict::Pending => {
                        self.metrics.refused.inc();
                    }
                }
                if let Some(judge) = self.judges.remove(&reference) {
                    let _ = judge.send(verdict);
                }
            }
            Effect::Want(reference) => self.outlets.want(&reference),
            Effect::Settle(reference) => self.outlets.settle(&reference),
            Effect::Check(reference, chunk) => self.check(reference, chunk),
            Effect::Persisted(digest, durable) => {
                let builder = self.builders.remove(&digest);
                if let Some(builder) = builder.filter(|_| durable) {
                    let _ = builder.send(());
                }
            }
            Effect::Accepted(height) => {
                self.metrics.accepted.inc();
                if let Some(executor) = self.executors.remove(&height) {
                    let _ = executor.send(Ok(()));
                }
            }
            Effect::Stir => self.outlets.stir(),
            Effect::Write(..) | Effect::Move { .. } | Effect::Prune(_) | Effect::Retire(_) => {
                unreachable!("carried out with the archives")
            }
        }
    }

    /// Asks the application, off the loop: about the bytes alone, so that all nodes agree.
    fn check(&mut self, reference: Reference<T::PublicKey>, chunk: Chunk) {
        let rules = self.rules.clone();
        let len = chunk.transactions().len();
        let check = self.strategy.clone().spawn(len, move |_| {
            let facts = chunk.transactions().iter().map(|it| rules.decode(it));
            match facts.collect::<Result<_, _>>() {
                Ok(facts) => (reference, chunk.with_facts(facts)),
                Err(_) => (reference, chunk),
            }
        });
        self.checking.push(check);
    }

    /// The application has looked at a body: says whether all of it could be read, and tells of it then.
    pub fn read(&mut self, reference: &Reference<T::PublicKey>, chunk: &Chunk) -> bool {
        let Some(facts) = chunk.facts() else {
            return false;
        };
        let ids = facts.iter().map(|it| it.id).collect();
        self.outlets.sighted(reference, ids);
        self.recent.keep(&reference.sequencer, chunk.clone());
        true
    }

    pub async fn start_sync<E: Machine>(
        &mut self,
        archives: Archives<E, T::PublicKey>,
    ) -> Result<(Archives<E, T::PublicKey>, UnderWay), Error> {
        let position = self.state.position();
        self.metrics.syncs.inc();
        self.metrics
            .writes_per_sync
            .observe(self.state.unsynced() as f64);
        let (archives, handle) = archives.start_sync().await?;
        Ok((archives, UnderWay { handle, position }))
    }

    pub fn observe(&self) {
        let gauge = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        let held = self.state.held_by_all();
        self.metrics.held_chunks.set(gauge(held.chunks));
        self.metrics.held_bytes.set(gauge(held.bytes));
        self.metrics.memory_bytes.set(gauge(self.memory_bytes()));
    }

    /// Bodies that wait for their headers, and newest chunks.
    fn memory_bytes(&self) -> u64 {
        self.state.memory_bytes() + self.recent.bytes()
    }
}
