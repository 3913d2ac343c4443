//! The loop: append what comes, sync what waits, tell those who wait for it.

use super::{
    Config, Error, Record,
    entry::Entry,
    ingress::{Budget, Message, Writer},
    metrics::Metrics,
    state::State,
};
use commonware_actor::mailbox::{self, Receiver, Sender};
use commonware_macros::select_loop;
use commonware_runtime::{
    ContextCell, Error as RuntimeError, Handle, Metrics as Registry, Spawner, Storage, spawn_cell,
};
use commonware_storage::journal::segmented::variable::Journal;
use commonware_utils::NZUsize;
use std::{future::pending, num::NonZeroUsize, sync::atomic::Ordering::Relaxed};
use tracing::{debug, error};

/// Messages that wait without touching the overflow queue.
const MAILBOX_SIZE: NonZeroUsize = NZUsize!(64);

/// The log on disk. Every operation consumes it and gives it back: one that fails or is cancelled half way leaves
/// nothing behind that could be used by mistake. So none of them stands in an arm of a select.
type Log<E, R> = Journal<E, Entry<R>>;

/// The journal's task. See the [module](super).
pub struct Actor<E, R>
where
    E: Spawner + Storage + Registry,
    R: Record,
{
    context: ContextCell<E>,
    log: Log<E, R>,
    core: Core<R>,
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
        log: Log<E, R>,
        state: State<R>,
        metrics: Metrics,
    ) -> Self {
        let (sender, mailbox) = mailbox::new(context.child("mailbox"), MAILBOX_SIZE);
        let core = Core {
            state,
            section: log.newest_section().unwrap_or(0),
            section_bytes_max: config.section_bytes_max,
            copied_bytes: 0,
            // Left over from a roll that was interrupted: the next one removes them.
            sections_too_many: log.num_sections() > 1,
            prune: false,
            clients: Vec::new(),
            metrics,
        };
        let context = ContextCell::new(context);
        Self {
            context,
            log,
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

    /// Starts the task. It ends well, with everything durable, when the runtime stops or all clients are gone; it
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
            context,
            mut log,
            mut core,
            mut mailbox,
            sender,
            ..
        } = self;
        drop(sender);
        let mut in_flight: Option<Handle<()>> = None;
        select_loop! {
            context,
            on_start => {
                if core.state.wants_sync() {
                    let (next, sync) = core.start_sync(log).await?;
                    (log, in_flight) = (next, Some(sync));
                }
            },
            on_stopped => {
                core.finish(log, mailbox, in_flight).await?;
                return Ok(());
            },
            synced = completed(&mut in_flight) => {
                synced?;
                in_flight = None;
                log = core.finish_sync(log).await?;
            },
            message = mailbox.recv() => {
                let Some(message) = message else {
                    core.finish(log, mailbox, in_flight).await?;
                    return Ok(());
                };
                log = core.accept(log, message).await?;
                // One sync for all that waits.
                log = core.accept_all(log, &mut mailbox).await?;
            },
        }
        Ok(())
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

/// All of the actor but its context, its log and its mailbox.
struct Core<R: Record> {
    state: State<R>,
    /// The section that is appended to.
    section: u64,
    section_bytes_max: u64,
    /// What the last roll copied into it.
    copied_bytes: u64,
    sections_too_many: bool,
    /// Whether the sections before this one go when the sync in flight succeeds.
    prune: bool,
    clients: Vec<Client>,
    metrics: Metrics,
}

impl<R: Record> Core<R> {
    async fn accept<E>(
        &mut self,
        mut log: Log<E, R>,
        message: Message<R>,
    ) -> Result<Log<E, R>, Error>
    where
        E: Storage + Registry,
    {
        match message {
            Message::Appended {
                client,
                records,
                urgent,
            } => {
                self.metrics.appends.inc_by(records.len() as u64);
                for record in records {
                    let entry = self.state.append(client, record, urgent);
                    let (next, _, bytes) = log.append(self.section, entry).await?;
                    self.metrics.bytes.inc_by(u64::from(bytes));
                    log = next;
                }
            }
            Message::Forgotten { client, range } => {
                self.state.forget(range);
                self.clients[client].budget.fetch_sub(1, Relaxed);
            }
        }
        Ok(log)
    }

    async fn accept_all<E>(
        &mut self,
        mut log: Log<E, R>,
        mailbox: &mut Receiver<Message<R>>,
    ) -> Result<Log<E, R>, Error>
    where
        E: Storage + Registry,
    {
        while let Ok(message) = mailbox.try_recv() {
            log = self.accept(log, message).await?;
        }
        Ok(log)
    }

    /// Rolls if it is time, and starts to make everything appended so far durable.
    async fn start_sync<E>(&mut self, mut log: Log<E, R>) -> Result<(Log<E, R>, Handle<()>), Error>
    where
        E: Storage + Registry,
    {
        let grown = log.size(self.section)?.saturating_sub(self.copied_bytes);
        if self.sections_too_many || grown >= self.section_bytes_max.max(self.copied_bytes) {
            log = self.roll(log).await?;
        }
        self.state.sync_started();
        self.metrics.syncs.inc();
        Ok(log.start_sync(self.section).await?)
    }

    /// Copies what is live to a new section. What the old one holds unsynced is among it or superseded by it, so one
    /// sync of the new section makes all durable, and the old ones stay until then.
    async fn roll<E>(&mut self, mut log: Log<E, R>) -> Result<Log<E, R>, Error>
    where
        E: Storage + Registry,
    {
        self.section += 1;
        let (copies, end) = self.state.roll();
        debug!(
            section = self.section,
            copies = copies.len(),
            "the journal rolls"
        );
        self.metrics.rolls.inc();
        self.metrics.copies.inc_by(copies.len() as u64);
        for entry in copies.into_iter().chain([&end]) {
            (log, _, _) = log.append(self.section, entry).await?;
        }
        self.copied_bytes = log.size(self.section)?;
        self.metrics.bytes.inc_by(self.copied_bytes);
        self.sections_too_many = false;
        self.prune = true;
        Ok(log)
    }

    /// Tells the clients first, then tidies up.
    async fn finish_sync<E>(&mut self, mut log: Log<E, R>) -> Result<Log<E, R>, Error>
    where
        E: Storage + Registry,
    {
        let mut records = 0;
        for progress in self.state.sync_finished() {
            let client = &self.clients[progress.client];
            client.budget.fetch_sub(progress.records as usize, Relaxed);
            (client.notify)(progress.position);
            records += progress.records;
        }
        self.metrics.records_per_sync.observe(records as f64);
        if std::mem::take(&mut self.prune) {
            (log, _) = log.prune(self.section).await?;
        }
        Ok(log)
    }

    /// Makes everything durable that was ever enqueued.
    async fn finish<E>(
        mut self,
        mut log: Log<E, R>,
        mut mailbox: Receiver<Message<R>>,
        in_flight: Option<Handle<()>>,
    ) -> Result<(), Error>
    where
        E: Storage + Registry,
    {
        if let Some(sync) = in_flight {
            sync.await?;
            log = self.finish_sync(log).await?;
        }
        log = self.accept_all(log, &mut mailbox).await?;
        if self.state.is_dirty() {
            let (next, sync) = self.start_sync(log).await?;
            sync.await?;
            self.finish_sync(next).await?;
        }
        Ok(())
    }
}
