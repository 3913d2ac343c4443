//! What the node does, as far as clients are told.

use super::index::{Index, Phase};
use crate::{
    block::{self, Block},
    executor::{self, Record},
    mempool::Activity,
    node::Watcher,
    reference::Reference,
};
use commonware_cryptography::PublicKey;
use commonware_utils::sync::Mutex;
use drystone_engine::{
    Activity as Lane,
    types::{Digest, Types},
};
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{broadcast, oneshot};

/// Events that wait for a client before it loses the oldest.
const EVENTS_MAX: usize = 1_024;
/// Requests that wait for one transaction.
const WAITING_MAX: usize = 1 << 14;

/// Something that clients may want to know of.
#[derive(Clone, Debug)]
pub enum Event {
    /// A block is final.
    Final {
        /// Its height.
        height: u64,
        /// Its digest.
        block: Digest,
        /// Its time.
        time_ms: u64,
        /// Lanes that it moves on.
        tips: usize,
    },
    /// A block was executed, and its state is durable.
    Executed {
        /// Its height.
        height: u64,
        /// The root of the state after it.
        root: Digest,
        /// Its transactions that were executed, and those that were skipped.
        ids: Arc<(Vec<Digest>, Vec<Digest>)>,
    },
}

struct Inner<P> {
    index: Mutex<Index<P>>,
    waiting: Mutex<Waiting>,
    events: broadcast::Sender<Event>,
    finalized: Mutex<u64>,
}

#[derive(Default)]
struct Waiting {
    of: BTreeMap<Digest, Vec<oneshot::Sender<()>>>,
    count: usize,
}

/// Looks on, and remembers what clients ask about.
pub struct Watch<P>(Arc<Inner<P>>);

impl<P> Clone for Watch<P> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<P: PublicKey> Watch<P> {
    /// Remembers what became of at most so many transactions.
    pub fn new(remembered_max: usize) -> Self {
        let (events, _) = broadcast::channel(EVENTS_MAX);
        Self(Arc::new(Inner {
            index: Mutex::new(Index::new(remembered_max)),
            waiting: Mutex::default(),
            events,
            finalized: Mutex::new(0),
        }))
    }

    /// What is known of a transaction.
    pub fn phase(&self, id: &Digest) -> Phase {
        self.0.index.lock().phase(id)
    }

    /// Resolves when a transaction is settled, or at once if nobody can wait any more.
    pub(super) fn settled(&self, id: Digest) -> oneshot::Receiver<()> {
        let (waiter, settled) = oneshot::channel();
        let mut waiting = self.0.waiting.lock();
        if waiting.count >= WAITING_MAX {
            // Those who gave up make room.
            waiting.of.retain(|_, waiters| {
                waiters.retain(|it| !it.is_closed());
                !waiters.is_empty()
            });
            waiting.count = waiting.of.values().map(Vec::len).sum();
        }
        if waiting.count < WAITING_MAX {
            waiting.of.entry(id).or_default().push(waiter);
            waiting.count += 1;
        }
        settled
    }

    /// The events from now on.
    pub(super) fn events(&self) -> broadcast::Receiver<Event> {
        self.0.events.subscribe()
    }

    /// The newest block that is final here.
    pub fn finalized(&self) -> u64 {
        *self.0.finalized.lock()
    }

    fn wake<'a>(&self, ids: impl Iterator<Item = &'a Digest>) {
        let mut waiting = self.0.waiting.lock();
        if waiting.count == 0 {
            return;
        }
        for id in ids {
            let waiters = waiting.of.remove(id).unwrap_or_default();
            waiting.count -= waiters.len();
            for waiter in waiters {
                let _ = waiter.send(());
            }
        }
    }

    /// Takes in a block that was executed, now or in an earlier life.
    fn record<T: Types<PublicKey = P>>(&self, record: &Record<T>) {
        self.0.index.lock().executed(&record.results);
        self.wake(record.results.entries.iter().map(|it| &it.id));
    }

    /// Follows an executor for as long as it lives: first what earlier lives executed, then what this one does.
    pub async fn follow<T: Types<PublicKey = P>>(self, executor: executor::Mailbox<T>) {
        let mut records = executor.subscribe();
        let mut newest: Option<u64> = None;
        while let Some(record) = futures::StreamExt::next(&mut records).await {
            let height = record.results.height;
            let from = match newest {
                None => self.oldest(&executor, height).await,
                Some(newest) => newest + 1,
            };
            for missed in from..height {
                if let Ok(Some(record)) = executor.record(missed).await {
                    self.record(&record);
                }
            }
            newest = Some(height);
            self.record(&record);
            if self.0.events.receiver_count() == 0 {
                continue;
            }
            let executed = |it: &&executor::Entry| it.fate == executor::Fate::Executed;
            let entries = record.results.entries.iter();
            let (done, skipped): (Vec<_>, Vec<_>) = entries.partition(executed);
            let ids = |it: Vec<&executor::Entry>| it.into_iter().map(|it| it.id).collect();
            let _ = self.0.events.send(Event::Executed {
                height,
                root: record.root,
                ids: Arc::new((ids(done), ids(skipped))),
            });
        }
    }

    /// From which height on an earlier life's blocks fill half of what may be remembered.
    async fn oldest<T: Types<PublicKey = P>>(
        &self,
        executor: &executor::Mailbox<T>,
        newest: u64,
    ) -> u64 {
        let mut room = self.0.index.lock().remembered_max() / 2;
        let mut height = newest;
        while height > 1 {
            let Ok(Some(record)) = executor.record(height - 1).await else {
                break;
            };
            let Some(rest) = room.checked_sub(record.results.entries.len()) else {
                break;
            };
            room = rest;
            height -= 1;
        }
        height
    }
}

impl<T: Types> Watcher<T> for Watch<T::PublicKey> {
    fn lanes(&self, activity: &Lane<T>) {
        if let Lane::Certified(certificate) = activity {
            let mut index = self.0.index.lock();
            index.certified(&certificate.sequencer, certificate.tip.height);
        }
    }

    fn transaction(&self, activity: &Activity<T::PublicKey>) {
        let mut index = self.0.index.lock();
        index.reported(activity);
        if let Activity::Left { id, .. } = activity
            && index.is_settled(id)
        {
            drop(index);
            self.wake([id].into_iter());
        }
    }

    fn kept(&self, reference: &Reference<T::PublicKey>, ids: &[Digest]) {
        let mut index = self.0.index.lock();
        index.kept(&reference.sequencer, reference.place.height, ids);
    }

    fn finalized(&self, block: &Block<T>) {
        *self.0.finalized.lock() = block.height;
        let _ = self.0.events.send(Event::Final {
            height: block.height,
            block: block.digest(),
            time_ms: block.timestamp_ms,
            tips: block.tips.len(),
        });
    }

    fn executed(&self, _: block::Executed) {}
}
