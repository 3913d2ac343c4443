//! Mempools and builders of several nodes on one simulated network, and nodes played by the test.

use crate::{
    Canary, builder,
    mempool::{self, Actor, Application, Config, Members, Peers, Rank, Start, wire},
    testing::{
        Key, World, genesis,
        payments::{Book, Ledger, Payments, Shelf, Till, config},
    },
};
use bytes::Bytes;
use commonware_p2p::{
    Receiver as _, Recipients, Sender as _,
    simulated::{self, Control, Link, Network, Oracle},
};
use commonware_runtime::{Clock as _, Handle, Quota, Supervisor as _, deterministic::Context};
use commonware_utils::{NZU32, NZUsize, Probability};
use drystone_engine::Channels;
use std::{sync::Arc, time::Duration};

/// How the nodes reach each other.
pub type Net = Channels<Sender, Receiver, Control<Key, Context>>;
type Sender = simulated::Sender<Key, Context>;
type Receiver = simulated::Receiver<Key>;

/// Chain time when nodes start.
pub const CHAIN_MS: u64 = 1_000;

/// A node that runs the real actors.
pub struct Running {
    pub mempool: mempool::Mailbox<Payments>,
    pub builder: builder::Mailbox,
    pub book: Book,
    pub till: Till,
    pub shelf: Shelf,
    tasks: [Handle<()>; 2],
}

impl Drop for Running {
    fn drop(&mut self) {
        self.tasks.iter().for_each(Handle::abort);
    }
}

/// A node that the test plays.
pub struct Played {
    channel: (Sender, Receiver),
    world: Arc<World>,
}

impl Played {
    pub fn send(&mut self, to: usize, message: &wire::Message) {
        self.send_bytes(to, message.encode());
    }

    pub fn send_bytes(&mut self, to: usize, bytes: Bytes) {
        let to = Recipients::One(self.world.key(to));
        self.channel.0.send(to, bytes, false);
    }

    /// The next message from anybody.
    pub async fn receive(&mut self) -> wire::Message {
        let (_, bytes) = self.channel.1.recv().await.expect("the network runs");
        wire::Message::decode(bytes.into(), &config().wire).expect("from an honest node")
    }
}

pub struct Cluster {
    pub context: Context,
    pub world: Arc<World>,
    oracle: Oracle<Key, Context>,
    count: usize,
}

impl Cluster {
    /// A network of so many nodes without links.
    pub async fn new(context: Context, count: usize) -> Self {
        let world = Arc::new(World::new());
        let config = simulated::Config {
            max_size: 1 << 16,
            max_peers_per_set: NZUsize!(6),
            disconnect_on_block: true,
            tracked_peer_sets: NZUsize!(1),
        };
        let keys: Vec<_> = (0..count).map(|it| world.key(it)).collect();
        let (network, oracle) =
            Network::new_with_peers(context.child("network"), config, keys).await;
        network.start();
        Self {
            context,
            world,
            oracle,
            count,
        }
    }

    /// Links two nodes both ways, 10 ms apart.
    pub async fn link(&self, one: usize, other: usize, success_rate: Probability) {
        for (from, to) in [(one, other), (other, one)] {
            let link = Link {
                latency: Duration::from_millis(10),
                jitter: Duration::ZERO,
                success_rate,
            };
            let (from, to) = (self.world.key(from), self.world.key(to));
            self.oracle.add_link(from, to, link).await.expect("new");
        }
    }

    pub async fn link_all(&self, success_rate: Probability) {
        for one in 0..self.count {
            for other in 0..one {
                self.link(one, other, success_rate).await;
            }
        }
    }

    pub async fn channel(&self, who: usize) -> (Sender, Receiver) {
        let control = self.oracle.control(self.world.key(who));
        let quota = Quota::per_second(NZU32!(10_000));
        control.register(0, quota).await.expect("registered once")
    }

    /// Starts a node.
    pub async fn start(&self, who: usize, config: Config) -> Running {
        let context = self.context.child("node");
        let channel = self.channel(who).await;
        let (me, blocker) = (
            self.world.key(who),
            self.oracle.control(self.world.key(who)),
        );
        let (book, till, shelf) = (Book::default(), Till::default(), Shelf::default());
        let (mempool, inbox) = mempool::mailbox(&context.child("mempool"), &config, till.clone());
        let (builder, orders) = builder::mailbox(&context.child("builder"), config.mailbox_size);
        let chunk = config.pool.chunk;
        let application = Application {
            rules: till.clone(),
            admission: Ledger::default(),
            observer: book.clone(),
        };
        let start = Start {
            me: me.clone(),
            chain_ms: CHAIN_MS,
        };
        let pool = Actor::<_, Net, Payments>::new(
            context.child("mempool"),
            config,
            start,
            application,
            inbox,
            Peers { channel, blocker },
            builder.clone(),
        );
        let packer = builder::Actor::<_, Payments>::new(
            context.child("builder"),
            builder::Config {
                me,
                genesis: Arc::new(genesis()),
                chunk,
                seal_ms: 50,
                retry_ms: 20,
                canary: Canary::None,
            },
            orders,
            mempool.clone(),
            shelf.clone(),
        );
        let others = (0..self.count).filter(|it| *it != who);
        mempool.entered(Members {
            peers: others.map(|it| self.world.key(it)).collect(),
            rank: Some(Rank {
                index: who as u32,
                count: self.count as u32,
            }),
        });
        mempool.blocks_only(false);
        let tasks = [pool.start(), packer.start()];
        Running {
            mempool,
            builder,
            book,
            till,
            shelf,
            tasks,
        }
    }

    /// Cuts off peers of a node.
    pub fn blocker(&self, who: usize) -> Control<Key, Context> {
        self.oracle.control(self.world.key(who))
    }

    /// A node that the test plays.
    pub async fn play(&self, who: usize) -> Played {
        Played {
            channel: self.channel(who).await,
            world: self.world.clone(),
        }
    }

    /// Who blocked whom.
    pub async fn blocked(&self) -> Vec<(usize, usize)> {
        let who = |key: &Key| {
            let found = (0..self.count).find(|it| self.world.key(*it) == *key);
            found.expect("a node")
        };
        let blocked = self.oracle.blocked().await.expect("the network runs");
        blocked.iter().map(|(by, of)| (who(by), who(of))).collect()
    }

    pub async fn sleep(&self, ms: u64) {
        self.context.sleep(Duration::from_millis(ms)).await;
    }
}
