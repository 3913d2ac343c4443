//! The doubles around an engine: an automaton that agrees at once, and who observes the outcome.

use bytes::Bytes;
use commonware_actor::Feedback;
use commonware_consensus::{
    Automaton as AutomatonT, Monitor as MonitorT, Relay as RelayT, Reporter as ReporterT,
    ordered_broadcast::types::{Activity, Context as ObContext, SequencersProvider},
    types::Epoch,
};
use commonware_cryptography::{
    Hasher as _, Sha256,
    certificate::{self, Provider as ProviderT, Scoped},
    ed25519::PublicKey,
    sha256,
};
use commonware_runtime::{Clock as _, deterministic};
use commonware_utils::{
    channel::{mpsc, oneshot},
    ordered::Set,
    sync::Mutex,
};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// Like upstream's mock automaton: proposes a digest at once, verifies at once.
/// Stops proposing at `limit` (the sender is kept so the engine just waits).
#[derive(Clone)]
pub struct Automaton {
    limit: u64,
    obs: Arc<Mutex<Obs>>,
    parked: Arc<Mutex<Vec<oneshot::Sender<sha256::Digest>>>>,
}

impl Automaton {
    pub fn new(limit: u64, obs: Arc<Mutex<Obs>>) -> Self {
        Self {
            limit,
            obs,
            parked: Arc::default(),
        }
    }
}

impl AutomatonT for Automaton {
    type Context = ObContext<PublicKey>;
    type Digest = sha256::Digest;

    async fn propose(&mut self, c: Self::Context) -> oneshot::Receiver<Self::Digest> {
        let (tx, rx) = oneshot::channel();
        if c.height.get() >= self.limit {
            self.parked.lock().push(tx);
            return rx;
        }
        self.obs.lock().proposed(c.sequencer.clone());
        let mut h = Sha256::default();
        h.update(&Bytes::from(format!(
            "hello world, {} {}",
            c.sequencer, c.height
        )));
        let _ = tx.send(h.finalize());
        rx
    }

    async fn verify(&mut self, _: Self::Context, _: Self::Digest) -> oneshot::Receiver<bool> {
        let (tx, rx) = oneshot::channel();
        let _ = tx.send(true);
        rx
    }
}

impl RelayT for Automaton {
    type Digest = sha256::Digest;
    type Plan = ();
    type PublicKey = PublicKey;

    fn broadcast(&mut self, _: Self::Digest, _: ()) -> Feedback {
        Feedback::Ok
    }
}

#[derive(Clone)]
pub struct Sequencers(Arc<Set<PublicKey>>);

impl Sequencers {
    pub fn new(set: Set<PublicKey>) -> Self {
        Self(Arc::new(set))
    }
}

impl SequencersProvider for Sequencers {
    type PublicKey = PublicKey;

    fn sequencers(&self, _: Epoch) -> Option<Arc<Set<PublicKey>>> {
        Some(self.0.clone())
    }
}

#[derive(Clone)]
pub struct Provider<S>(Arc<S>);

impl<S> Provider<S> {
    pub fn new(scheme: S) -> Self {
        Self(Arc::new(scheme))
    }
}

impl<S: certificate::Scheme> ProviderT for Provider<S> {
    type Scope = Epoch;
    type Scheme = S;

    fn scoped(&self, _: Epoch) -> Option<Scoped<S>> {
        Some(Scoped::scheme(self.0.clone()))
    }
}

#[derive(Clone)]
pub struct Monitor(Epoch, Arc<Mutex<Vec<mpsc::Sender<Epoch>>>>);

impl Monitor {
    pub fn new(epoch: Epoch) -> Self {
        Self(epoch, Arc::default())
    }
}

impl MonitorT for Monitor {
    type Index = Epoch;

    async fn subscribe(&mut self) -> (Epoch, mpsc::Receiver<Epoch>) {
        let (tx, rx) = mpsc::channel(1);
        self.1.lock().push(tx);
        (self.0, rx)
    }
}

/// Shared observation state over all validators.
pub struct Obs {
    limit: u64,
    need: usize,
    done: usize,
    // per (validator): sequencer -> (locks seen, heights certified)
    seen: Vec<HashMap<PublicKey, (u64, u64)>>,
    clock: deterministic::Context,
    // when each height of a sequencer was proposed
    proposed: HashMap<PublicKey, Vec<SystemTime>>,
    // from proposal to a certificate at or above it, for each chunk and validator
    latencies: Vec<Duration>,
    tx: Option<oneshot::Sender<()>>,
}

impl Obs {
    pub fn new(
        clock: deterministic::Context,
        limit: u64,
        validators: usize,
        sequencers: usize,
        tx: oneshot::Sender<()>,
    ) -> Self {
        Self {
            clock,
            proposed: HashMap::new(),
            latencies: Vec::new(),
            limit,
            need: validators * sequencers,
            done: 0,
            seen: vec![HashMap::new(); validators],
            tx: Some(tx),
        }
    }

    /// A sequencer's next chunk was proposed.
    fn proposed(&mut self, sequencer: PublicKey) {
        let now = self.clock.current();
        self.proposed.entry(sequencer).or_default().push(now);
    }

    /// How long a chunk took, at that fraction of all pairs of a chunk and a validator.
    pub fn quantile_ms(&mut self, percent: usize) -> f64 {
        self.latencies.sort_unstable();
        let last = self.latencies.len() - 1;
        self.latencies[last * percent / 100].as_secs_f64() * 1e3
    }

    /// Certificates reported, over all validators.
    pub fn locks(&self) -> u64 {
        self.seen
            .iter()
            .flat_map(HashMap::values)
            .map(|(locks, _)| locks)
            .sum()
    }
}

#[derive(Clone)]
pub struct Reporter<S> {
    idx: usize,
    obs: Arc<Mutex<Obs>>,
    _p: std::marker::PhantomData<fn() -> S>,
}

impl<S> Reporter<S> {
    pub fn new(idx: usize, obs: Arc<Mutex<Obs>>) -> Self {
        Self {
            idx,
            obs,
            _p: std::marker::PhantomData,
        }
    }
}

impl<S: certificate::Scheme> ReporterT for Reporter<S> {
    type Activity = Activity<PublicKey, S, sha256::Digest>;

    fn report(&mut self, a: Self::Activity) -> Feedback {
        if let Activity::Lock(l) = a {
            let mut o = self.obs.lock();
            let (limit, now) = (o.limit, o.clock.current());
            let o = &mut *o;
            let proposed = &o.proposed[&l.chunk.sequencer];
            let e = o.seen[self.idx].entry(l.chunk.sequencer).or_insert((0, 0));
            e.0 += 1;
            // Heights begin at 0: this many are certified by now.
            let (before, after) = (e.1, e.1.max(l.chunk.height.get() + 1));
            e.1 = after;
            for at in &proposed[before as usize..after as usize] {
                o.latencies.push(now.duration_since(*at).unwrap());
            }
            if l.chunk.height.get() + 1 == limit {
                o.done += 1;
                if o.done == o.need {
                    if let Some(tx) = o.tx.take() {
                        let _ = tx.send(());
                    }
                }
            }
        }
        Feedback::Ok
    }
}
