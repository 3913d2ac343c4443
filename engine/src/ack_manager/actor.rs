//! Select, apply, carry out the effects.

use super::{Config, Effect, Ingress, Job, Mailbox, Message, State, metrics::Metrics};
use crate::{
    alarm::{Alarm, now_ms},
    environment::{Environment, Transport},
    epochs::Epochs,
    refuse::refuse,
    sequencer, tip_manager,
    types::{Digest, Proof, Tip, Types},
    wire::Acks,
};
use commonware_actor::mailbox;
use commonware_cryptography::certificate::{Scheme as _, Verification};
use commonware_macros::select;
use commonware_p2p::Receiver as _;
use commonware_parallel::Strategy as _;
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::futures::Pool;
use rand::{SeedableRng as _, rngs::StdRng};

type Assembled<T> = (Job<T>, Result<Proof<T>, Verification<<T as Types>::Scheme>>);

/// See the module's documentation.
pub struct Actor<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> {
    context: ContextCell<E>,
    state: State<T>,
    me: T::PublicKey,
    epochs: Epochs<T>,
    strategy: T::Strategy,
    mailbox: mailbox::Receiver<Ingress<T>>,
    receiver: N::Receiver,
    blocker: N::Blocker,
    sequencer: sequencer::Mailbox<T>,
    tip_manager: tip_manager::Mailbox<T>,
    metrics: Metrics,
    assembling: Pool<'static, Assembled<T>>,
}

pub(crate) fn mailbox<E: Environment, T: Types>(
    context: &E,
    size: std::num::NonZeroUsize,
) -> (Mailbox<T>, mailbox::Receiver<Ingress<T>>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), size);
    (Mailbox(sender), receiver)
}

impl<E: Environment, N: Transport<PublicKey = T::PublicKey>, T: Types> Actor<E, N, T> {
    /// `in_flight` are the places that acks may come for from the start.
    pub(crate) fn new(
        context: E,
        config: Config<T>,
        in_flight: Vec<Tip>,
        mailbox: mailbox::Receiver<Ingress<T>>,
        (receiver, blocker): (N::Receiver, N::Blocker),
        sequencer: sequencer::Mailbox<T>,
        tip_manager: tip_manager::Mailbox<T>,
    ) -> Self {
        let metrics = Metrics::new(&context);
        let (bounds, epoch) = (config.bounds, config.epochs.epoch());
        let mut state = State::new(config.me.clone(), bounds, config.pace, epoch);
        for tip in in_flight {
            state.apply(0, Message::Sealed(tip), &mut Vec::new());
        }
        Self {
            context: ContextCell::new(context),
            state,
            me: config.me,
            epochs: config.epochs,
            strategy: config.strategy,
            mailbox,
            receiver,
            blocker,
            sequencer,
            tip_manager,
            metrics,
            assembling: Pool::default(),
        }
    }

    /// Runs until it is aborted: it has nothing to finish.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut effects = Vec::new();
        let mut alarm = Alarm::default();
        loop {
            alarm.set(&*self.context, self.state.wake_ms());
            select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    self.accept(message, &mut effects);
                    // What else waits would be next in any case, after a turn of the loop for each.
                    while let Ok(message) = self.mailbox.try_recv() {
                        self.accept(message, &mut effects);
                    }
                },
                (job, result) = self.assembling.next_completed() => {
                    if result.is_err() {
                        self.metrics.bisected.inc();
                    }
                    self.apply(Message::Assembled { job, result }, &mut effects);
                },
                received = self.receiver.recv() => {
                    let Ok((from, bytes)) = received else { return };
                    match Acks::decode(bytes, &from, &self.epochs) {
                        Ok(acks) => {
                            self.metrics.acks.inc_by(acks.acks.len() as u64);
                            self.apply(Message::Acked { from, acks }, &mut effects);
                        }
                        Err(refusal) => {
                            refuse(&mut self.blocker, &self.metrics.refusals, &from, &refusal);
                        }
                    }
                },
                _ = alarm.rang() => self.apply(Message::Woken, &mut effects),
            }
        }
    }

    fn accept(&mut self, message: Ingress<T>, effects: &mut Vec<Effect<T>>) {
        let message = match message {
            Ingress::Acked(acks) => Message::Acked {
                from: self.me.clone(),
                acks,
            },
            Ingress::Sealed(tip) => Message::Sealed(tip),
            Ingress::Certified(certificate) => Message::Certified(certificate),
            Ingress::Executed(tip) => Message::Executed(tip),
            Ingress::Entered(epoch) => {
                self.epochs.enter(epoch);
                Message::Entered(epoch)
            }
        };
        self.apply(message, effects);
    }

    fn apply(&mut self, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.state.apply(now_ms(&*self.context), message, effects);
        for effect in effects.drain(..) {
            match effect {
                Effect::Assemble(job) => {
                    let job = assemble(job, self.strategy.clone(), &mut *self.context);
                    self.assembling.push(job);
                }
                Effect::Certified(certificate) => {
                    self.metrics.assembled.inc();
                    self.sequencer.certified(certificate.clone());
                    self.tip_manager.assembled(certificate);
                }
                Effect::Refuse { from, refusal } => {
                    refuse(&mut self.blocker, &self.metrics.refusals, &from, &refusal);
                }
            }
        }
    }
}

/// Checks and combines a quorum at once; on failure the forged acks are found by bisection.
fn assemble<E: Environment, T: Types>(
    mut job: Job<T>,
    strategy: T::Strategy,
    context: &mut E,
) -> impl Future<Output = Assembled<T>> + Send + 'static + use<E, T> {
    let mut rng = StdRng::from_rng(context);
    let pending = std::mem::take(&mut job.pending);
    async move {
        let assembling = strategy.spawn(pending.len(), move |strategy| {
            let subject = job.tip.subject(job.committee.epoch(), &job.sequencer);
            let scheme = job.committee.scheme();
            let verified = job.verified.iter();
            let result = scheme.optimistic_assemble::<_, Digest, _, _>(
                &mut rng, subject, pending, verified, &strategy,
            );
            (job, result)
        });
        assembling.await
    }
}
