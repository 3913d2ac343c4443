//! Boots one node: its engine, its doubles, its misbehaviour.

use super::{
    automaton::{Bodies, Library},
    byzantine::{self, Outlet},
    chain::Feed,
    genesis::{Committees, Nouns, World},
    machine::On,
    observation::Seen,
    options::Role,
    report::Report,
    system::{Lanes, Named},
    witness::Newest,
};
use crate::{Observer, Seat, Stop, host::Crew};
use commonware_p2p::Sender as _;
use commonware_parallel::Sequential;
use commonware_runtime::Quota;
use commonware_utils::{NZU32, NZUsize, sync::Mutex};
use drystone_engine::{
    Channels, Config, Engine, Environment, Network, Transport, journal,
    scheme::fixture::Fixture,
    types::{Bounds, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

/// The transport of a simulated node.
pub type Simulated<P> = Channels<
    crate::network::Sender<P, Crew>,
    crate::network::Receiver<P, Crew>,
    crate::network::Control<P, Crew>,
>;

/// Epochs that nodes take part in around their own.
pub const BOUNDS: Bounds = Bounds { past: 1, future: 1 };

/// What a node sends is limited by its workload alone.
pub const QUOTA: Quota = Quota::per_second(NZU32!(u32::MAX));

/// What the nodes of a run share.
pub struct Shared<F: Fixture> {
    pub world: Arc<World<F>>,
    pub library: Arc<Mutex<Library>>,
    /// The engines that run, by node, with their lives.
    pub engines: Arc<Mutex<BTreeMap<usize, Engine<Nouns<F>>>>>,
    /// Certificates that nodes reported since the chain last looked: node, lane, place.
    pub certified: Arc<Mutex<Vec<(usize, usize, Tip)>>>,
    /// See [`Newest`].
    pub genuine: Newest<Nouns<F>>,
    /// What each node has learned of the chain, kept over its lives.
    pub feeds: Arc<Mutex<Vec<Feed<F>>>>,
    /// Nodes whose directories were initialised. Their operator repeats that until it is done: a crash in the middle of
    /// it is no lost disk.
    pub initialised: Arc<Mutex<BTreeSet<usize>>>,
    /// Seed of the doubles' draws.
    pub seed: u64,
}

impl<F: Fixture> Clone for Shared<F> {
    fn clone(&self) -> Self {
        Self {
            world: self.world.clone(),
            library: self.library.clone(),
            engines: self.engines.clone(),
            certified: self.certified.clone(),
            genuine: self.genuine.clone(),
            feeds: self.feeds.clone(),
            initialised: self.initialised.clone(),
            seed: self.seed,
        }
    }
}

/// How a node's journal lies on its disk: small pages, since the simulated disk pays by the byte.
pub fn journal_config(partition: &str, section_bytes: u64) -> journal::Config<()> {
    let mut config = journal::Config::recommended(partition, ());
    config.page_bytes = commonware_runtime::buffer::paged::page_size(1024);
    config.write_buffer_bytes = NZUsize!(1 << 16);
    config.section_bytes_max = section_bytes;
    config
}

/// Boots a node of the simulated world and lives as long as its engine.
pub async fn boot<F: Named>(shared: Shared<F>, seat: Seat<Lanes<F>>) -> Result<(), Stop> {
    let open = |channel| seat.network.register(channel, QUOTA);
    let network = Network::<Simulated<F::PublicKey>> {
        headers: open(0),
        acks: open(1),
        gossip: open(2),
        answers: open(3),
        blocker: seat.network.control(),
    };
    let life = Life {
        shared,
        node: seat.node,
        incarnation: seat.incarnation,
        role: seat.role,
        observer: seat.observer,
    };
    life.live("lanes", seat.host, network).await
}

/// One life of one node, to be lived in any world.
pub struct Life<F: Fixture> {
    pub(super) shared: Shared<F>,
    pub(super) node: usize,
    pub(super) incarnation: u32,
    pub(super) role: Role,
    pub(super) observer: Observer<Seen>,
}

impl<F: Fixture> Life<F> {
    /// Lives it, as long as the engine runs, and reports how it ended. The future must be polled by a task spawned from
    /// `context`'s tree, or by its runtime's root: dropping it with that tree is a crash.
    pub async fn run<E, N>(self, partition: &str, context: E, network: Network<N>)
    where
        E: Environment,
        N: Transport<PublicKey = F::PublicKey>,
    {
        let observer = self.observer.clone();
        observer.ended(&self.live(partition, context, network).await);
    }

    async fn live<E, N>(self, partition: &str, context: E, network: Network<N>) -> Result<(), Stop>
    where
        E: Environment,
        N: Transport<PublicKey = F::PublicKey>,
    {
        let Self {
            shared,
            node,
            incarnation,
            role,
            observer,
        } = self;
        let options = shared.world.options.clone();
        let journal = journal_config(partition, options.section_bytes);
        if !shared.initialised.lock().contains(&node) {
            Engine::<Nouns<F>>::initialise(&context, &journal).await?;
            shared.initialised.lock().insert(node);
        }
        let tap = byzantine::misbehave(&shared, node, role, outlet(&network));
        let reporter = Report::new(node, shared.clone(), observer.clone(), tap);
        let machine = On {
            context: context.child("bodies"),
            start: shared.world.start,
        };
        let automaton = Bodies::<F>::new(
            (node, incarnation, role),
            shared.seed,
            shared.world.clone(),
            shared.library.clone(),
            Box::new(machine),
            observer,
        );
        let epoch = match role {
            Role::ClaimsEpoch { epoch } => epoch,
            _ => shared.feeds.lock()[node].epoch(),
        };
        let config = Config {
            genesis: shared.world.genesis.clone(),
            key: shared.world.keys[node].clone(),
            provider: Arc::new(Committees::new(shared.world.clone(), Some(node))),
            epoch,
            bounds: BOUNDS,
            automaton: automaton.clone(),
            reporter,
            strategy: Sequential,
            rebroadcast: Duration::from_millis(options.rebroadcast_ms),
            certificate_linger: Duration::from_millis(options.linger_ms),
            certificate_interval: Duration::from_millis(options.interval_ms),
            priority_proposals: options.priority_proposals,
            priority_acks: options.priority_acks,
            mailbox_size: NZUsize!(64),
            journal,
            canary: options.bug,
        };
        let (engine, handle) = Engine::start(context.child("node"), config, network).await?;
        if options.sequencers.contains(&node) {
            let work = context.child("work");
            work.spawn(move |context| automaton.work(context));
        }
        // The chain's state survives a crash: it is all there when the engine starts.
        shared.feeds.lock()[node].catch_up(&engine);
        shared.engines.lock().insert(node, engine);
        let ended = handle.await;
        shared.engines.lock().remove(&node);
        Ok(ended??)
    }
}

/// What misbehaviour sends with.
fn outlet<N: Transport>(network: &Network<N>) -> Outlet<N::PublicKey> {
    let mut senders: [_; byzantine::CHANNELS] = [
        network.headers.0.clone(),
        network.acks.0.clone(),
        network.gossip.0.clone(),
        network.answers.0.clone(),
    ];
    Box::new(move |channel, to, bytes| {
        senders[channel].send(to, bytes, false);
    })
}
