//! All to all over UDP on madsim: `transport-madsim NODES PERIOD_MS SIMULATED_S [SEED]`.

use madsim::{
    Config,
    net::UdpSocket,
    runtime::{NodeHandle, Runtime},
    task, time,
};
use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, SystemTime},
};

fn main() {
    let arguments: Vec<u64> = std::env::args()
        .skip(1)
        .map(|argument| argument.parse().expect("a number"))
        .collect();
    let [nodes, period_ms, simulated_s, ref seed @ ..] = arguments[..] else {
        panic!("usage: transport-madsim NODES PERIOD_MS SIMULATED_S [SEED]");
    };
    let seed = seed.first().copied().unwrap_or(0);

    let mut config = Config::default();
    config.net.send_latency = Duration::from_millis(5)..Duration::from_millis(15);
    let runtime = Runtime::with_seed_and_config(seed, config);
    let addresses: Vec<SocketAddr> = (0..nodes)
        .map(|node| SocketAddr::from(([10, 0, (node / 250) as u8, (1 + node % 250) as u8], 9000)))
        .collect();
    let delivered = Arc::new(AtomicU64::new(0));
    for address in &addresses {
        let node = runtime.create_node().ip(address.ip()).build();
        let peers = addresses
            .iter()
            .copied()
            .filter(|peer| peer != address)
            .collect();
        start(&node, *address, peers, period_ms, delivered.clone());
    }

    // Inside the simulation the clock is simulated: read the real one outside.
    let started = SystemTime::now();
    runtime.block_on(async { time::sleep(Duration::from_secs(simulated_s)).await });
    let wall_s = started
        .elapsed()
        .expect("the clock goes forward")
        .as_secs_f64();

    let delivered = delivered.load(Ordering::Relaxed);
    println!(
        "madsim nodes={nodes} period_ms={period_ms} simulated_s={simulated_s} delivered={delivered} \
         wall_s={wall_s:.3} deliveries_per_s={:.0} simulated_per_wall={:.1}",
        delivered as f64 / wall_s,
        simulated_s as f64 / wall_s
    );
}

fn start(
    node: &NodeHandle,
    address: SocketAddr,
    peers: Vec<SocketAddr>,
    period_ms: u64,
    delivered: Arc<AtomicU64>,
) {
    node.spawn(async move {
        let socket = Arc::new(UdpSocket::bind(address).await.expect("a free port"));
        let receiving = socket.clone();
        task::spawn(async move {
            let mut buffer = [0; 512];
            while receiving.recv_from(&mut buffer).await.is_ok() {
                delivered.fetch_add(1, Ordering::Relaxed);
            }
        });
        loop {
            time::sleep(Duration::from_millis(period_ms)).await;
            for peer in &peers {
                socket.send_to(*peer, &[7; 256]).await.expect("sent");
            }
        }
    });
}
