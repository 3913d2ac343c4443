//! The loop: append what comes, sync what waits, tell those who wait for it.

use super::{
    Config, Error, Record,
    ingress::{Budget, Message, Writer},
    log::Log,
    metrics::Metrics,
    state::State,
};
use commonware_actor::mailbox::{self, Receiver, Sender};
use commonware_macros::select;
use commonware_runtime::{
    ContextCell, Error as RuntimeError, Handle, Metrics as Registry, Spawner, Storage, reschedule,
    spawn_cell,
};
use commonware_utils::NZUsize;
use std::{future::pending, num::NonZeroUsize, sync::atomic::Ordering::Relaxed};
use tracing::{debug, error};

/// Messages that wait without touching the overflow queue.
const MAILBOX_SIZE: NonZeroUsize = NZUsize!(64);

/// The journal's task. See the [module](super).
pub struct Actor<E, R>
where
    E: Spawner + Storage + Registry,
    R: Record,
{
    context: ContextCell<E>,
    core: Core<E, R>,
    mailbox: Receiver<Message<R>>,
    sender: Sender<Message<R>>,
    unsynced_max: usize,
}

impl<E, R> Actor<E, R>
where
    E: Spawner + Storage + Registry,
    R: Record,
{
    pub(super) fn new(
        context: E,
        config: Config<R::Cfg>,
        log: Log<E>,
        state: State<R>,
        metrics: Metrics,
    ) -> Self {
        let (sender, mailbox) = mailbox::new(context.child("mailbox"), MAILBOX_SIZE);
        let core = Core {
            log,
            state,
            section_bytes_max: config.section_bytes_max,
            copied_bytes: 0,
            prune: false,
            clients: Vec::new(),
            metrics,
        };
        let context = ContextCell::new(context);
        Self {
            context,
            core,
            mailbox,
            sender,
            unsynced_max: config.unsynced_max,
        }
    }

    /// Gives a client access. `notify` is called from the journal's task, once after each sync that made records of
    /// this client durable, with its highest durable position; it must not block.
    pub fn subscribe(&mut self, notify: impl Fn(u64) + Send + Sync + 'static) -> Writer<R> {
        let client = self.core.state.subscribe();
        let budget = Budget::default();
        self.core.clients.push(Client {
            notify: Box::new(notify),
            budget: budget.clone(),
        });
        Writer::new(client, self.sender.clone(), budget, self.unsynced_max)
    }

    /// Starts the task. It ends well, with everything durable, when all clients are gone, as they are when a node stops; it
    /// ends with an error as soon as the disk fails, and then nothing more is notified.
    pub fn start(mut self) -> Handle<Result<(), Error>> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(self) -> Result<(), Error> {
        let result = self.serve().await;
        if let Err(error) = &result {
            error!(%error, "the journal stops, and the node must stop with it");
        }
        result
    }

    async fn serve(self) -> Result<(), Error> {
        let Self {
            // What hangs on it lives as long as this task.
            context: _context,
            mut core,
            mut mailbox,
            sender,
            ..
        } = self;
        drop(sender);
        let mut in_flight: Option<Handle<()>> = None;
        loop {
            if core.state.wants_sync() {
                // Whoever is about to append something gets the chance: one sync for it and for what waits.
                reschedule().await;
                core.accept_all(&mut mailbox).await?;
                in_flight = Some(core.start_sync().await?);
            }
            select! {
                synced = completed(&mut in_flight) => {
                    synced?;
                    in_flight = None;
                    core.finish_sync().await?;
                },
                message = mailbox.recv() => {
                    let Some(message) = message else {
                        return core.finish(in_flight).await;
                    };
                    core.accept(message).await?;
                    core.accept_all(&mut mailbox).await?;
                },
            }
        }
    }
}

/// Waits for the sync in flight, or for ever if there is none. May be dropped at any time.
async fn completed(in_flight: &mut Option<Handle<()>>) -> Result<(), RuntimeError> {
    match in_flight {
        Some(sync) => sync.await,
        None => pending().await,
    }
}

/// A client, seen from here.
struct Client {
    notify: Box<dyn Fn(u64) + Send + Sync>,
    budget: Budget,
}

/// All of the actor but its context and its mailbox. None of its operations may stand in an arm of a select: one that is
/// cancelled half way takes the log's section with it.
struct Core<E: Storage, R: Record> {
    log: Log<E>,
    state: State<R>,
    section_bytes_max: u64,
    /// What the last roll copied into the section that is appended to.
    copied_bytes: u64,
    /// Whether the sections before this one go when the sync in flight succeeds.
    prune: bool,
    clients: Vec<Client>,
    metrics: Metrics,
}

impl<E: Storage, R: Record> Core<E, R> {
    async fn accept(&mut self, message: Message<R>) -> Result<(), Error> {
        match message {
            Message::Appended {
                client,
                records,
                urgent,
            } => {
                if !self.log.is_open() {
                    self.roll().await?;
                }
                self.metrics.appends.inc_by(records.len() as u64);
                for record in records {
                    let entry = self.state.append(client, record, urgent);
                    let bytes = self.log.append(entry).await?;
                    self.metrics.bytes.inc_by(bytes);
                }
            }
            Message::Forgotten {
                client,
                group,
                range,
            } => {
                self.state.forget(&group, range);
                self.clients[client].budget.fetch_sub(1, Relaxed);
            }
        }
        Ok(())
    }

    async fn accept_all(&mut self, mailbox: &mut Receiver<Message<R>>) -> Result<(), Error> {
        while let Ok(message) = mailbox.try_recv() {
            self.accept(message).await?;
        }
        Ok(())
    }

    /// Rolls if it is time, and starts to make everything appended so far durable.
    async fn start_sync(&mut self) -> Result<Handle<()>, Error> {
        let grown = self.log.size().saturating_sub(self.copied_bytes);
        if grown >= self.section_bytes_max.max(self.copied_bytes) {
            self.roll().await?;
        }
        self.state.sync_started();
        self.metrics.syncs.inc();
        self.log.start_sync().await
    }

    /// Copies what is live to a new section. What the old one holds unsynced is among it or superseded by it, so one
    /// sync of the new section makes all durable, and the old ones stay until then.
    async fn roll(&mut self) -> Result<(), Error> {
        self.log.begin().await?;
        let (copies, end) = self.state.roll();
        debug!(copies = copies.len(), "the journal rolls");
        self.metrics.rolls.inc();
        self.metrics.copies.inc_by(copies.len() as u64);
        for entry in copies.into_iter().chain([&end]) {
            self.log.append(entry).await?;
        }
        self.copied_bytes = self.log.size();
        self.metrics.bytes.inc_by(self.copied_bytes);
        self.prune = true;
        Ok(())
    }

    /// Tells the clients first, then tidies up.
    async fn finish_sync(&mut self) -> Result<(), Error> {
        let mut records = 0;
        for progress in self.state.sync_finished() {
            let client = &self.clients[progress.client];
            client.budget.fetch_sub(progress.records as usize, Relaxed);
            (client.notify)(progress.position);
            records += progress.records;
        }
        self.metrics.records_per_sync.observe(records as f64);
        if std::mem::take(&mut self.prune) {
            self.log.prune().await?;
        }
        Ok(())
    }

    /// Makes everything durable that was ever appended: the mailbox is empty, since the last client is gone.
    async fn finish(mut self, in_flight: Option<Handle<()>>) -> Result<(), Error> {
        if let Some(sync) = in_flight {
            sync.await?;
            self.finish_sync().await?;
        }
        if self.state.is_dirty() {
            self.start_sync().await?.await?;
            self.finish_sync().await?;
        }
        Ok(())
    }
}
