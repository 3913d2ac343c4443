//! Five nodes on one network, of which four are validators.

use super::{
    doubles::{Lanes, Seats, Test},
    executor::{Executor, Outlets},
    options::{Options, long_lived},
};
use crate::{
    Canary,
    block::{Block, Parameters},
    certificate_pool,
    chain::{self, Config as ChainConfig, Start},
    claims,
    orderer::{
        Orderer as _,
        simplex::{self, Config, Network, Settings, Simplex, free, message_size_max},
    },
    testing::{
        Key, Nouns, World,
        blocks::{GENESIS_MS, bounds, digest, first},
    },
};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_p2p::simulated::{self, Control, Link, Oracle};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Handle, Quota, Runner as _, Supervisor as _,
    deterministic::{self, Context},
};
use commonware_utils::{NZDuration, NZU32, NZU64, NZUsize, Probability, sync::Mutex};
use drystone_engine::{Channels, types::Signed};
use std::{sync::Arc, time::Duration};

type Net =
    Channels<simulated::Sender<Key, Context>, simulated::Receiver<Key>, Control<Key, Context>>;

pub const NODES: usize = 5;
/// Blocks that a node leaves unacknowledged.
pub const WINDOW: usize = 4;
pub const INTERVAL_MS: u64 = 50;
pub const GAP_MS: u64 = 300;
pub const LEADER_TIMEOUT_MS: u64 = 2_000;

pub struct Running {
    pub chain: chain::Mailbox<Nouns>,
    pub pool: certificate_pool::Mailbox<Nouns>,
    pub orderer: Simplex<Test>,
    node: Handle<()>,
}

pub struct Cluster {
    pub context: Context,
    pub world: Arc<World>,
    pub lanes: Lanes,
    pub executors: Vec<Executor>,
    pub nodes: Vec<Option<Running>>,
    options: Options,
    known: Arc<Mutex<u64>>,
    pub ledger: free::Shared,
    pub oracle: Oracle<Key, Context>,
}

/// A link on which so many messages of a hundred arrive.
pub fn link(delivered: u64) -> Link {
    Link {
        latency: Duration::from_millis(10),
        jitter: Duration::ZERO,
        success_rate: Probability::new(delivered, 100).expect("a share"),
    }
}

/// Runs a test of a cluster whose nodes all run, but for those that are absent.
pub fn run<O, F: Future<Output = O>>(options: Options, test: impl FnOnce(Cluster) -> F) -> O {
    deterministic::Runner::timed(Duration::from_secs(300)).start(|context| async move {
        let mut cluster = Cluster::new(context, options).await;
        let absent = cluster.options.absent;
        for who in (0..NODES).filter(|it| !absent.contains(it)) {
            cluster.start(who).await;
        }
        test(cluster).await
    })
}

impl Cluster {
    async fn new(context: Context, options: Options) -> Self {
        // Clocks show a time when the chain has begun.
        context.sleep(Duration::from_millis(GENESIS_MS)).await;
        let world = Arc::new(World {
            genesis: Arc::new(long_lived()),
            ..World::new()
        });
        let size_max = message_size_max::<Test>(&bounds(&world, u64::MAX), 4);
        let config = simulated::Config {
            max_size: u32::try_from(size_max).expect("blocks are small"),
            max_peers_per_set: NZUsize!(NODES),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let keys: Vec<_> = (0..NODES).map(|it| world.key(it)).collect();
        let (network, oracle) =
            simulated::Network::new_with_peers(context.child("network"), config, keys).await;
        network.start();
        for (from, to) in (0..NODES).flat_map(|from| (0..NODES).map(move |to| (from, to))) {
            if from != to {
                oracle
                    .add_link(world.key(from), world.key(to), link(options.delivered))
                    .await
                    .expect("new");
            }
        }
        Self {
            executors: (0..NODES).map(|_| Executor::new(&world)).collect(),
            nodes: (0..NODES).map(|_| None).collect(),
            lanes: Lanes::default(),
            ledger: free::Shared::default(),
            known: Arc::new(Mutex::new(options.known)),
            context,
            world,
            options,
            oracle,
        }
    }

    pub fn seats(&self, me: usize) -> Seats {
        Seats {
            world: self.world.clone(),
            ledger: self.ledger.clone(),
            me,
            rotate: self.options.rotate,
            known: self.known.clone(),
        }
    }

    /// The validators of all epochs become known.
    pub fn tell_all(&self) {
        *self.known.lock() = u64::MAX;
        for node in self.nodes.iter().flatten() {
            node.orderer.known(1);
        }
    }

    /// The other side of a channel: a node's own, or that of a node which the test plays.
    pub async fn channel(
        &self,
        who: usize,
        id: u64,
    ) -> (simulated::Sender<Key, Context>, simulated::Receiver<Key>) {
        let control = self.oracle.control(self.world.key(who));
        control
            .register(id, Quota::per_second(NZU32!(10_000)))
            .await
            .expect("registered once a start")
    }

    /// Starts a node, for the first time or again.
    pub async fn start(&mut self, who: usize) {
        let (ready, started) = commonware_utils::channel::oneshot::channel();
        let network = Network::<Net> {
            votes: self.channel(who, 0).await,
            certificates: self.channel(who, 1).await,
            resolver: self.channel(who, 2).await,
            blocks: self.channel(who, 3).await,
            backfill: self.channel(who, 4).await,
            blocker: self.oracle.control(self.world.key(who)),
        };
        let claimed = self.channel(who, 5).await;
        let blocker = self.oracle.control(self.world.key(who));
        let config = self.config(who);
        let seats = Arc::new(self.seats(who));
        let parameters = Arc::new(Parameters {
            genesis: self.world.genesis.clone(),
            epoch_blocks: self.options.epoch_blocks,
            ..(self.options.parameters)(who)
        });
        let chain_config = ChainConfig {
            me: self.world.key(who),
            parameters,
            provider: seats,
            strategy: Sequential,
            interval_ms: INTERVAL_MS,
            empty_gap_ms: GAP_MS,
            retry_ms: NZU64!(100),
            verified_max: 4,
            mailbox_size: NZUsize!(64),
            canary: Canary::None,
        };
        let disk = self.executors[who].disk();
        let start = Start {
            roots: (0..=disk.table.height).map(|it| (it, digest(it))).collect(),
            table: disk.table,
        };
        let (genesis, lanes, executor) = (
            self.world.genesis.clone(),
            self.lanes.clone(),
            self.executors[who].clone(),
        );
        let context = self.context.child("node").with_attribute("who", who);
        let node = commonware_runtime::Spawner::spawn(context, move |context| async move {
            let pool_config = certificate_pool::Config {
                genesis: genesis.clone(),
                certificates_max: 4,
                mailbox_size: NZUsize!(64),
                canary: Canary::None,
            };
            let (pool_actor, pool) =
                certificate_pool::Actor::new(context.child("pool"), pool_config);
            let pool_task = pool_actor.start();
            let (chain, chain_inbox) = chain::mailbox(&context.child("chain"), &chain_config);
            let actor = chain::Actor::new(
                context.child("chain"),
                chain_config,
                start,
                chain_inbox,
                pool.clone(),
                lanes,
            );
            let chain_task = actor.start();
            let (actor, claims) = claims::Actor::<_, Net, _>::new(
                context.child("claims"),
                NZU64!(500),
                NZUsize!(4),
                claimed,
                blocker,
                chain.clone(),
            );
            let claims_task = actor.start();
            executor.start(Outlets {
                chain: chain.clone(),
                pool: pool.clone(),
                claims,
            });
            let (orderer, task) = simplex::start(
                context.child("orderer"),
                config,
                network,
                genesis,
                chain.clone(),
                executor,
            )
            .await
            .expect("the disk is sound");
            let _ = ready.send((chain, pool, orderer));
            let _ = futures::join!(pool_task, chain_task, claims_task, task);
        });
        let (chain, pool, orderer) = started.await.expect("it starts");
        self.nodes[who] = Some(Running {
            chain,
            pool,
            orderer,
            node,
        });
    }

    fn config(&self, who: usize) -> Config<Test> {
        Config {
            me: self.world.key(who),
            provider: Arc::new(self.seats(who)),
            schemes: self.seats(who),
            elector: RoundRobin::default(),
            strategy: Sequential,
            genesis: Arc::new(first(&self.world)),
            bounds: bounds(&self.world, u64::MAX),
            epoch_blocks: self.options.epoch_blocks,
            settings: Settings {
                unacknowledged_max: NZUsize!(WINDOW),
                partition: format!("node-{who}"),
                mailbox_size: NZUsize!(256),
                leader_timeout: Duration::from_millis(LEADER_TIMEOUT_MS),
                certification_timeout: Duration::from_millis(2 * LEADER_TIMEOUT_MS),
                timeout_retry: Duration::from_millis(LEADER_TIMEOUT_MS),
                inactive_timeout: Duration::from_millis(4 * LEADER_TIMEOUT_MS),
                fetch_timeout: NZDuration!(Duration::from_millis(500)),
                view_retention: NZU64!(32),
                section_blocks: NZU64!(2),
                read_at_start: true,
            },
            empty_gap_ms: GAP_MS,
        }
    }

    /// Kills a node: what was not synced is lost.
    pub async fn kill(&mut self, who: usize) {
        let running = self.nodes[who].take().expect("it runs");
        running.node.abort();
        let _ = running.node.await;
        self.sleep(5).await;
    }

    /// A lane's headers above a place are certified in an epoch, at its highest; all nodes hear of it.
    pub fn certify(&self, epoch: u64, headers: &[Arc<Signed<Nouns>>]) {
        self.lanes.keep(headers);
        for who in 0..NODES {
            self.show(who, epoch, headers);
        }
    }

    /// One node hears of certified headers.
    pub fn show(&self, who: usize, epoch: u64, headers: &[Arc<Signed<Nouns>>]) {
        let Some(node) = &self.nodes[who] else { return };
        headers.iter().for_each(|it| node.pool.seen(it.clone()));
        let certificate = self.seats(0).certify(epoch, headers.last().expect("some"));
        node.pool.certified(certificate.clone());
        node.chain.certified(certificate);
    }

    pub async fn sleep(&self, ms: u64) {
        self.context.sleep(Duration::from_millis(ms)).await;
    }

    /// Milliseconds since the Unix epoch.
    pub fn now_ms(&self) -> u64 {
        drystone_engine::alarm::now_ms(&self.context)
    }

    /// Waits until the nodes have executed up to a height. The runtime's timeout is the limit.
    pub async fn reach(&self, nodes: impl IntoIterator<Item = usize>, height: u64) {
        for who in nodes {
            while self.executors[who].height() < height {
                self.sleep(10).await;
            }
        }
    }

    /// What all have executed: one chain.
    pub fn agreed(&self) -> Vec<Arc<Block<Nouns>>> {
        let chains: Vec<_> = self.executors.iter().map(Executor::blocks).collect();
        let longest = chains.iter().max_by_key(|it| it.len()).expect("some");
        for chain in &chains {
            let digests =
                |it: &[Arc<Block<Nouns>>]| it.iter().map(|it| it.digest()).collect::<Vec<_>>();
            assert_eq!(digests(chain), digests(&longest[..chain.len()]));
        }
        longest.clone()
    }
}
