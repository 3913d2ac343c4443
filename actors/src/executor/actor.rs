//! Receive, apply, carry out the effects; commit, acknowledge, publish.

use super::{
    Error,
    config::Config,
    core::{Core, Done},
    finalized::Finalized,
    gather::{self, Seeker},
    ingress::{Inbox, Ingress, Subscriber},
    lost::{Lost, regain},
    message::{Block, Effect, Message, Ready},
    metrics::Metrics,
    open::{Ports, PublicKey, Types},
    ports::Outlets as _,
    progress::{Newest, Progress},
    record::Record,
    state::State,
};
use crate::{Canary, block, chunk::Limits, mempool, state::Machine};
use commonware_actor::mailbox::Receiver;
use commonware_macros::select_loop;
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::{
    acknowledgement::{Acknowledgement as _, Exact},
    channel::oneshot,
    futures::Pool,
};
use drystone_engine::{Horizon, types::Tip};
use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};
use tracing::{error, info};

/// Questions for records that wait while a block is executed.
const ASKED_MAX: usize = 1 << 10;

type Executing<E, T> = Handle<Result<(Core<E, T>, Done<T>), Error>>;
type Asked<T> = (u64, oneshot::Sender<Option<Record<<T as Types>::Engine>>>);

/// See the [module](super).
pub struct Actor<E: Machine, T: Types> {
    context: ContextCell<E>,
    config: Config,
    ports: Ports<T>,
    inbox: Receiver<Ingress<T::Engine>>,
    queue: State<T::Engine>,
    clock: Arc<E>,
    /// Here, unless a block is being executed.
    core: Option<Core<E, T>>,
    executing: Option<Executing<E, T>>,
    gathering: Pool<'static, Message<T::Engine>>,
    /// By height. An orderer may hand a block out again.
    acknowledgements: BTreeMap<u64, Vec<Exact>>,
    subscribers: Vec<Subscriber<T::Engine>>,
    asked: Vec<Asked<T>>,
    progress: Progress<PublicKey<T>>,
    newest: Option<Arc<Record<T::Engine>>>,
    lost: Lost<PublicKey<T>>,
    metrics: Metrics,
}

impl<E: Machine, T: Types> Actor<E, T> {
    pub(super) fn new(
        context: E,
        config: Config,
        core: Core<E, T>,
        queue: State<T::Engine>,
        ports: Ports<T>,
        inbox: Inbox<T::Engine>,
    ) -> Self {
        let metrics = Metrics::new(&context);
        Self {
            clock: Arc::new(context.child("gather")),
            context: ContextCell::new(context),
            config,
            ports,
            inbox: inbox.receiver,
            queue,
            core: Some(core),
            executing: None,
            gathering: Pool::default(),
            acknowledgements: BTreeMap::new(),
            subscribers: Vec::new(),
            asked: Vec::new(),
            progress: inbox.progress,
            newest: None,
            lost: Vec::new(),
            metrics,
        }
    }

    /// Has bodies got back that the store has lost.
    pub(super) fn regaining(mut self, lost: Lost<PublicKey<T>>) -> Self {
        self.lost = lost;
        self
    }

    /// Tells what an earlier life did: it may have died before it could.
    pub(super) fn resuming(
        mut self,
        newest: Newest<PublicKey<T>>,
        mut executed: mempool::Executed<PublicKey<T>>,
        record: Option<Arc<Record<T::Engine>>>,
    ) -> Self {
        let head = newest.head;
        let lanes = newest.lanes.as_ref().clone();
        executed.lanes = heights(&lanes);
        let state = block::Executed {
            height: head.height,
            root: newest.roots[&head.height],
        };
        self.progress.set(newest);
        self.ports.outlets.advanced(Horizon {
            finalized_ms: head.time_ms,
            executed_ms: head.time_ms,
            included: lanes.clone(),
            executed: lanes,
        });
        self.ports.outlets.executed(state, executed);
        self.newest = record;
        self
    }

    /// Runs until the node stops, or with an error: then nothing more is executed.
    pub fn start(mut self) -> Handle<Result<(), Error>> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) -> Result<(), Error> {
        let result = self.serve().await;
        if let Err(error) = &result {
            error!(%error, "the executor stops, and the node must stop with it");
        }
        result
    }

    async fn serve(&mut self) -> Result<(), Error> {
        let lost = std::mem::take(&mut self.lost);
        if !lost.is_empty() {
            let seeker = self.seeker();
            let regaining = self.context.child("lost");
            regaining.spawn(move |_| regain(seeker, lost));
        }
        select_loop! {
            self.context,
            on_stopped => {},
            executed = completed(&mut self.executing) => {
                let (core, done) = executed?;
                self.executing = None;
                self.core = Some(core);
                self.committed(done);
                self.answer().await?;
                self.apply(Message::Executed)?;
            },
            message = next(&mut self.gathering) => self.apply(message)?,
            Some(message) = self.inbox.recv() else break => match message {
                Ingress::Finalized(finalized) => self.finalized(finalized)?,
                Ingress::Subscribed(subscriber) => self.subscribed(subscriber),
                Ingress::Asked { height, responder } => {
                    if self.asked.len() < ASKED_MAX {
                        self.asked.push((height, responder));
                    }
                    self.answer().await?;
                }
            },
        }
        Ok(())
    }

    fn finalized(&mut self, finalized: Finalized<PublicKey<T>>) -> Result<(), Error> {
        let height = finalized.height;
        let head = self.progress.newest().expect("told at the start").head;
        if height <= head.height {
            // Executed in this life or an earlier one.
            finalized.acknowledgement.acknowledge();
            return Ok(());
        }
        let block = Block::from(&finalized);
        let acknowledgements = self.acknowledgements.entry(height).or_default();
        acknowledgements.push(finalized.acknowledgement);
        if height < self.queue.next() {
            return Ok(());
        }
        self.ports.outlets.advanced(Horizon {
            finalized_ms: block.time_ms,
            included: block.tips.clone(),
            ..Horizon::default()
        });
        self.apply(Message::Finalized(block))
    }

    fn apply(&mut self, message: Message<T::Engine>) -> Result<(), Error> {
        for effect in self.queue.apply(message)? {
            match effect {
                Effect::Walk {
                    height,
                    sequencer,
                    above,
                    to,
                } => self.gathering.push(gather::walk(
                    Arc::clone(&self.clock),
                    self.ports.lanes.clone(),
                    self.retry(),
                    height,
                    sequencer,
                    (above, to),
                )),
                Effect::Gather { height, reference } => {
                    let seeker = self.seeker();
                    self.gathering.push(seeker.body(height, reference));
                }
                Effect::Execute(ready) => self.execute(ready),
            }
        }
        let gauge = |it: u64| i64::try_from(it).unwrap_or(i64::MAX);
        self.metrics.queued.set(gauge(self.queue.queued() as u64));
        self.metrics.gathered_bytes.set(gauge(self.queue.bytes()));
        Ok(())
    }

    fn seeker(&self) -> Seeker<E, T::Store, T::Fetcher> {
        Seeker {
            clock: Arc::clone(&self.clock),
            store: self.ports.store.clone(),
            fetcher: self.ports.fetcher.clone(),
            limits: Limits::from(self.config.genesis.as_ref()),
            retry: self.retry(),
        }
    }

    const fn retry(&self) -> Duration {
        Duration::from_millis(self.config.retry_ms.get())
    }

    /// In a task of its own: the next blocks are gathered meanwhile.
    fn execute(&mut self, ready: Ready<T::Engine>) {
        if self.config.canary.is(Canary::AcknowledgeEarly) {
            self.acknowledge(ready.block.height);
        }
        let core = self.core.take().expect("one block at a time");
        let execution = self.context.child("execution");
        self.executing = Some(execution.spawn(move |_| core.execute(ready)));
    }

    /// A block is durable: acknowledges it, and tells everybody.
    fn committed(&mut self, done: Done<T>) {
        let Done { head, record, tips } = done;
        self.acknowledge(head.height);
        info!(height = head.height, root = %record.root, "executed");
        self.metrics.observe(&record);
        let before = self.progress.newest().expect("told at the start");
        let (mut lanes, mut roots) = (before.lanes, before.roots);
        Arc::make_mut(&mut lanes).extend(tips.clone());
        let known = Arc::make_mut(&mut roots);
        known.insert(head.height, record.root);
        if known.len() > self.config.roots_blocks.get() {
            known.pop_first();
        }
        self.progress.set(Newest { head, lanes, roots });
        let state = block::Executed {
            height: head.height,
            root: record.root,
        };
        let executed = mempool::Executed {
            time_ms: head.time_ms,
            transactions: record.results.executed().collect(),
            lanes: heights(&tips),
        };
        self.ports.outlets.advanced(Horizon {
            finalized_ms: head.time_ms,
            executed_ms: head.time_ms,
            included: tips.clone(),
            executed: tips,
        });
        self.ports.outlets.executed(state, executed);
        self.subscribers
            .retain(|it| it.send_lossy(Arc::clone(&record)));
        self.newest = Some(record);
    }

    fn acknowledge(&mut self, height: u64) {
        let acknowledgements = self.acknowledgements.remove(&height);
        for acknowledgement in acknowledgements.into_iter().flatten() {
            acknowledgement.acknowledge();
        }
    }

    fn subscribed(&mut self, subscriber: Subscriber<T::Engine>) {
        if let Some(newest) = &self.newest {
            subscriber.send_lossy(Arc::clone(newest));
        }
        self.subscribers.retain(|it| !it.is_closed());
        self.subscribers.push(subscriber);
    }

    /// Answers who asks for records, unless a block is being executed. What was written of a block that is not committed
    /// is nobody's business.
    async fn answer(&mut self) -> Result<(), Error> {
        let Some(core) = &self.core else {
            return Ok(());
        };
        let head = self.progress.newest().expect("told at the start").head;
        for (height, responder) in self.asked.drain(..) {
            let record = match height <= head.height {
                true => core.book.get(height).await?,
                false => None,
            };
            let _ = responder.send(record);
        }
        Ok(())
    }
}

fn heights<P: Clone + Ord>(tips: &BTreeMap<P, Tip>) -> BTreeMap<P, u64> {
    let height = |(sequencer, tip): (&P, &Tip)| (sequencer.clone(), tip.height);
    tips.iter().map(height).collect()
}

/// Waits for the block that is being executed, or for ever if there is none. May be dropped at any time.
async fn completed<E: Machine, T: Types>(
    executing: &mut Option<Executing<E, T>>,
) -> Result<(Core<E, T>, Done<T>), Error> {
    match executing {
        Some(executing) => executing.await.map_err(|_| Error::Interrupted)?,
        None => pending().await,
    }
}

/// The next thing that was gathered. An empty pool costs a turn of the loop nothing.
async fn next<M: Send>(gathering: &mut Pool<'static, M>) -> M {
    if gathering.is_empty() {
        pending().await
    } else {
        gathering.next_completed().await
    }
}
