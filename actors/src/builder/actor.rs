//! Select, apply, carry out the effects.

use super::{Config, Effect, Ingress, Mailbox, Message, State, metrics::Metrics};
use crate::{
    Canary,
    bodies::Bodies as _,
    mempool::{self, Built},
    transaction::Transaction,
    types::Types,
};
use commonware_actor::mailbox;
use commonware_macros::select;
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::{channel::oneshot, futures::OptionFuture};
use drystone_engine::{
    Environment,
    alarm::{Alarm, now_ms},
};
use std::{num::NonZeroUsize, sync::Arc};
use tracing::warn;

/// See the module's documentation.
pub struct Actor<E: Environment, T: Types> {
    context: ContextCell<E>,
    state: State<T::PublicKey>,
    mailbox: mailbox::Receiver<Ingress>,
    mempool: mempool::Mailbox<T>,
    bodies: T::Bodies,
    canary: Canary,
    metrics: Metrics,
    handing: OptionFuture<oneshot::Receiver<Vec<Arc<Transaction>>>>,
    persisting: OptionFuture<oneshot::Receiver<()>>,
}

/// Creates the mailbox first: the mempool needs it, and is a neighbour of the actor.
pub fn mailbox<E: Environment>(
    context: &E,
    size: NonZeroUsize,
) -> (Mailbox, mailbox::Receiver<Ingress>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), size);
    (Mailbox(sender), receiver)
}

impl<E: Environment, T: Types> Actor<E, T> {
    /// Starts with nothing to pack.
    pub fn new(
        context: E,
        config: Config<T::PublicKey>,
        mailbox: mailbox::Receiver<Ingress>,
        mempool: mempool::Mailbox<T>,
        bodies: T::Bodies,
    ) -> Self {
        let metrics = Metrics::new(&context);
        Self {
            context: ContextCell::new(context),
            canary: config.canary,
            state: State::new(config),
            mailbox,
            mempool,
            bodies,
            metrics,
            handing: None.into(),
            persisting: None.into(),
        }
    }

    /// Runs until it is aborted: a chunk that was not handed out was never promised.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        let mut effects = Vec::new();
        loop {
            alarm.set(&*self.context, self.state.wake_ms());
            select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    let message = match message {
                        Ingress::Proposed(request) => Message::Proposed(request),
                        Ingress::Ripened(readiness) => Message::Ripened(readiness),
                    };
                    self.apply(message, &mut effects);
                },
                transactions = &mut self.handing => {
                    self.handing = None.into();
                    // A mempool that went away went with the node.
                    let Ok(transactions) = transactions else { return };
                    self.apply(Message::Handed(transactions), &mut effects);
                },
                durable = &mut self.persisting => {
                    self.persisting = None.into();
                    self.apply(Message::Persisted(durable.is_ok()), &mut effects);
                },
                _ = alarm.rang() => self.apply(Message::Woken, &mut effects),
            }
        }
    }

    fn apply(&mut self, message: Message, effects: &mut Vec<Effect<T::PublicKey>>) {
        self.state.apply(now_ms(&*self.context), message, effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Ask => {
                    let (batch, transactions) = oneshot::channel();
                    self.mempool.asked(batch);
                    self.handing = Some(transactions).into();
                }
                Effect::Persist(chunk) => {
                    let mut durable = self.bodies.persist(chunk);
                    if self.canary.is(Canary::SealBeforeSync) {
                        let (persisted, at_once) = oneshot::channel();
                        durable = at_once;
                        let _ = persisted.send(());
                    }
                    self.persisting = Some(durable).into();
                }
                Effect::Seal {
                    to,
                    payload,
                    sighting,
                } => {
                    // The engine may give up at this very moment: then nobody signs for the chunk.
                    if to.send(payload).is_err() {
                        self.fail();
                        continue;
                    }
                    self.metrics.sealed.inc();
                    self.metrics.transactions.inc_by(u64::from(payload.items));
                    self.metrics.bytes.inc_by(u64::from(payload.bytes));
                    self.mempool.built(Built::Sealed(sighting));
                }
                Effect::Fail => self.fail(),
            }
        }
    }

    fn fail(&mut self) {
        self.metrics.failed.inc();
        warn!("a chunk was not made; its transactions go back");
        self.mempool.built(Built::Failed);
    }
}
