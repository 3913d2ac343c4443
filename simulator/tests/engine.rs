//! A whole engine as a node sees it: between an application, a reporter and a transport, on a runtime.

mod authenticated;
mod doubles;

use authenticated::{Key, QUOTA, addresses};
use commonware_cryptography::Signer as _;
use commonware_parallel::{Rayon, rayon::ThreadPoolBuilder};
use commonware_runtime::{
    Clock as _, Metrics as _, Runner as _, Strategizer, Supervisor as _, deterministic, tokio,
};
use commonware_utils::NZUsize;
use doubles::{
    Noting, Nouns, Urgency,
    cluster::{Cluster, NODES, Node, PATIENCE},
};
use drystone_engine::{
    Channel, Channels, Config, Engine, Environment, Error, Network, Transport,
    scheme::fixture::{Ed25519, Fixture as _},
    wire,
};
use drystone_simulator::network;
use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, atomic::Ordering::Relaxed},
};

/// Every node knows every lane certified to a height.
fn certified(height: u64) -> impl Fn(&[Node]) -> bool {
    move |nodes| {
        nodes.iter().all(|node| {
            node.certified.len() == NODES && node.certified.values().all(|it| *it >= height)
        })
    }
}

fn message_size_max() -> u32 {
    let size = wire::message_size_max::<Nouns>(NODES as u32);
    u32::try_from(size).expect("a message is far below 4 GiB")
}

type Sender = network::Sender<Key, deterministic::Context>;
type Simulated<S> = Channels<
    S,
    network::Receiver<Key, deterministic::Context>,
    network::Control<Key, deterministic::Context>,
>;

/// The simulated network, which must outlive the nodes.
fn simulated(context: &deterministic::Context) -> network::Network<Key, deterministic::Context> {
    let keys = Ed25519::identities(0, NODES as u32);
    let names = keys.iter().map(|key| key.public_key()).collect();
    let config = network::Config {
        message_size_max: message_size_max(),
        ..network::Config::new(0)
    };
    network::Network::new(context.child("network"), names, config)
}

/// Every node's channels, each with the sender that `wrap` makes of it.
fn open<S: commonware_p2p::Sender<PublicKey = Key>>(
    world: &network::Network<Key, deterministic::Context>,
    wrap: impl Fn(&'static str, Sender) -> S,
) -> Vec<Network<Simulated<S>>> {
    let open = |node, channel, name| -> Channel<Simulated<S>> {
        let (sender, receiver) = world.register(node, channel, QUOTA);
        (wrap(name, sender), receiver)
    };
    let nodes = (0..NODES).map(|node| Network {
        headers: open(node, 0, "headers"),
        acks: open(node, 1, "acks"),
        gossip: open(node, 2, "gossip"),
        answers: open(node, 3, "answers"),
        blocker: world.control(node),
    });
    nodes.collect()
}

/// The body that both worlds run: engines that are asked to stop, in the middle of their work, end in peace.
async fn stops<E, N>(context: E, life: u64, networks: Vec<Network<N>>) -> Vec<Node>
where
    E: Environment + Strategizer,
    N: Transport<PublicKey = Key>,
{
    let strategy = context.strategy(NZUsize!(2));
    let mut cluster = Cluster::start(&context, (life, strategy), networks, |_| {}).await;
    // What the journal says of the first life counts from the start.
    cluster.until(&context, certified(20 * (life + 1))).await;
    // Everybody who holds the signal has let go of it: the journals are synced and closed.
    let stopped = context.child("stop").stop(0, Some(PATIENCE)).await;
    stopped.expect("nothing hangs");
    for handle in std::mem::take(&mut cluster.handles) {
        let ended = handle.await.expect("an engine is not aborted");
        ended.expect("an engine that was asked to stop gives no reason");
    }
    cluster.drain();
    cluster.nodes
}

/// Nobody proposed in the second life what the first had sent.
fn goes_on(first: &[Node], second: &[Node]) {
    for (first, second) in first.iter().zip(second) {
        let (last, next) = (first.proposed.last(), second.proposed.first());
        let (last, next) = (last.expect("it ran"), next.expect("it ran"));
        // What was synced but not sent is sent again, which is no proposal.
        assert!((last + 1..=last + 8).contains(next), "{next} after {last}");
    }
}

// L-20
#[test]
fn an_engine_stops_in_the_middle_of_its_work_in_the_simulated_world() {
    let body = |life| {
        move |context: deterministic::Context| async move {
            let world = simulated(&context);
            stops(context, life, open(&world, |_, sender| sender)).await
        }
    };
    let config = deterministic::Config::new().with_timeout(Some(4 * PATIENCE));
    let (first, disk) = deterministic::Runner::new(config).start_and_recover(body(0));
    let second = deterministic::Runner::from(disk).start(body(1));
    goes_on(&first, &second);
}

// L-20, L-22
#[test]
fn an_engine_stops_in_the_middle_of_its_work_on_tokio() {
    let directory = tempfile::tempdir().expect("a directory");
    let run = |life| {
        let config = tokio::Config::new().with_storage_directory(directory.path());
        tokio::Runner::new(config).start(|context| async move {
            let keys = Ed25519::identities(0, NODES as u32);
            let addresses = addresses(&keys);
            let size = message_size_max();
            let networks = keys
                .into_iter()
                .map(|key| authenticated::connect(&context, key, &addresses, size))
                .collect();
            stops(context, life, networks).await
        })
    };
    goes_on(&run(0), &run(1));
}

/// Runs a body in the simulated world.
fn simulate<F: Future<Output = ()>>(body: impl FnOnce(deterministic::Context) -> F) {
    deterministic::Runner::timed(2 * PATIENCE).start(body);
}

#[test]
fn an_engine_whose_network_closes_a_channel_ends_and_says_why() {
    for channel in 0..3 {
        simulate(|context| async move {
            let world = simulated(&context);
            let networks = open(&world, |_, sender| sender);
            let strategy = context.strategy(NZUsize!(2));
            let mut cluster = Cluster::start(&context, (0, strategy), networks, |_| {}).await;
            cluster.until(&context, certified(5)).await;
            // Whoever registers a channel anew closes the old one.
            let _anew = world.register(0, channel, QUOTA);
            let ended = cluster.handles.remove(0).await;
            let ended = ended.expect("an engine is not aborted");
            assert!(matches!(ended, Err(Error::Closed)), "{channel}: {ended:?}");
        });
    }
}

#[test]
fn verdicts_that_were_pending_are_asked_for_again_when_the_application_says_so() {
    simulate(|context| async move {
        let world = simulated(&context);
        let networks = open(&world, |_, sender| sender);
        let strategy = context.strategy(NZUsize!(2));
        // Nothing is asked again because of time.
        let patient = |config: &mut Config<Nouns>| config.rebroadcast = 1_000 * PATIENCE;
        let mut cluster = Cluster::start(&context, (0, strategy), networks, patient).await;
        cluster.willing.store(false, Relaxed);
        let asked = |nodes: &[Node]| nodes.iter().all(|it| it.judged >= 10);
        cluster.until(&context, asked).await;
        context.sleep(PATIENCE / 4).await;
        cluster.drain();
        let before: u64 = cluster.nodes.iter().map(|it| it.certificates).sum();
        assert_eq!(before, 0, "nobody acked without a verdict");
        cluster.willing.store(true, Relaxed);
        cluster.engines.iter().for_each(Engine::stirred);
        cluster.until(&context, certified(20)).await;
    });
}

// L-18, L-19
#[test]
fn metrics_count_what_the_application_and_the_reporter_were_told() {
    simulate(|context| async move {
        let world = simulated(&context);
        let networks = open(&world, |_, sender| sender);
        let strategy = context.strategy(NZUsize!(2));
        let mut cluster = Cluster::start(&context, (0, strategy), networks, |_| {}).await;
        cluster.until(&context, certified(20)).await;
        cluster.drain();
        let metrics = context.encode();
        for (index, node) in cluster.nodes.iter().enumerate() {
            // A body is pushed after its header, each once.
            assert_eq!(node.relayed, node.proposed);
            let counted = |name: &str| {
                let name = format!("{name}{{index=\"{index}\"}} ");
                let line = metrics.lines().find_map(|it| it.split_once(&name));
                let (_, value) = line.unwrap_or_else(|| panic!("{name} is not in\n{metrics}"));
                value.parse::<u64>().expect("a count")
            };
            let proposed = node.proposed.len() as u64;
            assert_eq!(counted("sequencer_proposed_total"), proposed);
            assert_eq!(counted("sequencer_height"), proposed);
            assert_eq!(counted("tip_manager_judged_total"), node.judged);
            assert_eq!(counted("tip_manager_locks_total"), node.locked);
            assert_eq!(counted("tip_manager_acks_total"), node.acked);
            assert_eq!(counted("tip_manager_certificates_total"), node.certificates);
            assert!(counted("sequencer_certified_height") >= 20);
            assert!(counted("sequencer_certified_seconds_count") >= 20);
            for name in [
                "tip_manager_headers_total",
                "tip_manager_certificates_checked_total",
                "ack_manager_acks_total",
                "ack_manager_assembled_total",
                "journal_appends_total",
                "journal_group_syncs_total",
            ] {
                assert!(counted(name) > 0, "{name}");
            }
        }
    });
}

// L-17
#[test]
fn headers_and_acks_are_urgent_if_the_configuration_says_so() {
    for (proposals, acks) in [(false, false), (false, true), (true, false), (true, true)] {
        simulate(|context| async move {
            let world = simulated(&context);
            let urgency = Urgency::default();
            let networks = open(&world, |channel, inner| Noting {
                inner,
                channel,
                urgency: urgency.clone(),
            });
            let strategy = context.strategy(NZUsize!(2));
            let urgent = move |config: &mut Config<Nouns>| {
                config.priority_proposals = proposals;
                config.priority_acks = acks;
            };
            let mut cluster = Cluster::start(&context, (0, strategy), networks, urgent).await;
            cluster.until(&context, certified(20)).await;
            let mut seen = urgency.lock().clone();
            seen.retain(|(channel, _)| ["headers", "acks"].contains(channel));
            assert_eq!(
                seen,
                BTreeSet::from([("headers", proposals), ("acks", acks)])
            );
        });
    }
}

// L-22: acks are checked where the strategy says, or not at all.
#[test]
fn nothing_is_certified_while_the_threads_of_the_strategy_are_held_up() {
    let gate = Arc::new(Mutex::new(()));
    let held = gate.lock().expect("nobody else has it");
    let pool = ThreadPoolBuilder::new().num_threads(2).start_handler({
        let gate = gate.clone();
        move |_| drop(gate.lock())
    });
    let strategy = Rayon::with_pool(Arc::new(pool.build().expect("threads start")));
    let run = strategy.clone();
    simulate(|context| async move {
        let world = simulated(&context);
        let networks = open(&world, |_, sender| sender);
        let mut cluster = Cluster::start(&context, (0, run), networks, |_| {}).await;
        let acked = |nodes: &[Node]| nodes.iter().all(|it| it.acked >= 8);
        cluster.until(&context, acked).await;
        context.sleep(PATIENCE / 4).await;
        cluster.drain();
        assert!(cluster.nodes.iter().all(|it| it.certificates == 0));
    });
    drop(held);
}
