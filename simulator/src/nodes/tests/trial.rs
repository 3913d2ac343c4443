//! The proof on real processes, here on simulated machines: one body of checks, and every property of the system besides.

use crate::{
    Scenario, System as _, Watch,
    draw::Draw,
    host::{Config, Crash, Crew, Host, Machine},
    network,
    nodes::{
        Nodes, Options, Role, byzantine,
        deployment::{Deployed, Key},
        life::Life,
        money,
    },
    system::Port,
    world::{now_us, start},
};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_runtime::{Clock as _, Spawner as _, Supervisor as _};
use commonware_utils::{SystemTimeExt as _, sync::Mutex};
use drystone_actors::{
    executor::Fate,
    mempool::Answer,
    node::Node,
    orderer::Orderer as _,
    trial::{Came, Heights, Net, Trial, nothing_told_is_lost},
};
use drystone_engine::types::Digest;
use ledger::{Account, Genesis, Transfer};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// How long a client waits to be told.
const PATIENCE: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(50);
const LIFETIME_MS: u64 = 30_000;

/// One life of a node, once it runs.
#[derive(Clone)]
struct Running {
    node: Node<Deployed>,
    /// What it has said that was executed, and where.
    told: Arc<Mutex<BTreeMap<Digest, u64>>>,
    /// Tells it to stop, and says whether it did without an error.
    host: Arc<Host>,
}

/// A cluster of simulated machines in the hands of a test.
struct Hosts {
    clock: Crew,
    network: network::Network<Key, Crew>,
    machines: Vec<Machine>,
    watch: Mutex<Watch<Nodes>>,
    running: Arc<Mutex<BTreeMap<usize, Running>>>,
    money: Arc<Genesis>,
}

impl Hosts {
    fn new(crew: &Crew, nodes: usize) -> Self {
        let options = Options {
            epoch_blocks: 150,
            interval_ms: 50,
            ..Options::all(nodes)
        };
        let mut plan = Scenario::<Nodes>::cluster(nodes)
            .quiet()
            .options(options.clone())
            .plan(0);
        plan.faults.clear();
        plan.actions.clear();
        let clock = crew.child("clock");
        let now = Arc::new(move || now_us(&clock));
        let mut watch = Watch::<Nodes>::new(plan, now, Nodes::new);
        let world = watch.system().shared.world.clone();
        let machines = (0..nodes).map(|it| Machine::new(crew, it, Config::default()));
        Self {
            clock: crew.child("trial"),
            network: network::Network::new(
                crew.child("network"),
                world.names.clone(),
                Nodes::network(&options),
            ),
            machines: machines.collect(),
            watch: Mutex::new(watch),
            running: Arc::default(),
            money: money::genesis(&options, world.genesis.digest),
        }
    }

    fn running(&self, node: usize) -> Option<Running> {
        self.running.lock().get(&node).cloned()
    }

    /// What is left of a node's life is over.
    async fn ends(&self, node: usize) {
        self.running.lock().remove(&node);
        self.network.take_down(node);
        self.watch.lock().crashed(node);
        self.machines[node].crash(Crash::Lost).await;
    }
}

impl Net for Hosts {
    fn nodes(&self) -> usize {
        self.machines.len()
    }

    async fn submit(&self, client: u64, node: usize) -> Option<Digest> {
        let Running { node, .. } = self.running(node)?;
        let account = u16::try_from(client).expect("few clients");
        let from = money::address(account);
        let held = node.gate.query(&from).await.ok()?;
        let transfer = Transfer {
            from,
            to: money::address(account + 1),
            amount: 1,
            fee: self.money.fee_min,
            nonce: Account::decode(Copying(&held)).expect("an account").nonce,
            expiry_ms: self.clock.current().epoch_millis() + LIFETIME_MS,
        };
        let bytes = Bytes::from(money::sign(transfer, &self.money));
        let id = Sha256::hash(&[&bytes]);
        let answer = node.mempool.submit(bytes).await;
        (answer == Answer::Accepted).then_some(id)
    }

    async fn settled(&self, node: usize, id: Digest) -> Option<u64> {
        let Running { told, .. } = self.running(node)?;
        let until = self.clock.current() + PATIENCE;
        while self.clock.current() < until {
            let height = told.lock().get(&id).copied();
            if height.is_some() {
                return height;
            }
            self.clock.sleep(LOOK).await;
        }
        None
    }

    async fn heights(&self, node: usize) -> Option<Heights> {
        let Running { node, .. } = self.running(node)?;
        Some(Heights {
            finalized: node.orderer.newest().await?,
            executed: node.executor.progress().newest()?.head.height,
        })
    }

    async fn came(&self, node: usize, height: u64) -> Option<Came> {
        let Running { node, .. } = self.running(node)?;
        let record = node.executor.record(height).await.ok()??;
        let entries = record.results.entries.iter();
        let executed = entries.filter(|it| it.fate == Fate::Executed);
        Some(Came {
            root: record.root,
            executed: executed.map(|it| it.id).collect(),
        })
    }

    /// What was not synced is lost, which is more than a process that is killed loses.
    async fn kill(&self, node: usize) {
        self.ends(node).await;
    }

    async fn start(&self, node: usize) {
        let host = self.machines[node].boot();
        let main = host.child("main");
        let port = Port::new(self.network.clone(), node);
        let life = {
            let mut watch = self.watch.lock();
            let (_, observer) = watch.booted(node);
            Life {
                shared: watch.system().shared.clone(),
                node,
                prefix: "",
                observer,
            }
        };
        let world = life.shared.world.clone();
        let network = byzantine::network(&port, node, Role::Honest, &world, &Draw::new(0));
        let (all, host) = (self.running.clone(), Arc::new(host));
        // Not joined: the machine's end is its end.
        drop(main.spawn(move |main| async move {
            let opened = life.open(&main, network).await;
            let (running, handle, _) = opened.unwrap_or_else(|it| panic!("node {node}: {it}"));
            let told = Arc::<Mutex<BTreeMap<_, _>>>::default();
            let mut records = running.executor.subscribe();
            let learnt = told.clone();
            main.child("clients").spawn(move |_| async move {
                while let Some(record) = futures::StreamExt::next(&mut records).await {
                    let entries = record.results.entries.iter();
                    let executed = entries.filter(|it| it.fate == Fate::Executed);
                    let height = record.results.height;
                    learnt.lock().extend(executed.map(|it| (it.id, height)));
                }
            });
            let life = Running {
                node: running,
                told,
                host,
            };
            all.lock().insert(node, life);
            let ended = handle.await;
            ended.expect("not lost").expect("a sound disk");
        }));
    }

    async fn stop(&self, node: usize) -> bool {
        let Running { host, .. } = self.running(node).expect("it runs");
        let stopped = host.child("stop").stop(0, Some(PATIENCE)).await;
        drop(host);
        self.ends(node).await;
        stopped.is_ok()
    }

    async fn sleep(&self, duration: Duration) {
        self.clock.sleep(duration).await;
    }
}

// D-44, K-05
#[test]
fn nothing_that_a_client_was_told_is_lost_when_machines_are_killed() {
    Crew::run(1, start(), Duration::from_micros(100), |crew| async move {
        let net = Hosts::new(&crew, 4);
        for node in 0..net.nodes() {
            net.start(node).await;
        }
        let trial = Trial {
            clients: 12,
            rounds: 6,
            told_min: 100,
        };
        nothing_told_is_lost(&net, trial).await;
        let Hosts { watch, .. } = net;
        let checked = watch.into_inner().finish();
        checked.unwrap_or_else(|failure| panic!("{failure}"));
    });
}
