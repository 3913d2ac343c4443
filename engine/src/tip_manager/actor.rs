//! Select, apply, carry out the effects.

use super::{Candidate, Config, Effect, Ingress, Mailbox, Message, State, To, metrics::Metrics};
use crate::{
    ack_manager,
    activity::{Activity, Automaton as _, Judgement, Reporter as _, Verdict},
    alarm::{Alarm, now_ms},
    environment::{Channel, Environment, Transport},
    journal::Writer,
    record::Record,
    refusal::Refusal,
    refuse::refuse,
    sequencer,
    types::{Digest, Signed, Types},
    wire::{Acks, Envelope, Gossip},
};
use commonware_actor::mailbox;
use commonware_cryptography::certificate::Verifier as _;
use commonware_macros::select;
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_parallel::Strategy as _;
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::futures::Pool;
use futures::FutureExt as _;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{future::pending, sync::Arc};

/// The channels of a tip manager.
pub struct Peers<N: Transport> {
    /// Headers from sequencers, and answers to fetches.
    pub headers: Channel<N>,
    /// Certificates, fetches, questions.
    pub gossip: Channel<N>,
    /// Acks to sequencers.
    pub acks: N::Sender,
    /// Answers to questions.
    pub answers: N::Sender,
    /// Cuts off faulty peers.
    pub blocker: N::Blocker,
}

/// The other actors of the node that a tip manager talks to.
pub(crate) struct Neighbours<T: Types> {
    pub sequencer: Option<sequencer::Mailbox<T>>,
    pub ack_manager: Option<ack_manager::Mailbox<T>>,
    pub journal: Writer<Record<T>>,
}

/// A verdict that came later.
type Judged<T> = (Arc<Signed<T>>, Verdict);

/// See the module's documentation.
pub struct Actor<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> {
    context: ContextCell<E>,
    state: State<T>,
    config: Config<T>,
    mailbox: mailbox::Receiver<Ingress<T>>,
    peers: Peers<N>,
    neighbours: Neighbours<T>,
    metrics: Metrics,
    judging: Pool<'static, Judged<T>>,
    checking: Pool<'static, Vec<(Candidate<T>, bool)>>,
    me: T::PublicKey,
    /// Empty between two messages, kept for its memory.
    verdicts: Vec<Message<T>>,
}

/// Creates the mailbox first: the journal notifies it, and is a neighbour of the actor.
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
        state: State<T>,
        mailbox: mailbox::Receiver<Ingress<T>>,
        peers: Peers<N>,
        neighbours: Neighbours<T>,
    ) -> Self {
        let metrics = Metrics::new(&context);
        let me = config.me.clone();
        Self {
            context: ContextCell::new(context),
            state,
            config,
            mailbox,
            peers,
            neighbours,
            metrics,
            judging: Pool::default(),
            checking: Pool::default(),
            me,
            verdicts: Vec::new(),
        }
    }

    /// Runs until it is aborted: it has nothing to finish, since whatever it promised was durable before.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let interval_ms = u64::try_from(self.config.rebroadcast.as_millis()).expect("an interval");
        // The first tick is drawn, so that nodes started together do not tick together.
        let start_ms = now_ms(&*self.context);
        let mut tick_ms = start_ms + self.context.random_range(1..=interval_ms.max(1));
        let mut alarm = Alarm::default();
        let mut effects = Vec::new();
        self.apply(Message::Started, &mut effects);
        loop {
            let at_ms = self.state.wake_ms().map_or(tick_ms, |it| it.min(tick_ms));
            alarm.set(&*self.context, Some(at_ms));
            select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    self.ingress(message, &mut effects);
                    // What else waits would be next in any case, after a turn of the loop for each.
                    while let Ok(message) = self.mailbox.try_recv() {
                        self.ingress(message, &mut effects);
                    }
                },
                (header, verdict) = completed(&mut self.judging) => {
                    let message = judged(&header, verdict);
                    self.apply(message, &mut effects);
                },
                results = completed(&mut self.checking) => {
                    self.apply(Message::Checked(results), &mut effects);
                },
                received = self.peers.headers.1.recv() => {
                    let Ok((from, bytes)) = received else { return };
                    match Envelope::decode(bytes, self.state.epochs()) {
                        Ok(envelope) => {
                            self.metrics.headers.inc_by(envelope.headers.len() as u64);
                            self.apply(Message::Delivered { from, envelope }, &mut effects);
                        }
                        Err(refusal) => self.refuse(&from, &refusal),
                    }
                },
                received = self.peers.gossip.1.recv() => {
                    let Ok((from, bytes)) = received else { return };
                    match Gossip::decode(bytes, self.state.epochs()) {
                        Ok(gossip) => self.apply(Message::Gossiped { from, gossip }, &mut effects),
                        Err(refusal) => self.refuse(&from, &refusal),
                    }
                },
                _ = alarm.rang() => {
                    let now_ms = now_ms(&*self.context);
                    if now_ms >= tick_ms {
                        tick_ms = now_ms + interval_ms;
                        self.metrics.headers_held.set(self.state.headers_held() as i64);
                        self.apply(Message::Ticked, &mut effects);
                    }
                    self.apply(Message::Woken, &mut effects);
                },
            }
        }
    }

    fn ingress(&mut self, message: Ingress<T>, effects: &mut Vec<Effect<T>>) {
        let message = match message {
            Ingress::Assembled(certificate) => Message::Assembled(certificate),
            Ingress::Synced(position) => Message::Synced(position),
            Ingress::Entered(epoch) => Message::Entered(epoch),
            Ingress::Advanced(horizon) => Message::Advanced(horizon),
            Ingress::Stirred => Message::Stirred,
            Ingress::Asked {
                sequencer,
                above,
                to,
                responder,
            } => Message::Asked {
                sequencer,
                above,
                to,
                responder,
            },
            Ingress::Proposed(envelope) => Message::Delivered {
                from: self.me.clone(),
                envelope,
            },
        };
        self.apply(message, effects);
    }

    fn apply(&mut self, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.apply_at(now_ms(&*self.context), message, effects);
    }

    /// Applies a message and what follows from it at once: verdicts known on the spot.
    fn apply_at(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.state.apply(now_ms, message, effects);
        let mut records = Vec::new();
        let mut verdicts = std::mem::take(&mut self.verdicts);
        for effect in effects.drain(..) {
            match effect {
                Effect::Journal(record) => records.push(record),
                other => {
                    self.append(&mut records);
                    verdicts.extend(self.carry_out(other));
                }
            }
        }
        self.append(&mut records);
        for message in verdicts.drain(..) {
            self.apply_at(now_ms, message, effects);
        }
        self.verdicts = verdicts;
    }

    fn append(&mut self, records: &mut Vec<Record<T>>) {
        if records.is_empty() {
            return;
        }
        let epoch = self.state.newest_epoch();
        let urgent = records.iter().any(|it| is_awaited(it, epoch));
        let records = std::mem::take(records);
        if urgent {
            self.neighbours.journal.append(records);
        } else {
            self.neighbours.journal.append_lazily(records);
        }
    }

    fn carry_out(&mut self, effect: Effect<T>) -> Option<Message<T>> {
        match effect {
            Effect::Journal(_) => unreachable!("appended in order by the caller"),
            Effect::Forget(keys) => self.neighbours.journal.forget(keys),
            Effect::Judge(header) => return self.judge(header),
            Effect::Ack(acks) => self.ack(acks),
            Effect::Answer { to, envelope } => {
                let epochs = self.state.epochs();
                // Nobody is shown the lane of a sequencer that left long ago.
                let committee = epochs.holding(&envelope.sequencer)?;
                let bytes = envelope.encode(&committee);
                self.peers.headers.0.send(Recipients::One(to), bytes, false);
            }
            Effect::Serve { to, from, upto } => {
                if let Some(sequencer) = &self.neighbours.sequencer {
                    sequencer.asked(to, from, upto);
                }
            }
            Effect::Gossip { to, gossip } => self.gossip(to, &gossip),
            Effect::Tell { to, told } => {
                self.peers
                    .answers
                    .send(Recipients::One(to), told.encode(), false);
            }
            Effect::Check(candidates) => self.check(candidates),
            Effect::Report(activity) => self.report(activity),
            // Who does not wait any more needs nothing.
            Effect::Walked(responder, run) => _ = responder.send(run),
            Effect::Refuse { from, refusal } => self.refuse(&from, &refusal),
        }
        None
    }

    fn refuse(&mut self, from: &T::PublicKey, refusal: &Refusal) {
        let (blocker, refusals) = (&mut self.peers.blocker, &self.metrics.refusals);
        refuse(blocker, refusals, from, refusal);
    }

    fn judge(&mut self, header: Arc<Signed<T>>) -> Option<Message<T>> {
        self.metrics.judged.inc();
        match self.config.automaton.judge(header.header()) {
            Judgement::Now(verdict) => return Some(judged(&header, verdict)),
            Judgement::Later(verdict) => {
                // A dropped verdict is how the application pushes back.
                self.judging
                    .push(verdict.map(|it| (header, it.unwrap_or(Verdict::Pending))));
            }
        }
        None
    }

    fn ack(&mut self, acks: Acks<T>) {
        self.metrics.acks.inc_by(acks.acks.len() as u64);
        if acks.sequencer == self.me {
            if let Some(ack_manager) = &self.neighbours.ack_manager {
                ack_manager.acked(acks);
            }
            return;
        }
        let to = Recipients::One(acks.sequencer.clone());
        self.peers
            .acks
            .send(to, acks.encode(), self.config.priority_acks);
    }

    fn gossip(&mut self, to: To<T::PublicKey>, gossip: &Gossip<T>) {
        let to = match to {
            To::Peer(peer) => peer,
            To::AnyValidator => {
                let validators = self.state.epochs().current().validators();
                let others =
                    validators.len() - usize::from(validators.position(&self.me).is_some());
                if others == 0 {
                    return;
                }
                let drawn = self.context.random_range(0..others);
                validators
                    .iter()
                    .filter(|it| **it != self.me)
                    .nth(drawn)
                    .expect("drawn")
                    .clone()
            }
        };
        if matches!(gossip, Gossip::Fetch { .. }) {
            self.metrics.fetches.inc();
        }
        let bytes = gossip.encode(self.state.epochs());
        self.peers.gossip.0.send(Recipients::One(to), bytes, false);
    }

    /// Checks certificates together, off the loop. Those of one epoch share a batch; a bad one is
    /// found by bisection.
    fn check(&mut self, candidates: Vec<Candidate<T>>) {
        let len = candidates.len();
        self.metrics.certificates_checked.inc_by(len as u64);
        let epochs = self.state.epochs().clone();
        let mut rng = StdRng::from_rng(&mut *self.context);
        let strategy = self.config.strategy.clone();
        let check = move |strategy: T::Strategy| {
            let mut results = Vec::with_capacity(candidates.len());
            let mut rest = candidates;
            while let Some(epoch) = rest.first().map(|it| it.certificate.epoch) {
                let (batch, others): (Vec<_>, Vec<_>) = rest
                    .into_iter()
                    .partition(|it| it.certificate.epoch == epoch);
                rest = others;
                let valid = match epochs.committee(epoch) {
                    Some(committee) => {
                        let pairs: Vec<_> = batch
                            .iter()
                            .map(|it| (it.certificate.subject(), &it.certificate.proof))
                            .collect();
                        let scheme = committee.scheme();
                        scheme.verify_certificates_bisect::<_, Digest>(&mut rng, &pairs, &strategy)
                    }
                    None => vec![false; batch.len()],
                };
                results.extend(batch.into_iter().zip(valid));
            }
            results
        };
        self.checking
            .push(async move { strategy.spawn(len, check).await });
    }

    fn report(&mut self, activity: Activity<T>) {
        match &activity {
            Activity::Tip(_) => {
                self.metrics.locks.inc();
            }
            Activity::Certified(certificate) => {
                self.metrics.certificates.inc();
                if certificate.sequencer == self.me
                    && let Some(sequencer) = &self.neighbours.sequencer
                {
                    sequencer.certified(certificate.clone());
                }
            }
            Activity::Evidence(_) => {
                self.metrics.evidence.inc();
            }
            Activity::Entered(epoch) => {
                self.metrics
                    .epoch
                    .set(i64::try_from(*epoch).unwrap_or(i64::MAX));
            }
            Activity::Proposed(_) | Activity::Linked(_) | Activity::Acked { .. } => {}
        }
        self.config.reporter.report(activity);
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

/// Whether an ack waits for a record. A base certified in the newest epoch gets no ack of its own, and the locks above it
/// come later in the journal: it may wait for their sync, or for that of the next epoch.
fn is_awaited<T: Types>(record: &Record<T>, epoch: u64) -> bool {
    match record {
        Record::Base {
            certificate: Some(certificate),
            ..
        } => certificate.epoch < epoch,
        Record::Evidence { .. } => false,
        _ => true,
    }
}

fn judged<T: Types>(header: &Signed<T>, verdict: Verdict) -> Message<T> {
    Message::Judged {
        sequencer: header.header().sequencer.clone(),
        height: header.height(),
        digest: header.digest(),
        verdict,
    }
}
