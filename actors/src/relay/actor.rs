//! Select, apply, carry out the effects.

use super::{
    Answer, Config, Effect, Mailbox, Message, Parcel, Refusal, Request, State,
    ingress::{Fetched, Ingress},
    metrics::Metrics,
};
use crate::{
    Canary,
    chunk::{Chunk, Limits},
    chunk_store::{self, Absence, Found},
    reference::Reference,
};
use bytes::Bytes;
use commonware_actor::mailbox::{self, Receiver};
use commonware_macros::select_loop;
use commonware_p2p::{Blocker as _, Receiver as _, Recipients, Sender as _};
use commonware_parallel::Strategy;
use commonware_runtime::{ContextCell, Handle, IoBuf, spawn_cell};
use commonware_utils::{channel::oneshot, futures::Pool};
use drystone_engine::{
    Channel, Environment, Transport,
    alarm::{Alarm, now_ms},
    types::Genesis,
};
use futures::FutureExt as _;
use rand::{SeedableRng as _, rngs::StdRng};
use std::{collections::BTreeMap, future::pending, sync::Arc};
use tracing::{debug, warn};

/// The channels of a relay.
pub struct Network<N: Transport> {
    /// Small messages: who asks for what.
    pub requests: Channel<N>,
    /// Large messages: bodies, pushed or asked for.
    pub bodies: Channel<N>,
    /// Cuts off faulty peers.
    pub blocker: N::Blocker,
}

/// For whom a body is read.
enum Reader<P> {
    Peer(P, Request<P>),
    Everybody(Reference<P>, Vec<P>),
}

/// A body that came, opened: from whom, which it should be, what it is, whether it was pushed.
type Opened<P> = (P, Reference<P>, Fetched, bool);

/// See the [module](super).
pub struct Actor<E: Environment, N: Transport, S: Strategy> {
    context: ContextCell<E>,
    state: State<N::PublicKey>,
    genesis: Arc<Genesis>,
    opening_max: usize,
    canary: Canary,
    mailbox: Receiver<Ingress<N::PublicKey>>,
    network: Network<N>,
    store: chunk_store::Mailbox<N::PublicKey>,
    strategy: S,
    metrics: Metrics,
    /// Who waits for what. The executor's look-ahead bounds them.
    waiting: BTreeMap<Reference<N::PublicKey>, Vec<oneshot::Sender<Fetched>>>,
    opening: Pool<'static, Opened<N::PublicKey>>,
    reading: Pool<'static, (Reader<N::PublicKey>, Option<Found>)>,
}

/// Creates the mailbox first: the chunk store tells it what it wants, and is told by the relay what came.
pub fn mailbox<E: Environment, P: commonware_cryptography::PublicKey>(
    context: &E,
    config: &Config<P>,
) -> (Mailbox<P>, Inbox<P>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), config.mailbox_size);
    (Mailbox(sender), Inbox(receiver))
}

/// The other end of a relay's mailbox.
pub struct Inbox<P: commonware_cryptography::PublicKey>(Receiver<Ingress<P>>);

impl<E: Environment, N: Transport, S: Strategy> Actor<E, N, S> {
    /// A relay that knows nobody until it is told of an epoch.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(
        mut context: E,
        config: Config<N::PublicKey>,
        inbox: Inbox<N::PublicKey>,
        network: Network<N>,
        store: chunk_store::Mailbox<N::PublicKey>,
        strategy: S,
    ) -> Self {
        let metrics = Metrics::new(&context);
        let rng = StdRng::from_rng(&mut context);
        Self {
            context: ContextCell::new(context),
            genesis: config.genesis.clone(),
            opening_max: config.opening_max,
            canary: config.canary,
            state: State::new(config, rng),
            mailbox: inbox.0,
            network,
            store,
            strategy,
            metrics,
            waiting: BTreeMap::new(),
            opening: Pool::default(),
            reading: Pool::default(),
        }
    }

    /// Runs until the node stops.
    pub fn start(mut self) -> Handle<()> {
        spawn_cell!(self.context, self.run())
    }

    async fn run(mut self) {
        let mut alarm = Alarm::default();
        let mut room;
        select_loop! {
            self.context,
            on_start => {
                alarm.set(&*self.context, self.state.wake_ms());
                room = self.opening.len() < self.opening_max;
                self.metrics.wants.set(self.state.wants() as i64);
            },
            on_stopped => {},
            Some(message) = self.mailbox.recv() else break => self.ingress(message),
            (from, reference, chunk, pushed) = completed(&mut self.opening) => {
                self.apply(Message::Opened { from, reference, chunk, pushed });
            },
            (reader, found) = completed(&mut self.reading) => self.read(reader, found),
            Ok((from, message)) = self.network.requests.1.recv() else break => {
                match Request::decode(message, &self.genesis) {
                    Ok(request) => self.apply(Message::Asked { from, request }),
                    Err(refusal) => self.refuse(&from, &refusal),
                }
            },
            Ok((from, message)) = arrival(&mut self.network.bodies.1, room) else break => {
                match Parcel::decode(message, &self.genesis) {
                    Ok(parcel) => self.apply(Message::Delivered { from, parcel }),
                    Err(refusal) => self.refuse(&from, &refusal),
                }
            },
            _ = alarm.rang() => {
                self.give_up();
                self.apply(Message::Woken);
            },
        }
    }

    fn ingress(&mut self, message: Ingress<N::PublicKey>) {
        match message {
            Ingress::Told(message) => self.apply(message),
            Ingress::Fetch {
                reference,
                height,
                responder,
            } => {
                self.waiting
                    .entry(reference.clone())
                    .or_default()
                    .push(responder);
                self.apply(Message::Needed { reference, height });
            }
            Ingress::Cancel(reference) => {
                self.waiting.remove(&reference);
                self.apply(Message::Dropped(reference));
            }
        }
    }

    /// Ends fetches that nobody waits for any more.
    fn give_up(&mut self) {
        let abandoned = |_: &Reference<N::PublicKey>,
                         waiting: &mut Vec<oneshot::Sender<Fetched>>| {
            waiting.retain(|it| !it.is_closed());
            waiting.is_empty()
        };
        let abandoned: Vec<_> = self.waiting.extract_if(.., abandoned).collect();
        for (reference, _) in abandoned {
            self.apply(Message::Dropped(reference));
        }
    }

    fn apply(&mut self, message: Message<N::PublicKey>) {
        let mut effects = Vec::new();
        self.state
            .apply(now_ms(&*self.context), message, &mut effects);
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<N::PublicKey>) {
        match effect {
            Effect::Ask(peer, request) => {
                self.metrics.asked.inc();
                let to = Recipients::One(peer);
                self.network.requests.0.send(to, request.encode(), false);
            }
            Effect::Open {
                from,
                reference,
                body,
                pushed,
            } => self.open(from, reference, body, pushed),
            Effect::Store {
                reference,
                chunk,
                pushed,
            } => {
                if let Ok(chunk) = &chunk {
                    self.metrics.fetched.inc();
                    self.metrics.fetched_bytes.inc_by(chunk.body().len() as u64);
                }
                self.store.arrived(reference, chunk, pushed);
            }
            Effect::Give(reference, chunk) => {
                for waiting in self.waiting.remove(&reference).into_iter().flatten() {
                    let _ = waiting.send(chunk.clone());
                }
            }
            Effect::Push(reference, to) => {
                let found = self.store.get(reference.clone(), None);
                let reader = Reader::Everybody(reference, to);
                self.reading.push(found.map(|it| (reader, it.ok())));
            }
            Effect::Read(peer, request) => {
                let found = self.store.get(request.reference.clone(), request.height);
                let reader = Reader::Peer(peer, request);
                self.reading.push(found.map(|it| (reader, it.ok())));
            }
            Effect::TurnAway(peer, reference) => self.answer(peer, reference, Answer::Busy),
            Effect::Refuse(from, refusal) => self.refuse(&from, &refusal),
        }
    }

    /// Digest and form, off the loop.
    fn open(
        &mut self,
        from: N::PublicKey,
        reference: Reference<N::PublicKey>,
        body: Bytes,
        pushed: bool,
    ) {
        let limits = Limits::from(&*self.genesis);
        let trust = self.canary.is(Canary::TrustBodies);
        let open = move |_| {
            let chunk = if trust {
                Chunk::decode(body, &limits)
            } else {
                Chunk::open(body, &reference.payload(), &limits)
            };
            (from, reference, chunk, pushed)
        };
        self.opening.push(self.strategy.clone().spawn(1, open));
    }

    /// A body was read: it goes out as it lies.
    fn read(&mut self, reader: Reader<N::PublicKey>, found: Option<Found>) {
        match reader {
            Reader::Everybody(reference, to) => {
                // A push that cannot be read is not retried: the others fetch.
                if let Some(Found::Body(body)) = found {
                    self.metrics.pushed.inc();
                    let parcel = Parcel {
                        reference,
                        answer: Answer::Body(body),
                        pushed: true,
                    };
                    let to = Recipients::Some(to);
                    self.network.bodies.0.send(to, parcel.encode(), false);
                }
            }
            Reader::Peer(peer, Request { reference, .. }) => {
                let mut unpaid_bytes = 0;
                let answer = match found {
                    Some(Found::Body(body)) if body.len() == reference.bytes as usize => {
                        self.metrics.served.inc();
                        self.metrics.served_bytes.inc_by(body.len() as u64);
                        Answer::Body(body)
                    }
                    // Paid for as another length than it has: no header says so.
                    Some(Found::Body(body)) => {
                        unpaid_bytes = body.len() as u64;
                        Answer::Absent(Absence::Unknown)
                    }
                    Some(Found::Absent(absence)) => Answer::Absent(absence),
                    None => Answer::Busy,
                };
                self.answer(peer.clone(), reference, answer);
                self.apply(Message::Served { peer, unpaid_bytes });
            }
        }
    }

    fn answer(&mut self, peer: N::PublicKey, reference: Reference<N::PublicKey>, answer: Answer) {
        let parcel = Parcel {
            reference,
            answer,
            pushed: false,
        };
        let to = Recipients::One(peer);
        self.network.bodies.0.send(to, parcel.encode(), false);
    }

    /// Logs and counts a refusal, and cuts the peer off if an honest one could never have caused it.
    fn refuse(&mut self, from: &N::PublicKey, refusal: &Refusal) {
        self.metrics.refused(refusal);
        if refusal.is_attributable() {
            warn!(?from, %refusal, "blocking a faulty peer");
            let _ = self.network.blocker.block(from.clone());
        } else {
            debug!(?from, %refusal, "ignored");
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

/// The next message, if there is room for one: what does not come in waits, or is dropped, in the transport.
async fn arrival<R: commonware_p2p::Receiver>(
    receiver: &mut R,
    room: bool,
) -> Result<(R::PublicKey, IoBuf), R::Error> {
    if room {
        receiver.recv().await
    } else {
        pending().await
    }
}
