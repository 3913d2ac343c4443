//! Receive, apply, carry out the effects; sync what waits, all of it at once.

use super::{
    Config, Error,
    core::{Core, UnderWay, checked, completed},
    disk::{Archives, Machine},
    ingress::{Ingress, Mailbox},
    message::Message,
    metrics::Metrics,
    recent::Recent,
    state::{Restored, State},
};
use crate::{reference::Reference, transaction::Rules};
use commonware_actor::mailbox::{self, Receiver};
use commonware_cryptography::PublicKey;
use commonware_macros::select_loop;
use commonware_parallel::Strategy;
use commonware_runtime::{ContextCell, Handle, Spawner, spawn_cell};
use commonware_utils::futures::Pool;
use drystone_engine::{alarm::now_ms, types::Digest};
use std::collections::BTreeMap;
use tracing::error;

/// Messages taken in one turn, at most: then syncs and verdicts have theirs.
const DRAINED_MAX: usize = 64;

/// Whom the chunk store tells. Every call must return at once.
pub trait Outlets<P>: Send + 'static {
    /// A body is wanted: its header was locked here.
    fn want(&mut self, reference: &Reference<P>);
    /// A body is not wanted any more: it is here, or nobody needs it.
    fn settle(&mut self, reference: &Reference<P>);
    /// A valid body is here, of a chunk that has its quota: what it holds.
    fn sighted(&mut self, reference: &Reference<P>, ids: Vec<Digest>);
    /// Quota was freed: the engine's pending verdicts may have changed.
    fn stir(&mut self);
}

/// The nouns of a chunk store.
pub trait Types: Send + Sync + 'static {
    /// Names a producer.
    type PublicKey: PublicKey;
    /// What the application says of a transaction's bytes.
    type Rules: Rules;
    /// Where bodies are checked.
    type Strategy: Strategy;
    /// Whom the store tells.
    type Outlets: Outlets<Self::PublicKey>;
}

/// How far this node has executed, from its state's commit; nothing for a new node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed<P> {
    /// The height of the newest block executed.
    pub height: u64,
    /// Its timestamp.
    pub time_ms: u64,
    /// The height of each lane's last chunk included up to there.
    pub lanes: BTreeMap<P, u64>,
}

impl<P> Default for Executed<P> {
    fn default() -> Self {
        Self {
            height: 0,
            time_ms: 0,
            lanes: BTreeMap::new(),
        }
    }
}

/// See the [module](super).
pub struct Actor<E: Machine + Spawner, T: Types> {
    context: ContextCell<E>,
    archives: Archives<E, T::PublicKey>,
    mailbox: Receiver<Ingress<T::PublicKey>>,
    core: Core<T>,
}

/// Opens the archives and rebuilds what is counted. The actor is not started yet.
///
/// # Errors
/// If the disk fails.
///
/// # Panics
/// If the configuration contradicts itself.
pub async fn open<E: Machine + Spawner, T: Types>(
    context: E,
    config: Config<T::PublicKey>,
    executed: Executed<T::PublicKey>,
    rules: T::Rules,
    strategy: T::Strategy,
    outlets: T::Outlets,
) -> Result<(Actor<E, T>, Mailbox<T::PublicKey>), Error> {
    config.check();
    let (archives, residents) = Archives::open(&context, &config).await?;
    let (sender, mailbox) = mailbox::new(context.child("mailbox"), config.mailbox_size);
    let metrics = Metrics::new(&context);
    let restored = Restored {
        executed_ms: executed.time_ms,
        executed_height: executed.height,
        lanes: executed.lanes,
        residents,
    };
    let core = Core {
        recent: Recent::new(config.recent_bytes_max, config.bucket_ms.get()),
        state: State::restore(config, restored),
        rules,
        strategy,
        outlets,
        metrics,
        judges: BTreeMap::new(),
        builders: BTreeMap::new(),
        executors: BTreeMap::new(),
        checking: Pool::default(),
    };
    let actor = Actor {
        context: ContextCell::new(context),
        archives,
        mailbox,
        core,
    };
    Ok((actor, Mailbox(sender)))
}

impl<E: Machine + Spawner, T: Types> Actor<E, T> {
    /// What the tests look at before a start.
    #[cfg(test)]
    pub(super) const fn state(&self) -> &State<T::PublicKey> {
        &self.core.state
    }

    /// Runs until the node stops, or with an error as soon as the disk fails: then nothing more is answered.
    pub fn start(mut self) -> Handle<Result<(), Error>> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(self) -> Result<(), Error> {
        let result = self.serve().await;
        if let Err(error) = &result {
            error!(%error, "the chunk store stops, and the node must stop with it");
        }
        result
    }

    async fn serve(self) -> Result<(), Error> {
        let Self {
            context,
            mut archives,
            mut mailbox,
            mut core,
        } = self;
        let mut in_flight: Option<UnderWay> = None;
        select_loop! {
            context,
            on_start => {
                if in_flight.is_none() && core.state.unsynced() > 0 {
                    let (next, sync) = core.start_sync(archives).await?;
                    (archives, in_flight) = (next, Some(sync));
                }
            },
            on_stopped => {},
            synced = completed(&mut in_flight) => {
                let position = synced?;
                in_flight = None;
                archives = core.apply(archives, 0, Message::Synced(position)).await?;
            },
            (reference, chunk) = checked(&mut core.checking) => {
                let valid = core.read(&reference, &chunk);
                let message = Message::Checked { reference, chunk, valid };
                archives = core.apply(archives, 0, message).await?;
            },
            Some(message) = mailbox.recv() else break => {
                let now_ms = now_ms(&*context);
                archives = core.accept(archives, now_ms, message).await?;
                // One sync for all that waits, but for what comes while this is carried out.
                for _ in 0..DRAINED_MAX {
                    let Ok(message) = mailbox.try_recv() else { break };
                    archives = core.accept(archives, now_ms, message).await?;
                }
                core.observe();
            },
        }
        Ok(())
    }
}
