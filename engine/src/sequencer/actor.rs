//! Select, apply, carry out the effects.

use super::{Config, Effect, Ingress, Mailbox, Message, State, metrics::Metrics};
use crate::{
    ack_manager,
    activity::{Activity, Automaton as _, Reporter as _},
    alarm::{Alarm, now_ms},
    environment::{Environment, Transport},
    journal::Writer,
    record::{Key, Record},
    tip_manager,
    types::{Payload, Signed, Types},
    wire::Envelope,
};
use commonware_actor::mailbox;
use commonware_macros::select;
use commonware_p2p::{Recipients, Sender as _};
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::{channel::oneshot, futures::OptionFuture};
use rand::RngExt as _;
use std::{collections::VecDeque, sync::Arc};

/// The other actors of the node that a sequencer engine talks to.
pub(crate) struct Neighbours<T: Types> {
    pub ack_manager: ack_manager::Mailbox<T>,
    pub tip_manager: tip_manager::Mailbox<T>,
    pub journal: Writer<Record<T>>,
}

/// See the module's documentation.
pub struct Actor<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> {
    context: ContextCell<E>,
    state: State<T>,
    automaton: T::Automaton,
    reporter: T::Reporter,
    config: Settings,
    mailbox: mailbox::Receiver<Ingress<T>>,
    sender: N::Sender,
    neighbours: Neighbours<T>,
    metrics: Metrics,
    proposal: OptionFuture<oneshot::Receiver<Payload>>,
    /// When each header in flight was first sent, lowest first.
    sent_ms: VecDeque<(u64, u64)>,
}

struct Settings {
    interval_ms: u64,
    priority: bool,
}

pub(crate) fn mailbox<E: Environment, T: Types>(
    context: &E,
    size: std::num::NonZeroUsize,
) -> (Mailbox<T>, mailbox::Receiver<Ingress<T>>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), size);
    (Mailbox(sender), receiver)
}

impl<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> Actor<E, N, T> {
    pub(crate) fn new(
        context: E,
        config: Config<T>,
        records: &[Record<T>],
        mailbox: mailbox::Receiver<Ingress<T>>,
        sender: N::Sender,
        neighbours: Neighbours<T>,
    ) -> Self {
        let metrics = Metrics::new(&context);
        let interval_ms = u64::try_from(config.rebroadcast.as_millis()).expect("an interval");
        Self {
            context: ContextCell::new(context),
            state: State::restore(config.state, records),
            automaton: config.automaton,
            reporter: config.reporter,
            config: Settings {
                interval_ms,
                priority: config.priority_proposals,
            },
            mailbox,
            sender,
            neighbours,
            metrics,
            proposal: None.into(),
            sent_ms: VecDeque::new(),
        }
    }

    /// The places that acks may come for from the start.
    pub(crate) fn in_flight(&self) -> Vec<crate::types::Tip> {
        self.state.in_flight()
    }

    /// Runs until it is aborted: it has nothing to finish, since whatever it promised was durable before.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let start_ms = now_ms(&*self.context);
        let interval_ms = self.config.interval_ms;
        let mut tick_ms = start_ms + self.context.random_range(1..=interval_ms.max(1));
        let mut alarm = Alarm::default();
        let mut effects = Vec::new();
        // What was in flight when the node stopped is sent again at once.
        self.apply(Message::Ticked, &mut effects);
        loop {
            let at_ms = self.state.wake_ms().map_or(tick_ms, |it| it.min(tick_ms));
            alarm.set(&*self.context, Some(at_ms));
            select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    self.accept(message, &mut effects);
                    // What else waits would be next in any case, after a turn of the loop for each.
                    while let Ok(message) = self.mailbox.try_recv() {
                        self.accept(message, &mut effects);
                    }
                    self.observe();
                },
                payload = &mut self.proposal => {
                    self.proposal = None.into();
                    let message = if let Ok(payload) = payload {
                        Message::Sealed(payload)
                    } else {
                        self.metrics.declined.inc();
                        Message::Declined
                    };
                    self.apply(message, &mut effects);
                },
                _ = alarm.rang() => {
                    let now_ms = now_ms(&*self.context);
                    if now_ms >= tick_ms {
                        tick_ms = now_ms + interval_ms;
                        self.apply(Message::Ticked, &mut effects);
                    }
                    self.apply(Message::Woken, &mut effects);
                },
            }
        }
    }

    fn accept(&mut self, message: Ingress<T>, effects: &mut Vec<Effect<T>>) {
        let message = self.ingress(message);
        self.apply(message, effects);
    }

    /// What of the lane's fate the ack manager has to know, it hears here.
    fn ingress(&self, message: Ingress<T>) -> Message<T> {
        match message {
            Ingress::Synced(position) => Message::Synced(position),
            Ingress::Certified(certificate) => {
                self.neighbours.ack_manager.certified(certificate.clone());
                Message::Certified(certificate)
            }
            Ingress::Entered(epoch) => {
                self.neighbours.ack_manager.entered(epoch);
                Message::Entered(epoch)
            }
            Ingress::Advanced(horizon) => {
                if let Some(tip) = horizon.executed.get(self.state.me()) {
                    self.neighbours.ack_manager.executed(*tip);
                }
                Message::Advanced(horizon)
            }
            Ingress::Asked { to, from, upto } => Message::Asked { to, from, upto },
        }
    }

    fn apply(&mut self, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.state.apply(now_ms(&*self.context), message, effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Propose(next) => self.proposal = Some(self.automaton.propose(next)).into(),
                Effect::Journal(header) => self.journal(header),
                Effect::Forget(below) => {
                    self.neighbours
                        .journal
                        .forget(Key::Own(0)..=Key::Own(below - 1));
                }
                Effect::Publish { headers, envelope } => self.publish(&headers, &envelope),
                Effect::Broadcast(envelope) => {
                    self.metrics.rebroadcasts.inc();
                    self.broadcast(&envelope);
                    self.neighbours.tip_manager.proposed(envelope);
                }
                Effect::Answer { to, envelope } => {
                    let bytes = envelope.encode(self.state.committee());
                    self.sender.send(Recipients::One(to), bytes, false);
                }
                Effect::Count(tip) => self.neighbours.ack_manager.sealed(tip),
            }
        }
    }

    /// This node's own lock goes into the journal right behind the header, so that one sync makes both durable: nobody else
    /// sees either before that, and no lock is there without its header.
    fn journal(&mut self, header: Arc<Signed<T>>) {
        let record = Record::Own {
            header: header.clone(),
        };
        self.neighbours.journal.append(vec![record]);
        self.neighbours.ack_manager.sealed(header.tip());
        // With the one before, in case a full mailbox dropped it.
        let headers = self.state.before(&header).into_iter().chain([header]);
        self.neighbours.tip_manager.proposed(Envelope {
            sequencer: self.state.me().clone(),
            headers: headers.collect(),
            certificate: None,
        });
    }

    fn publish(&mut self, headers: &[Arc<Signed<T>>], envelope: &Envelope<T>) {
        let now_ms = now_ms(&*self.context);
        for header in headers {
            self.sent_ms.push_back((header.height(), now_ms));
            self.reporter.report(Activity::Proposed(header.clone()));
        }
        self.metrics.proposed.inc_by(headers.len() as u64);
        self.broadcast(envelope);
        for header in headers {
            self.automaton.relay(header.header());
        }
    }

    fn broadcast(&mut self, envelope: &Envelope<T>) {
        let committee = self.state.committee();
        let validators = committee.validators().iter();
        let others: Vec<_> = validators
            .filter(|it| *it != self.state.me())
            .cloned()
            .collect();
        let bytes = envelope.encode(committee);
        self.sender
            .send(Recipients::Some(others), bytes, self.config.priority);
    }

    /// Height and latency, after what may have moved them.
    fn observe(&mut self) {
        let gauge = |height: u64| i64::try_from(height).unwrap_or(i64::MAX);
        self.metrics.height.set(gauge(self.state.height()));
        let certified = self.state.certificate().map_or(0, |it| it.tip.height);
        self.metrics.certified_height.set(gauge(certified));
        let now_ms = now_ms(&*self.context);
        while self
            .sent_ms
            .front()
            .is_some_and(|(height, _)| *height <= certified)
        {
            let (_, sent_ms) = self.sent_ms.pop_front().expect("just seen");
            let elapsed = now_ms.saturating_sub(sent_ms);
            self.metrics
                .certified_seconds
                .observe(elapsed as f64 / 1000.0);
        }
    }
}
