//! What a node's tasks get: the runtime's traits, answered by their machine.

use super::{
    clock::Dial,
    crew::{Branch, Crew},
    disk::{Blob, Disk},
    draw::Draws,
    gate::{Gate, Roster},
};
use crate::panics::{self, Caught};
use commonware_parallel::Rayon;
use commonware_runtime::{
    BlobVersion, Clock, Error, Handle, ListenerOf, Metrics, Name, Network, Resolver, SinkOf,
    Spawner, Storage, Strategizer, StreamOf, Supervisor,
    deterministic::Context,
    signal::{Signal, Stopper},
    telemetry::metrics::{Metric, Registered},
};
use commonware_utils::sync::Mutex;
use futures::future::{Either, pending, select};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use rand::{Rng as _, SeedableRng as _, rngs::StdRng};
use rand_core::{TryCryptoRng, TryRng};
use std::{
    convert::Infallible,
    fmt::Display,
    future::Future,
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    ops::RangeInclusive,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};

/// The environment of one incarnation of a node.
///
/// Its tasks stop when its machine does. Its clock, disk and randomness are the machine's; randomness is one stream
/// for the whole incarnation, and so is [Spawner::stop], which ends this node only. Network, resolver, strategies
/// and metrics are the runtime's.
pub struct Host {
    context: Context,
    branch: Arc<Branch>,
    incarnation: Arc<Incarnation>,
}

/// What the tasks of one incarnation share.
pub(super) struct Incarnation {
    node: usize,
    number: u64,
    gate: Arc<Gate>,
    roster: Arc<Roster>,
    disk: Arc<Disk>,
    dial: Arc<Mutex<Dial>>,
    crew: Crew,
    randomness: Mutex<StdRng>,
    stopper: Mutex<Stopper>,
    fallen: Mutex<Option<Fallen>>,
}

/// Takes the message of the panic that ended an incarnation.
type Fallen = Box<dyn FnOnce(&str) + Send>;

impl Incarnation {
    pub(super) fn new(
        node: usize,
        mut draws: Draws,
        gate: Arc<Gate>,
        roster: Arc<Roster>,
        disk: Arc<Disk>,
        dial: Arc<Mutex<Dial>>,
        crew: Crew,
    ) -> Self {
        let mut seed = [0; 32];
        for part in seed.chunks_exact_mut(8) {
            part.copy_from_slice(&draws.next().to_le_bytes());
        }
        Self {
            node,
            number: disk.incarnation(),
            gate,
            roster,
            dial,
            crew,
            randomness: Mutex::new(StdRng::from_seed(seed)),
            stopper: Mutex::default(),
            disk,
            fallen: Mutex::default(),
        }
    }

    /// Some code below a node knows no other answer to a disk that fails than to panic: that ends the node, as it would end
    /// the process. A panic that the disk does not explain is nobody's answer, whatever the disk did before.
    fn falls(&self, panic: &Caught) -> bool {
        if !self.disk.explains(panic) {
            return false;
        }
        self.gate.kill();
        if let Some(fallen) = self.fallen.lock().take() {
            fallen(&panic.message);
        }
        true
    }
}

impl Host {
    pub(super) fn new(context: Context, branch: Arc<Branch>, incarnation: Incarnation) -> Self {
        Self {
            context,
            branch,
            incarnation: Arc::new(incarnation),
        }
    }

    /// Told when a panic ends this incarnation because its disk failed.
    pub(crate) fn on_fall(&self, fallen: impl FnOnce(&str) + Send + 'static) {
        *self.incarnation.fallen.lock() = Some(Box::new(fallen));
    }

    /// Whether the disk told this incarnation of an error.
    pub(crate) fn disk_failed(&self) -> bool {
        self.incarnation.disk.failed()
    }

    /// The process ends: none of its tasks does another step.
    pub(crate) fn exit(&self) {
        self.incarnation.gate.kill();
    }
}

impl Supervisor for Host {
    fn name(&self) -> Name {
        self.context.name()
    }

    fn child(&self, label: &'static str) -> Self {
        Self {
            context: self.context.child(label),
            branch: self.branch.child(),
            incarnation: self.incarnation.clone(),
        }
    }

    fn with_attribute(mut self, key: &'static str, value: impl Display) -> Self {
        self.context = self.context.with_attribute(key, value);
        self
    }
}

impl Spawner for Host {
    fn shared(mut self, blocking: bool) -> Self {
        self.context = self.context.shared(blocking);
        self
    }

    fn dedicated(mut self) -> Self {
        self.context = self.context.dedicated();
        self
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self {
            context,
            branch,
            incarnation,
        } = self;
        if branch.is_aborted() {
            return Handle::ready(Err(Error::Closed));
        }
        // The runtime's task is the proxy of the crew's.
        context.spawn(move |context| {
            let hired = incarnation.clone();
            let employed = hired.crew.employ(&branch, |branch| {
                let gate = incarnation.gate.clone();
                let member = incarnation.roster.join();
                let (node, fallible) = (incarnation.node, incarnation.clone());
                let task = f(Self {
                    context,
                    branch,
                    incarnation,
                });
                let excuse = move |panic: &Caught| fallible.falls(panic);
                gate.guard(member, panics::of_node(node, excuse, task))
            });
            employed.result()
        })
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        let stopped = self.incarnation.stopper.lock().stop(value);
        let expired = match timeout {
            Some(timeout) => Either::Left(self.sleep(timeout)),
            None => Either::Right(pending()),
        };
        match select(pin!(stopped), pin!(expired)).await {
            Either::Left((stopped, _)) => stopped.map_err(|_| Error::Closed),
            Either::Right(_) => Err(Error::Timeout),
        }
    }

    fn stopped(&self) -> Signal {
        self.incarnation.stopper.lock().stopped()
    }
}

impl Clock for Host {
    fn current(&self) -> SystemTime {
        let now = self.incarnation.crew.current();
        self.incarnation.dial.lock().local(now)
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        let lasts = self.incarnation.dial.lock().lasts(duration);
        self.incarnation.crew.sleep(lasts)
    }

    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        let now = self.incarnation.crew.current();
        let at = self.incarnation.dial.lock().reaches(now, deadline);
        self.incarnation.crew.sleep_until(at)
    }
}

impl GovernorClock for Host {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl ReasonablyRealtime for Host {}

impl Metrics for Host {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.context.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.context.encode()
    }
}

impl TryRng for Host {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.incarnation.randomness.lock().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.incarnation.randomness.lock().next_u64())
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        self.incarnation.randomness.lock().fill_bytes(dest);
        Ok(())
    }
}

impl TryCryptoRng for Host {}

impl Storage for Host {
    type Blob = Blob;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Blob, u64, BlobVersion), Error> {
        let Incarnation { disk, number, .. } = &*self.incarnation;
        disk.open(*number, partition, name, versions).await
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        let Incarnation { disk, number, .. } = &*self.incarnation;
        disk.remove(*number, partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        let Incarnation { disk, number, .. } = &*self.incarnation;
        disk.scan(*number, partition).await
    }
}

impl Network for Host {
    type Listener = ListenerOf<Context>;

    async fn bind(&self, socket: SocketAddr) -> Result<Self::Listener, Error> {
        self.context.bind(socket).await
    }

    async fn dial(&self, socket: SocketAddr) -> Result<(SinkOf<Self>, StreamOf<Self>), Error> {
        self.context.dial(socket).await
    }
}

impl Resolver for Host {
    async fn resolve(&self, host: &str) -> Result<Vec<IpAddr>, Error> {
        self.context.resolve(host).await
    }
}

impl Strategizer for Host {
    fn strategy(&self, parallelism: NonZeroUsize) -> Rayon {
        self.context.strategy(parallelism)
    }
}
