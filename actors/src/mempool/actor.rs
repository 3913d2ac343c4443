//! Select, apply, carry out the effects.

use super::{
    Activity, Effect, Ingress, Mailbox, Message, Observer as _, Refusal, State, config::Config,
    metrics::Metrics, submissions::Submissions, wire,
};
use crate::{
    builder,
    transaction::{Checks, Rules as _, Transaction},
    types::Types,
};
use bytes::Bytes;
use commonware_actor::mailbox;
use commonware_macros::select;
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::futures::Pool;
use drystone_engine::{
    Channel, Environment, Transport,
    alarm::{Alarm, now_ms},
};
use rand::RngExt as _;

/// How a mempool reaches its peers.
pub struct Peers<N: Transport> {
    /// The channel of the dialog; see [`wire`].
    pub channel: Channel<N>,
    /// Cuts off faulty peers.
    pub blocker: N::Blocker,
}

/// See the module's documentation.
pub struct Actor<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> {
    context: ContextCell<E>,
    state: State<T>,
    rules: T::Rules,
    observer: T::Observer,
    limits: wire::Limits,
    mailbox: mailbox::Receiver<Ingress<T>>,
    peers: Peers<N>,
    builder: builder::Mailbox,
    metrics: Metrics,
    submissions: Submissions,
    checking: Pool<'static, Checks>,
}

/// Creates the mailbox first: neighbours need it before the actor is there.
pub fn mailbox<E: Environment, T: Types>(
    context: &E,
    config: &Config,
    rules: T::Rules,
) -> (Mailbox<T>, mailbox::Receiver<Ingress<T>>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), config.mailbox_size);
    let retry_after_ms = config.pool.retry_after_ms;
    let mailbox = Mailbox {
        sender,
        rules,
        retry_after_ms,
    };
    (mailbox, receiver)
}

/// What the application is asked, and told.
pub struct Application<T: Types> {
    /// Decodes and checks.
    pub rules: T::Rules,
    /// Charges for places in chunks.
    pub admission: T::Admission,
    /// Takes what is reported.
    pub observer: T::Observer,
}

/// Where a mempool starts.
pub struct Start<P> {
    /// This node.
    pub me: P,
    /// Time of the newest block executed here.
    pub chain_ms: u64,
}

impl<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> Actor<E, N, T> {
    /// Starts empty at a chain time, following blocks only until told otherwise.
    pub fn new(
        mut context: E,
        config: Config,
        start: Start<T::PublicKey>,
        application: Application<T>,
        mailbox: mailbox::Receiver<Ingress<T>>,
        peers: Peers<N>,
        builder: builder::Mailbox,
    ) -> Self {
        let metrics = Metrics::new(&context);
        // An answer to a request of an earlier start must not pass for one to a request of this one.
        let first_request = u64::from(context.random::<u32>()) << 31;
        let limits = config.wire;
        let admission = application.admission;
        let state = State::new(config, start.me, admission, start.chain_ms, first_request);
        Self {
            context: ContextCell::new(context),
            state,
            rules: application.rules,
            observer: application.observer,
            limits,
            mailbox,
            peers,
            builder,
            metrics,
            submissions: Submissions::default(),
            checking: Pool::default(),
        }
    }

    /// Runs until it is aborted: what it holds is in no need of a disk.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        let mut effects = Vec::new();
        loop {
            alarm.set(&*self.context, Some(self.state.wake_ms()));
            select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    self.ingress(message, &mut effects);
                },
                checks = self.checking.next_completed() => {
                    self.apply(Message::Checked(checks), &mut effects);
                },
                received = self.peers.channel.1.recv() => {
                    let Ok((from, bytes)) = received else { return };
                    self.received(from, bytes.into(), &mut effects);
                },
                _ = alarm.rang() => self.apply(Message::Woken, &mut effects),
            }
        }
    }

    fn ingress(&mut self, message: Ingress<T>, effects: &mut Vec<Effect<T>>) {
        let message = match message {
            // A client that went away meanwhile makes room for others.
            Ingress::Submitted { responder, .. } if responder.is_closed() => return,
            Ingress::Submitted {
                transactions,
                responder,
            } => {
                self.metrics.submitted.inc_by(transactions.len() as u64);
                Message::Submitted {
                    submission: self.submissions.begin(transactions.len(), responder),
                    transactions,
                }
            }
            Ingress::Sighted(sighting) => Message::Sighted(sighting),
            Ingress::Certified(lanes) => {
                for (sequencer, height) in lanes {
                    self.apply(Message::Certified { sequencer, height }, effects);
                }
                return;
            }
            Ingress::Executed(executed) => Message::Executed(executed),
            Ingress::Entered(members) => Message::Entered(members),
            Ingress::BlocksOnly(on) => Message::BlocksOnly(on),
            Ingress::Asked(batch) => Message::Asked(batch),
            Ingress::Built(built) => Message::Built(built),
            Ingress::Usage(responder) => {
                let _ = responder.send(self.state.total());
                return;
            }
        };
        self.apply(message, effects);
    }

    fn received(&mut self, from: T::PublicKey, bytes: Bytes, effects: &mut Vec<Effect<T>>) {
        let message = match wire::Message::decode(bytes, &self.limits) {
            Ok(wire::Message::Announce(ids)) => Message::Announced { from, ids },
            Ok(wire::Message::Get { request, ids }) => Message::Requested { from, request, ids },
            Ok(wire::Message::Missing { request, ids }) => Message::Missed { from, request, ids },
            Ok(wire::Message::Contents { request, contents }) => {
                self.metrics.fetched.inc_by(contents.len() as u64);
                // Copied: what is kept must not pin the rest of the message.
                let copies = contents.iter().map(|it| Bytes::copy_from_slice(it));
                let transactions = copies.map(|it| Transaction::decode(&self.rules, it));
                Message::Delivered {
                    from,
                    request,
                    transactions: transactions.collect(),
                }
            }
            Err(error) => {
                let refusal = Refusal::from(error);
                return self.metrics.refuse(&mut self.peers.blocker, from, &refusal);
            }
        };
        self.apply(message, effects);
    }

    fn apply(&mut self, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.state.apply(now_ms(&*self.context), message, effects);
        for effect in effects.drain(..) {
            self.carry_out(effect);
        }
        let total = self.state.total();
        self.metrics.items.set(gauge(total.items));
        self.metrics.bytes.set(gauge(total.bytes));
        self.metrics.wanted.set(gauge(self.state.wanted()));
    }

    fn carry_out(&mut self, effect: Effect<T>) {
        match effect {
            Effect::Check {
                again,
                transactions,
            } => {
                let rules = self.rules.clone();
                self.checking.push(async move {
                    if again {
                        rules.recheck(transactions).await
                    } else {
                        rules.check(transactions).await
                    }
                });
            }
            Effect::Answer { client, answer } => self.submissions.answer(client, answer),
            Effect::Send { to, message } => {
                match &message {
                    wire::Message::Announce(ids) => {
                        self.metrics.announced.inc_by((ids.len() * to.len()) as u64);
                    }
                    wire::Message::Contents { contents, .. } => {
                        self.metrics.served.inc_by(contents.len() as u64);
                    }
                    wire::Message::Get { .. } | wire::Message::Missing { .. } => {}
                }
                let sender = &mut self.peers.channel.0;
                sender.send(Recipients::Some(to), message.encode(), false);
            }
            Effect::Refuse { from, refusal } => {
                self.metrics.refuse(&mut self.peers.blocker, from, &refusal);
            }
            Effect::Ripened(readiness) => {
                self.metrics.marks.set(gauge(self.state.marks()));
                self.builder.ripened(readiness);
            }
            Effect::Hand {
                batch,
                transactions,
            } => {
                self.metrics.handed.inc_by(transactions.len() as u64);
                // A builder that went away went with the node.
                let _ = batch.send(transactions);
            }
            Effect::Report(activity) => {
                if matches!(activity, Activity::Accepted { .. }) {
                    self.metrics.accepted.inc();
                }
                self.observer.report(activity);
            }
        }
    }
}

fn gauge(amount: usize) -> i64 {
    i64::try_from(amount).unwrap_or(i64::MAX)
}
