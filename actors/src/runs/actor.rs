//! Select, apply, carry out the effects.

use super::{
    Config, Effect, Mailbox, Message, Question, Records as _, Refusal, Run, State,
    ingress::Ingress,
    metrics::Metrics,
    ports::{PublicKey, Types},
    wire::{self, Request},
};
use crate::executor::{Lanes, Record};
use commonware_actor::mailbox::{self, Receiver};
use commonware_macros::{select, select_loop};
use commonware_p2p::{Blocker as _, Receiver as _, Recipients, Sender as _};
use commonware_runtime::{Clock, ContextCell, Handle, spawn_cell};
use commonware_utils::{channel::oneshot, futures::Pool};
use drystone_engine::{
    Channel, Environment, Transport,
    alarm::{Alarm, now_ms},
    types::{self, Genesis},
};
use futures::FutureExt as _;
use rand::{SeedableRng as _, rngs::StdRng};
use std::{collections::BTreeMap, future::pending, sync::Arc, time::Duration};
use tracing::{debug, warn};

/// A record that was read: for whom, what it asked, what was found.
type Read<T> = (
    PublicKey<T>,
    Request<PublicKey<T>>,
    Option<Record<<T as Types>::Engine>>,
);

/// See the [module](super).
pub struct Actor<E: Environment, N: Transport, T: Types> {
    context: ContextCell<E>,
    clock: Arc<E>,
    genesis: Arc<Genesis>,
    retry: Duration,
    state: State<T::Engine>,
    mailbox: Receiver<Ingress<T::Engine>>,
    channel: Channel<N>,
    blocker: N::Blocker,
    lanes: T::Lanes,
    records: T::Records,
    metrics: Metrics,
    /// The number of the next want. The first is drawn, so that an answer to an earlier life is no wrong answer to this one.
    next: u64,
    /// Takes what peers send, for who waits under a number.
    found: BTreeMap<u64, oneshot::Sender<Run<T::Engine>>>,
    waiting: Pool<'static, u64>,
    reading: Pool<'static, Read<T>>,
}

impl<E, N, T> Actor<E, N, T>
where
    E: Environment,
    N: Transport<PublicKey = PublicKey<T>>,
    T: Types,
{
    /// The actor and how it is reached. It knows nobody until it is told of an epoch.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(
        mut context: E,
        config: Config,
        channel: Channel<N>,
        blocker: N::Blocker,
        lanes: T::Lanes,
        records: T::Records,
    ) -> (Self, Mailbox<T::Engine>) {
        let (sender, mailbox) = mailbox::new(context.child("mailbox"), config.mailbox_size);
        let metrics = Metrics::new(&context);
        let next = context.next_u64();
        let rng = StdRng::from_rng(&mut context);
        let actor = Self {
            clock: Arc::new(context.child("engine")),
            context: ContextCell::new(context),
            genesis: config.genesis.clone(),
            retry: Duration::from_millis(config.retry_ms.get()),
            state: State::new(config, rng),
            mailbox,
            channel,
            blocker,
            lanes,
            records,
            metrics,
            next,
            found: BTreeMap::new(),
            waiting: Pool::default(),
            reading: Pool::default(),
        };
        (actor, Mailbox(sender))
    }

    /// Runs until the node stops.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        select_loop! {
            self.context,
            on_start => {
                alarm.set(&*self.context, self.state.wake_ms());
                self.metrics.wants.set(self.found.len() as i64);
            },
            on_stopped => {},
            Some(message) = self.mailbox.recv() else break => match message {
                Ingress::Entered(peers) => self.apply(Message::Entered(peers)),
                Ingress::Asked { question, responder } => self.asked(question, responder),
            },
            number = completed(&mut self.waiting) => {
                self.found.remove(&number);
                self.apply(Message::Ended(number));
            },
            (peer, request, record) = completed(&mut self.reading) => {
                self.apply(Message::Read { peer, request, record });
            },
            Ok((from, message)) = self.channel.1.recv() else break => {
                match wire::Message::decode::<T::Engine>(message, &self.genesis) {
                    Ok(wire::Message::Request(request)) => {
                        self.apply(Message::Asked { from, request });
                    }
                    Ok(wire::Message::Answer(answer)) => {
                        self.apply(Message::Answered { from, answer });
                    }
                    Err(refusal) => self.refuse(from, &refusal),
                }
            },
            _ = alarm.rang() => self.apply(Message::Woken),
        }
    }

    fn asked(
        &mut self,
        question: Question<PublicKey<T>>,
        responder: oneshot::Sender<Run<T::Engine>>,
    ) {
        let number = self.next;
        self.next = self.next.wrapping_add(1);
        let (sender, found) = oneshot::channel();
        self.found.insert(number, sender);
        let (clock, lanes) = (Arc::clone(&self.clock), self.lanes.clone());
        let answering = answer(clock, lanes, self.retry, question.clone(), found, responder);
        self.waiting.push(answering.map(move |()| number));
        self.apply(Message::Wanted(number, question));
    }

    fn apply(&mut self, message: Message<T::Engine>) {
        let mut effects = Vec::new();
        self.state
            .apply(now_ms(&*self.context), message, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<T::Engine>) {
        match effect {
            Effect::Ask(peer, request) => {
                self.metrics.asked.inc();
                self.send(peer, wire::Message::Request(request));
            }
            Effect::Give(number, run) => {
                self.metrics.found.inc();
                if let Some(found) = self.found.remove(&number) {
                    let _ = found.send(run);
                }
            }
            Effect::Read(peer, request) => {
                let record = self.records.record(request.question.height);
                let read = record.map(move |it| (peer, request, it.ok().flatten()));
                self.reading.push(read);
            }
            Effect::Answer(peer, answer) => {
                if let Some(run) = &answer.run {
                    self.metrics.served.inc();
                    self.metrics.served_bytes.inc_by(run.len() as u64);
                }
                self.send(peer, wire::Message::Answer(answer));
            }
            Effect::Refuse(from, refusal) => self.refuse(from, &refusal),
        }
    }

    fn send(&mut self, peer: PublicKey<T>, message: wire::Message<PublicKey<T>>) {
        let to = Recipients::One(peer);
        self.channel.0.send(to, message.encode(), false);
    }

    /// Logs and counts a refusal, and cuts the peer off if an honest one could never have caused it.
    fn refuse(&mut self, from: PublicKey<T>, refusal: &Refusal) {
        self.metrics.refused(refusal);
        if refusal.is_attributable() {
            warn!(?from, %refusal, "blocking a faulty peer");
            let _ = self.blocker.block(from);
        } else {
            debug!(?from, %refusal, "ignored");
        }
    }
}

/// Answers with what comes first, from the engine or from a peer. Ends without, if nobody waits any more.
async fn answer<T: types::Types>(
    clock: Arc<impl Clock>,
    lanes: impl Lanes<T>,
    retry: Duration,
    question: Question<T::PublicKey>,
    found: oneshot::Receiver<Run<T>>,
    mut responder: oneshot::Sender<Run<T>>,
) {
    let run = select! {
        run = walk(clock, lanes, retry, question) => Some(run),
        run = found => run.ok(),
        _ = responder.closed() => None,
    };
    if let Some(run) = run {
        let _ = responder.send(run);
    }
}

/// Asks the engine, for ever. Dropping this withdraws the question.
async fn walk<T: types::Types>(
    clock: Arc<impl Clock>,
    lanes: impl Lanes<T>,
    retry: Duration,
    question: Question<T::PublicKey>,
) -> Run<T> {
    let Question {
        height,
        sequencer,
        above,
        to,
    } = question;
    loop {
        match lanes.run(height, &sequencer, above, to).await {
            Ok(run) => return run,
            Err(_) => clock.sleep(retry).await,
        }
    }
}

/// The next result of a pool. An empty pool costs a turn of the loop nothing.
async fn completed<O: Send>(pool: &mut Pool<'static, O>) -> O {
    if pool.is_empty() {
        pending().await
    } else {
        pool.next_completed().await
    }
}
