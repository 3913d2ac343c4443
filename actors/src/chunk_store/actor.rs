//! Receive, apply, carry out the effects; sync what waits, all of it at once.

use super::{
    Config, Error,
    core::{Core, UnderWay, checked, completed},
    disk::{Archives, Machine},
    ingress::{Ingress, Mailbox},
    message::Message,
    metrics::Metrics,
    state::{Restored, State},
};
use crate::{reference::Reference, transaction::Rules};
use commonware_actor::mailbox::{self, Receiver};
use commonware_cryptography::PublicKey;
use commonware_macros::select_loop;
use commonware_parallel::Strategy;
use commonware_runtime::{ContextCell, Handle, Spawner, spawn_cell};
use commonware_utils::futures::Pool;
use drystone_engine::alarm::now_ms;
use std::collections::BTreeMap;
use tracing::error;

/// Whom the chunk store tells. Every call must return at once.
pub trait Outlets<P>: Send + 'static {
    /// A body is wanted: its header was locked here.
    fn want(&mut self, reference: &Reference<P>);
    /// A body is not wanted any more: it is here, or nobody needs it.
    fn settle(&mut self, reference: &Reference<P>);
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

/// How far this node has executed, from its state's commit; both 0 for a new node.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Executed {
    /// The height of the newest block executed.
    pub height: u64,
    /// Its timestamp.
    pub time_ms: u64,
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
    executed: Executed,
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
        residents,
    };
    let core = Core {
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
            (reference, chunk, valid) = checked(&mut core.checking) => {
                let message = Message::Checked { reference, chunk, valid };
                archives = core.apply(archives, 0, message).await?;
            },
            Some(message) = mailbox.recv() else break => {
                let now_ms = now_ms(&*context);
                archives = core.accept(archives, now_ms, message).await?;
                // One sync for all that waits.
                while let Ok(message) = mailbox.try_recv() {
                    archives = core.accept(archives, now_ms, message).await?;
                }
                core.observe();
            },
        }
        Ok(())
    }
}
