//! All to all over UDP on turmoil: `transport-turmoil NODES PERIOD_MS SIMULATED_S [SEED]`.

use std::{
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use turmoil::net::UdpSocket;

const PORT: u16 = 9000;

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().expect("a number"))
        .collect();
    let [nodes, period_ms, simulated_s, ref seed @ ..] = arguments[..] else {
        panic!("usage: transport-turmoil NODES PERIOD_MS SIMULATED_S [SEED]");
    };

    let mut simulation = turmoil::Builder::new()
        .simulation_duration(Duration::from_secs(simulated_s + 5))
        .tick_duration(Duration::from_millis(1))
        .min_message_latency(Duration::from_millis(5))
        .max_message_latency(Duration::from_millis(15))
        .udp_capacity(65536)
        .rng_seed(seed.first().copied().unwrap_or(0))
        .build();
    let names: Vec<String> = (0..nodes).map(|node| format!("node-{node}")).collect();
    let delivered = Arc::new(AtomicU64::new(0));
    for name in &names {
        let peers: Vec<String> = names.iter().filter(|peer| *peer != name).cloned().collect();
        let delivered = delivered.clone();
        simulation.host(name.as_str(), move || {
            node(peers.clone(), period_ms, delivered.clone())
        });
    }
    simulation.client("driver", async move {
        tokio::time::sleep(Duration::from_secs(simulated_s)).await;
        Ok(())
    });

    let started = Instant::now();
    simulation.run().expect("the simulation ends");
    let wall_s = started.elapsed().as_secs_f64();

    let delivered = delivered.load(Ordering::Relaxed);
    println!(
        "turmoil nodes={nodes} period_ms={period_ms} simulated_s={simulated_s} delivered={delivered} \
         wall_s={wall_s:.3} deliveries_per_s={:.0} simulated_per_wall={:.1}",
        delivered as f64 / wall_s,
        simulated_s as f64 / wall_s
    );
}

async fn node(peers: Vec<String>, period_ms: u64, delivered: Arc<AtomicU64>) -> turmoil::Result {
    let socket = Arc::new(UdpSocket::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?);
    let receiving = socket.clone();
    tokio::spawn(async move {
        let mut buffer = [0; 512];
        while receiving.recv_from(&mut buffer).await.is_ok() {
            delivered.fetch_add(1, Ordering::Relaxed);
        }
    });
    let peers: Vec<_> = peers
        .iter()
        .map(|peer| (turmoil::lookup(peer.as_str()), PORT))
        .collect();
    loop {
        tokio::time::sleep(Duration::from_millis(period_ms)).await;
        for peer in &peers {
            socket.send_to(&[7; 256], *peer).await?;
        }
    }
}
