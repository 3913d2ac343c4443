//! All to all on the simulated network, to compare its speed with that of others
//! (`baselines/transport/run.sh`):
//!
//! ```text
//! cargo run --release --example transport -- NODES PERIOD_MS SIMULATED_S [SEED] [--faults]
//! ```
//!
//! Every node sends 256 bytes to every other each period, over links of 5 to 15 ms; one task for each
//! node counts what arrives. With `--faults`, links also lose, duplicate and reorder messages.

use clap::Parser;
use commonware_cryptography::{Signer as _, ed25519};
use commonware_p2p::{Receiver as _, Recipients, Sender as _};
use commonware_runtime::{
    Clock as _, Quota, Runner as _, Spawner as _, Supervisor as _, deterministic,
};
use commonware_utils::{NZU32, NZUsize};
use drystone_simulator::network::{Config, Delivery, Link, Network};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// Measures the simulated network.
#[derive(Parser)]
struct Arguments {
    nodes: u64,
    period_ms: u64,
    simulated_s: u64,
    #[arg(default_value_t = 0)]
    seed: u64,
    /// 1 % of messages lost, 1 % duplicated, 1 % held back by up to 20 ms.
    #[arg(long)]
    faults: bool,
}

impl Arguments {
    fn link(&self) -> Link {
        let link = Link::new(5_000, 10_000);
        if !self.faults {
            return link;
        }
        Link {
            loss_ppm: 10_000,
            duplicate_ppm: 10_000,
            reorder_ppm: 10_000,
            reorder_us: 20_000,
            ..link
        }
    }
}

struct Outcome {
    received: u64,
    trace_hash: u64,
    wall_s: f64,
}

fn main() {
    let arguments = Arguments::parse();
    let config = deterministic::Config::new()
        .with_seed(arguments.seed)
        .with_cycle(Duration::from_micros(10));
    let runner = deterministic::Runner::new(config);
    let outcome = runner.start(|context| all_to_all(context, &arguments));
    println!(
        "drystone{} nodes={} period_ms={} simulated_s={} delivered={} wall_s={:.3} \
         deliveries_per_s={:.0} simulated_per_wall={:.1} trace_hash={:016x}",
        if arguments.faults { "-faults" } else { "" },
        arguments.nodes,
        arguments.period_ms,
        arguments.simulated_s,
        outcome.received,
        outcome.wall_s,
        outcome.received as f64 / outcome.wall_s,
        arguments.simulated_s as f64 / outcome.wall_s,
        outcome.trace_hash,
    );
}

#[expect(
    clippy::disallowed_methods,
    reason = "what is measured here is wall time; the simulation does not see it"
)]
async fn all_to_all(context: deterministic::Context, arguments: &Arguments) -> Outcome {
    let peers = (0..arguments.nodes)
        .map(|seed| ed25519::PrivateKey::from_seed(seed).public_key())
        .collect();
    let config = Config {
        inbox_max: NZUsize!(65_536),
        ..Config::new(arguments.seed)
    };
    let network = Network::new(context.child("network"), peers, config);
    network.set_links(arguments.link());
    let trace_hash = Arc::new(AtomicU64::new(0));
    let hash = trace_hash.clone();
    network.set_hook(move |delivery| {
        hash.store(
            fold(hash.load(Ordering::Relaxed), delivery),
            Ordering::Relaxed,
        );
    });

    let received = Arc::new(AtomicU64::new(0));
    let period = Duration::from_millis(arguments.period_ms);
    let quota = Quota::per_second(NZU32!(1_000_000));
    for node in 0..arguments.nodes as usize {
        let (mut sender, mut receiver) = network.register(node, 0, quota);
        let received = received.clone();
        context.child("receiver").spawn(|_| async move {
            while receiver.recv().await.is_ok() {
                received.fetch_add(1, Ordering::Relaxed);
            }
        });
        context.child("sender").spawn(move |context| async move {
            loop {
                context.sleep(period).await;
                sender.send(Recipients::All, vec![7; 256], false);
            }
        });
    }
    let started = Instant::now();
    context
        .sleep(Duration::from_secs(arguments.simulated_s))
        .await;
    Outcome {
        received: received.load(Ordering::Relaxed),
        trace_hash: trace_hash.load(Ordering::Relaxed),
        wall_s: started.elapsed().as_secs_f64(),
    }
}

/// Adds one end of a message to a hash of all before it.
fn fold(hash: u64, delivery: &Delivery<'_>) -> u64 {
    [
        delivery.at_us,
        delivery.from as u64,
        delivery.to as u64,
        delivery.channel,
        delivery.sequence,
        u64::from(delivery.duplicate),
        delivery.fate as u64,
        delivery.length() as u64,
    ]
    .into_iter()
    .fold(hash, |hash, word| {
        (hash.rotate_left(5) ^ word).wrapping_mul(0x517C_C1B7_2722_0A95)
    })
}
