//! All to all on commonware's simulated network: `transport-commonware NODES PERIOD_MS SIMULATED_S [SEED]`.

use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{
    Receiver as _, Recipients, Sender as _,
    simulated::{Config, Link, Network},
};
use commonware_runtime::{
    Clock as _, Quota, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZU32, NZUsize, probability};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().expect("a number"))
        .collect();
    let [nodes, period_ms, simulated_s, ref seed @ ..] = arguments[..] else {
        panic!("usage: transport-commonware NODES PERIOD_MS SIMULATED_S [SEED]");
    };
    let runner = deterministic::Runner::seeded(seed.first().copied().unwrap_or(0));
    let (delivered, wall_s) =
        runner.start(|context| all_to_all(context, nodes, period_ms, simulated_s));
    println!(
        "commonware nodes={nodes} period_ms={period_ms} simulated_s={simulated_s} delivered={delivered} \
         wall_s={wall_s:.3} deliveries_per_s={:.0} simulated_per_wall={:.1}",
        delivered as f64 / wall_s,
        simulated_s as f64 / wall_s
    );
}

async fn all_to_all(
    context: deterministic::Context,
    nodes: u64,
    period_ms: u64,
    simulated_s: u64,
) -> (u64, f64) {
    let peers: Vec<_> = (0..nodes)
        .map(|seed| ed25519::PrivateKey::from_seed(seed).public_key())
        .collect();
    let config = Config {
        max_size: 1024 * 1024,
        max_peers_per_set: NZUsize!(64),
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(1),
    };
    let child = context.child("network");
    let (network, oracle) = Network::new_with_peers(child, config, peers.clone()).await;
    network.start();

    let quota = Quota::per_second(NZU32!(1_000_000));
    let mut channels = Vec::new();
    for peer in &peers {
        let control = oracle.control(peer.clone());
        channels.push(control.register(0, quota).await.expect("registered"));
    }
    let link = Link {
        latency: Duration::from_millis(10),
        jitter: Duration::from_millis(3),
        success_rate: probability!(1.0),
    };
    for from in &peers {
        for to in peers.iter().filter(|to| *to != from) {
            let added = oracle.add_link(from.clone(), to.clone(), link.clone());
            added.await.expect("linked");
        }
    }

    let delivered = Arc::new(AtomicU64::new(0));
    for (mut sender, mut receiver) in channels {
        let delivered = delivered.clone();
        context.child("receiver").spawn(|_| async move {
            while receiver.recv().await.is_ok() {
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        });
        context.child("sender").spawn(move |context| async move {
            loop {
                context.sleep(Duration::from_millis(period_ms)).await;
                sender.send(Recipients::All, vec![7; 256], false);
            }
        });
    }
    let started = Instant::now();
    context.sleep(Duration::from_secs(simulated_s)).await;
    (
        delivered.load(Ordering::Relaxed),
        started.elapsed().as_secs_f64(),
    )
}
