//! Select, apply, carry out the effects.

use super::{
    Config, Id, Mailbox, Message, Order, Start, State,
    ingress::{Ingress, Judged},
    metrics::Metrics,
    state::Effect,
};
use crate::{
    block::{Block, Included, rules::Invalid},
    certificate_pool::{self, Candidate, Selection},
    executor::Lanes,
};
use commonware_actor::mailbox;
use commonware_cryptography::certificate::Verifier as _;
use commonware_macros::select;
use commonware_parallel::Strategy as _;
use commonware_runtime::{ContextCell, Handle, spawn_cell};
use commonware_utils::{
    channel::oneshot,
    futures::{AbortablePool, Aborter, Pool},
};
use drystone_engine::{
    Environment,
    alarm::{Alarm, now_ms},
    types::{Certificate, Digest, Signed, Tip, Types},
};
use futures::FutureExt as _;
use rand::{SeedableRng as _, rngs::StdRng};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tracing::{debug, warn};

/// The lanes' engine, as far as blocks need it.
pub trait Source<T: Types>: Lanes<T> {
    /// A certificate in a block holds, which nobody had told this actor of: so it need not be verified again, and may be
    /// the newest of its lane.
    fn certified(&self, certificate: Arc<Certificate<T>>);

    /// A block that this node was asked to vote for can never become valid.
    fn refused(&self, _invalid: &Invalid<T::PublicKey>) {}

    /// A block was built, and is about to be proposed: what comes back is.
    fn proposes(&self, _order: &Order<T>, block: Block<T>) -> Block<T> {
        block
    }
}

/// Certificates of a block, and whether each holds. One whose committee is not known is left out.
type Checked<T> = (Id, Vec<(Arc<Certificate<T>>, bool)>);
type Walked<T> = (Id, <T as Types>::PublicKey, Vec<Arc<Signed<T>>>);

/// See the [module](super).
pub struct Actor<E: Environment, T: Types, S: Source<T>> {
    context: ContextCell<E>,
    clock: Arc<E>,
    config: Config<T>,
    state: State<T>,
    mailbox: mailbox::Receiver<Ingress<T>>,
    pool: certificate_pool::Mailbox<T>,
    lanes: S,
    next: Id,
    verdicts: BTreeMap<Id, oneshot::Sender<Judged<T>>>,
    proposals: BTreeMap<Id, (Order<T>, oneshot::Sender<Block<T>>)>,
    checking: Pool<'static, Checked<T>>,
    walking: AbortablePool<'static, Walked<T>>,
    walks: BTreeMap<Id, Vec<Aborter>>,
    selecting: Pool<'static, (Id, u64, Vec<Candidate<T>>)>,
    metrics: Metrics,
}

/// Creates the mailbox first: the engine, whose headers the actor asks for, tells it what is certified.
pub fn mailbox<E: Environment, T: Types>(
    context: &E,
    config: &Config<T>,
) -> (Mailbox<T>, Inbox<T>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), config.mailbox_size);
    (Mailbox(sender), Inbox(receiver))
}

/// The other end of a chain actor's mailbox.
pub struct Inbox<T: Types>(mailbox::Receiver<Ingress<T>>);

impl<E: Environment, T: Types, S: Source<T>> Actor<E, T, S> {
    /// An actor that starts from what was executed.
    ///
    /// # Panics
    /// If the configuration contradicts itself or what the node starts from.
    pub fn new(
        context: E,
        config: Config<T>,
        start: Start<T::PublicKey>,
        inbox: Inbox<T>,
        pool: certificate_pool::Mailbox<T>,
        lanes: S,
    ) -> Self {
        let metrics = Metrics::new(&context);
        Self {
            clock: Arc::new(context.child("clock")),
            context: ContextCell::new(context),
            state: State::new(config.clone(), start),
            config,
            mailbox: inbox.0,
            pool,
            lanes,
            next: 0,
            verdicts: BTreeMap::new(),
            proposals: BTreeMap::new(),
            checking: Pool::default(),
            walking: AbortablePool::default(),
            walks: BTreeMap::new(),
            selecting: Pool::default(),
            metrics,
        }
    }

    /// Runs until it is aborted.
    ///
    /// # Panics
    /// If a finalized block names another state than this node reached.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        let mut effects = Vec::new();
        loop {
            self.sweep(&mut effects);
            self.metrics.open.set(self.state.open() as i64);
            let wake_ms = self.state.wake_ms(now_ms(&*self.context));
            alarm.set(&*self.context, wake_ms);
            let message = select! {
                message = self.mailbox.recv() => {
                    let Some(message) = message else { return };
                    match self.ingress(message) {
                        Some(message) => message,
                        None => continue,
                    }
                },
                (id, results) = self.checking.next_completed() => {
                    let hold = results.iter().filter(|(_, holds)| *holds);
                    hold.for_each(|(it, _)| self.lanes.certified(it.clone()));
                    Message::Checked(id, results)
                },
                walked = self.walking.next_completed() => match walked {
                    Ok((id, sequencer, headers)) => Message::Walked(id, sequencer, headers),
                    Err(_) => continue,
                },
                (id, at_ms, candidates) = self.selecting.next_completed() => {
                    Message::Selected(id, at_ms, candidates)
                },
                _ = alarm.rang() => Message::Woken,
            };
            self.apply(message, &mut effects);
        }
    }

    /// Lets go of what nobody waits for any more. Whoever leaves a view asks in the next one, so that is seen soon.
    fn sweep(&mut self, effects: &mut Vec<Effect<T>>) {
        let verdicts = self.verdicts.iter().filter(|(_, it)| it.is_closed());
        let proposals = self.proposals.iter().filter(|(_, it)| it.1.is_closed());
        let verdicts: Vec<_> = verdicts.map(|(id, _)| *id).collect();
        let withdrawn = verdicts.into_iter().chain(proposals.map(|(id, _)| *id));
        for id in withdrawn.collect::<Vec<_>>() {
            self.forget(id);
            self.apply(Message::Withdrawn(id), effects);
        }
    }

    fn forget(&mut self, id: Id) {
        self.verdicts.remove(&id);
        self.proposals.remove(&id);
        // Their receivers go with them, and so do the fetches.
        self.walks.remove(&id);
    }

    fn ingress(&mut self, message: Ingress<T>) -> Option<Message<T>> {
        Some(match message {
            Ingress::Basis(responder) => {
                let _ = responder.send(self.state.basis());
                return None;
            }
            Ingress::Judge(question, responder) => {
                self.next += 1;
                self.verdicts.insert(self.next, responder);
                Message::Asked(self.next, question)
            }
            Ingress::Build(order, responder) => {
                self.next += 1;
                self.proposals.insert(self.next, (order.clone(), responder));
                Message::Ordered(self.next, order)
            }
            Ingress::Finalized(block) => Message::Finalized(block),
            Ingress::Executed(executed) => Message::Executed(executed),
            Ingress::Claimed(who, height) => Message::Claimed(who, height),
            Ingress::Certified(certificate) => Message::Certified(certificate),
        })
    }

    fn apply(&mut self, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        let now_ms = now_ms(&*self.context);
        self.state.apply(now_ms, message, effects);
        for effect in std::mem::take(effects) {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<T>) {
        match effect {
            Effect::Answer(id, answer) => {
                match &answer {
                    Ok(()) => self.metrics.valid.inc(),
                    Err(invalid) => {
                        warn!(%invalid, "an invalid block was proposed");
                        self.lanes.refused(invalid);
                        self.metrics.invalid.inc()
                    }
                };
                if let Some(responder) = self.verdicts.remove(&id) {
                    let _ = responder.send(answer);
                }
                self.forget(id);
            }
            Effect::Propose(id, block) => {
                self.metrics.proposed.inc();
                if block.tips.is_empty() {
                    self.metrics.empty.inc();
                }
                debug!(height = block.height, tips = block.tips.len(), "proposing");
                if let Some((order, responder)) = self.proposals.remove(&id) {
                    let _ = responder.send(self.lanes.proposes(&order, block));
                }
            }
            Effect::Check(id, certificates) => self.check(id, certificates),
            Effect::Walk {
                id,
                height,
                above,
                included,
            } => self.walk(id, height, above, &included),
            Effect::Select(id, selection) => self.select(id, selection),
            Effect::Diverged(divergence) => panic!("{divergence}"),
        }
    }

    /// Waits for the headers of a lane, until the question is withdrawn.
    fn walk(&mut self, id: Id, height: u64, above: Tip, included: &Included<T>) {
        let (lanes, clock) = (self.lanes.clone(), self.clock.clone());
        let (sequencer, to) = (included.sequencer().clone(), included.tip());
        let retry = Duration::from_millis(self.config.retry_ms.get());
        let aborter = self.walking.push(async move {
            loop {
                match lanes.run(height, &sequencer, above, to).await {
                    Ok(headers) => return (id, sequencer, headers),
                    Err(_) => clock.sleep(retry).await,
                }
            }
        });
        self.walks.entry(id).or_default().push(aborter);
    }

    /// Checks certificates together, off the loop. Those of one epoch share a batch; a bad one is found by bisection.
    fn check(&mut self, id: Id, certificates: Vec<Arc<Certificate<T>>>) {
        let count = certificates.len();
        self.metrics.certificates_checked.inc_by(count as u64);
        let provider = self.config.provider.clone();
        let mut rng = StdRng::from_rng(&mut *self.context);
        let check = move |strategy: T::Strategy| {
            let mut results = Vec::with_capacity(count);
            let mut epochs = BTreeMap::<u64, Vec<_>>::new();
            for it in certificates {
                epochs.entry(it.epoch).or_default().push(it);
            }
            for (epoch, batch) in epochs {
                let Some(committee) = provider.committee(epoch) else {
                    continue;
                };
                let pairs: Vec<_> = batch.iter().map(|it| (it.subject(), &it.proof)).collect();
                let scheme = committee.scheme();
                let holds =
                    scheme.verify_certificates_bisect::<_, Digest>(&mut rng, &pairs, &strategy);
                // What was decoded while the committee was unknown may name anybody.
                let known =
                    |it: &Certificate<T>| committee.sequencer_index(&it.sequencer).is_some();
                let batch = batch.into_iter().zip(holds);
                results.extend(batch.map(|(it, holds)| {
                    let holds = holds && known(&it);
                    (it, holds)
                }));
            }
            results
        };
        let strategy = self.config.strategy.clone();
        self.checking
            .push(async move { (id, strategy.spawn(count, check).await) });
    }

    fn select(&mut self, id: Id, selection: Selection<T::PublicKey>) {
        let at_ms = selection.at_ms;
        let answer = self.pool.select(selection);
        // An overloaded pool drops the question. It is asked again when something is certified, and at the end of the gap.
        self.selecting
            .push(answer.map(move |it| (id, at_ms, it.unwrap_or_default())));
    }
}
