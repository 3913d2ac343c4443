//! The other world: the same lane cluster on tokio, over authenticated connections, with real files.
//!
//! Nodes, doubles, observations and properties are the simulator's own. What differs is the environment and the
//! transport, and that nothing is repeatable: so nothing here waits for time to pass, only for what must be observed.

mod authenticated;

use authenticated::{Key, QUOTA, addresses};
use commonware_cryptography::{Signer as _, ed25519};
use commonware_runtime::{Clock, Runner as _, Supervisor as _, deterministic, tokio};
use drystone_engine::{
    Channels, Environment, Network, Transport,
    scheme::fixture::{Ed25519, Fixture as _},
};
use drystone_simulator::{
    Now, Scenario, System as _, Watch,
    lanes::{Certifies, Lanes, Life, Options},
    network,
};
use futures::{channel::oneshot, future::select};
use std::{
    fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    thread::{self, Scope, ScopedJoinHandle},
    time::Duration,
};

type Cluster = Lanes<Ed25519>;

/// Far above what each step takes, since the machine may be busy. A step that works never waits for it.
const PATIENCE: Duration = Duration::from_secs(40);

fn options(nodes: usize) -> Options {
    Options {
        chunk_every_us: 20_000,
        block_every_us: 200_000,
        rebroadcast_ms: 100,
        ..Options::all(nodes)
    }
}

/// Watches a cluster in the world of a clock.
fn watch<C: Clock>(nodes: usize, clock: C) -> Watch<Cluster> {
    let mut plan = Scenario::<Cluster>::cluster(nodes)
        .options(options(nodes))
        .plan(0);
    // What is done to the cluster is written below.
    plan.faults.clear();
    plan.actions.clear();
    let start = clock.current();
    let now: Now = Arc::new(move || {
        let since = clock.current().duration_since(start).unwrap_or_default();
        u64::try_from(since.as_micros()).expect("a test is short")
    });
    Watch::new(plan, now, |plan, observer| {
        Cluster::starting(plan, observer, start)
    })
}

/// The channels of one node of a cluster.
fn connect<E>(
    context: &E,
    key: ed25519::PrivateKey,
    addresses: &[(Key, SocketAddr)],
) -> Network<impl Transport<PublicKey = Key> + use<E>>
where
    E: Environment + commonware_runtime::Network + commonware_runtime::Resolver,
{
    let size = Cluster::network(&options(addresses.len())).message_size_max;
    authenticated::connect(context, key, addresses, size)
}

/// The body that both worlds run: two validators, of which neither certifies anything without the other, get both their
/// lanes certified.
async fn two_nodes_certify_their_lanes<E, N>(context: E, mut networks: Vec<Network<N>>)
where
    E: Environment,
    N: Transport<PublicKey = Key>,
{
    let nodes = networks.len();
    let mut watch = watch(nodes, context.child("clock"));
    for node in (0..nodes).rev() {
        let (incarnation, observer) = watch.booted(node);
        let life = watch.system().life(node, incarnation, observer);
        let network = networks.pop().expect("one a node");
        let place = context.child("node").with_attribute("index", node);
        let partition = format!("lanes-{node}");
        place.spawn(move |context| async move { life.run(&partition, context, network).await });
    }
    let certified = Certifies::new(0..nodes, 0..nodes, 20);
    if let Err(failure) = watch.until(&context, certified, PATIENCE).await {
        panic!("{failure}");
    }
    let checked = watch.finish().unwrap_or_else(|failure| panic!("{failure}"));
    assert!(checked["acks once"].checked > 40, "{checked:?}");
}

#[test]
fn one_body_runs_in_the_simulated_world() {
    let keys = Ed25519::identities(0, 2);
    deterministic::Runner::timed(2 * PATIENCE).start(|context| async move {
        let names = keys.iter().map(|key| key.public_key()).collect();
        let size = Cluster::network(&options(2)).message_size_max;
        let config = network::Config {
            message_size_max: size,
            ..network::Config::new(0)
        };
        let world = network::Network::new(context.child("network"), names, config);
        let networks = (0..2).map(|node| {
            let open = |channel| world.register(node, channel, QUOTA);
            Network::<Channels<_, _, _>> {
                headers: open(0),
                acks: open(1),
                gossip: open(2),
                answers: open(3),
                blocker: world.control(node),
            }
        });
        let networks = networks.collect();
        two_nodes_certify_their_lanes(context, networks).await;
    });
}

#[test]
fn the_same_body_runs_on_tokio_over_loopback() {
    let directory = tempfile::tempdir().expect("a directory");
    let keys = Ed25519::identities(0, 2);
    let config = tokio::Config::new().with_storage_directory(directory.path());
    tokio::Runner::new(config).start(|context| async move {
        let addresses = addresses(&keys);
        let networks = keys
            .into_iter()
            .map(|key| connect(&context, key, &addresses))
            .collect();
        two_nodes_certify_their_lanes(context, networks).await;
    });
}

/// One life of one node as a process of its own would live it: a runtime and a directory that nobody shares.
fn process(
    life: Life<Ed25519>,
    key: ed25519::PrivateKey,
    addresses: &[(Key, SocketAddr)],
    directory: PathBuf,
    killed: oneshot::Receiver<()>,
) {
    let config = tokio::Config::new()
        .with_storage_directory(directory)
        .with_worker_threads(1);
    tokio::Runner::new(config).start(|context| async move {
        let network = connect(&context, key, addresses);
        let life = pin!(life.run("lanes", context.child("lanes"), network));
        // When the root returns, the runtime drops every task wherever it stands.
        select(life, killed).await;
    });
}

/// Nodes as processes, until they are killed or dropped.
struct Processes<'scope, 'env> {
    scope: &'scope Scope<'scope, 'env>,
    keys: &'env [ed25519::PrivateKey],
    addresses: &'env [(Key, SocketAddr)],
    directory: &'env Path,
    running: Vec<Option<(oneshot::Sender<()>, ScopedJoinHandle<'scope, ()>)>>,
}

impl Processes<'_, '_> {
    fn boot(&mut self, watch: &mut Watch<Cluster>, node: usize) {
        let (incarnation, observer) = watch.booted(node);
        let life = watch.system().life(node, incarnation, observer);
        let (kill, killed) = oneshot::channel();
        let (key, addresses) = (self.keys[node].clone(), self.addresses);
        let directory = self.directory_of(node);
        let thread = self
            .scope
            .spawn(move || process(life, key, addresses, directory, killed));
        self.running[node] = Some((kill, thread));
    }

    /// Kills a node. What it said until it was gone counts, so the watch hears of it afterwards.
    fn kill(&mut self, watch: &mut Watch<Cluster>, node: usize) {
        let (kill, thread) = self.running[node].take().expect("it runs");
        kill.send(()).expect("nothing else ends a node");
        thread.join().expect("a killed node does not panic");
        watch.crashed(node);
    }

    fn directory_of(&self, node: usize) -> PathBuf {
        self.directory.join(node.to_string())
    }
}

/// Bytes in all files below a directory.
fn bytes_in(directory: &Path) -> u64 {
    let entries = fs::read_dir(directory).expect("a directory");
    let sizes = entries.map(|entry| {
        let entry = entry.expect("readable");
        let metadata = entry.metadata().expect("readable");
        if metadata.is_dir() {
            bytes_in(&entry.path())
        } else {
            metadata.len()
        }
    });
    sizes.sum()
}

#[test]
fn a_cluster_on_loopback_outlives_a_killed_node_and_takes_it_back_from_its_files() {
    const NODES: usize = 4;
    const KILLED: usize = 3;
    let directory = tempfile::tempdir().expect("a directory");
    let keys = Ed25519::identities(0, NODES as u32);
    let addresses = addresses(&keys);
    let scribe = tokio::Config::new()
        .with_storage_directory(directory.path().join("watch"))
        .with_worker_threads(1);
    let (keys, addresses, path) = (&keys[..], &addresses[..], directory.path());
    thread::scope(|scope| {
        tokio::Runner::new(scribe).start(|context| async move {
            let mut watch = watch(NODES, context.child("clock"));
            let mut processes = Processes {
                scope,
                keys,
                addresses,
                directory: path,
                running: (0..NODES).map(|_| None).collect(),
            };
            (0..NODES).for_each(|node| processes.boot(&mut watch, node));
            let all = Certifies::new(0..NODES, 0..NODES, 20);
            let reached = watch.until(&context, all, PATIENCE).await;
            reached.unwrap_or_else(|failure| panic!("with all nodes: {failure}"));

            processes.kill(&mut watch, KILLED);
            let kept = bytes_in(&processes.directory_of(KILLED));
            assert!(kept > 0, "the killed node left nothing on its disk");
            let rest = Certifies::new(0..KILLED, 0..KILLED, 60);
            let reached = watch.until(&context, rest, PATIENCE).await;
            reached.unwrap_or_else(|failure| panic!("with three of four: {failure}"));

            processes.boot(&mut watch, KILLED);
            watch.healed();
            let reached = watch.converges(&context, PATIENCE).await;
            reached.unwrap_or_else(|failure| panic!("after the restart: {failure}"));

            (0..NODES).for_each(|node| processes.kill(&mut watch, node));
            let checked = watch.finish().unwrap_or_else(|failure| panic!("{failure}"));
            for property in [
                "acks once",
                "bodies before acks",
                "genuine certificates",
                "proposes once",
            ] {
                assert!(checked[property].checked > 0, "{property}: {checked:?}");
            }
        });
    });
}
