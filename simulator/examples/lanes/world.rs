//! The engines, their machines, their links, and the chain behind them.
//!
//! Machines and network are the simulator's, driven directly: no plan, no recorder, no properties, so that the processor
//! time is that of the engines and of the world's moving parts, as it is in the baseline.

use super::{
    arguments::Arguments,
    board::Board,
    doubles::{Agreeing, Forever, Noting, Nouns, Shared},
    measure::Usage,
};
use commonware_cryptography::{Hasher as _, Sha256, Signer as _};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Quota, Spawner as _, Supervisor as _, buffer::paged::page_size,
};
use commonware_utils::{
    NZU32, NZUsize, TryFromIterator as _, channel::oneshot, ordered::Set, sync::Mutex,
};
use drystone_engine::{
    Canary, Channels, Config, Engine, Horizon, Network, journal,
    scheme::fixture::Fixture,
    types::{Bounds, Committee, Genesis, Limits},
    wire,
};
use drystone_simulator::{
    host::{self, Counters, Crew, DiskConfig, Host, Machine},
    network::{self, Delivery, Link},
};
use futures::future::{Either, select};
use std::{
    convert::Infallible,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::{Duration, UNIX_EPOCH},
};

/// Headers, acks, gossip, answers.
pub const CHANNELS: usize = 4;

const QUOTA: Quota = Quota::per_second(NZU32!(u32::MAX));

type Simulated<P> =
    Channels<network::Sender<P, Crew>, network::Receiver<P, Crew>, network::Control<P, Crew>>;

/// What stands still while the engines run.
pub struct Measured {
    pub virtual_s: f64,
    pub usage: Usage,
    /// All disks together.
    pub disks: Counters,
    /// Messages sent, one for each recipient.
    pub sent: u64,
    /// Messages that ended, by channel, lost ones included.
    pub ended: [u64; CHANNELS],
    /// Bytes of all of those.
    pub ended_bytes: u64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    /// Certificates that validators reported, own ones included.
    pub reported: u64,
    /// Certificates that were assembled.
    pub assembled: u64,
    /// The runtime's metrics.
    pub metrics: String,
}

/// Runs the engines until every validator has certified every lane to the end.
pub fn run<F: Fixture>(arguments: &Arguments) -> Measured {
    let cycle = Duration::from_micros(arguments.cycle_us);
    Crew::run(arguments.seed, UNIX_EPOCH, cycle, |crew| {
        measure::<F>(crew, arguments)
    })
}

/// The deployment's defaults, but for a lead that blocks keep far away from.
fn genesis(arguments: &Arguments) -> Genesis {
    let ahead = 16_384;
    Genesis {
        digest: Sha256::hash(&[b"baseline"]),
        slot_ms: arguments.slot_ms,
        window_ms: 60_000,
        in_flight_max: arguments.in_flight_max,
        lane_ahead_max: Limits {
            chunks: ahead,
            bytes: ahead,
            items: ahead,
        },
        lane_headers_max: 4 * ahead,
        chunk_bytes_max: 1,
        chunk_items_max: 1,
    }
}

/// Small pages and sections: the simulated disk copies a blob on every sync, which is the world's cost, not the
/// engine's.
fn journal_config() -> journal::Config<()> {
    let mut config = journal::Config::recommended("lanes", ());
    config.page_bytes = page_size(1024);
    config.write_buffer_bytes = NZUsize!(1 << 16);
    config.section_bytes_max = 1 << 16;
    config
}

type Traffic = Arc<([AtomicU64; CHANNELS], AtomicU64)>;

async fn measure<F: Fixture>(crew: Crew, arguments: &Arguments) -> Measured {
    let keys = F::identities(arguments.seed, arguments.n);
    let names: Vec<_> = keys.iter().map(|key| key.public_key()).collect();
    let genesis = Arc::new(genesis(arguments));
    let signers = F::committee(arguments.seed, genesis.ack_namespace(), &keys);
    let lanes = arguments.lanes() as usize;
    let sequencers = Set::try_from_iter(names.iter().take(lanes).cloned());
    let sequencers = sequencers.expect("identities are distinct");

    let traffic = Traffic::default();
    let network = connect::<F>(&crew, names.clone(), arguments, traffic.clone());
    let (done, ended) = oneshot::channel();
    let board = Board::new(arguments.height, names.len(), lanes, done);
    let board = Arc::new(Mutex::new(board));
    let shared = Shared {
        board: board.clone(),
        clock: Arc::new(crew.child("clock")),
        sequencers: Arc::new(sequencers.clone()),
    };
    let mut machines = Vec::new();
    let mut seats = Vec::new();
    for (node, key) in keys.into_iter().enumerate() {
        let machine = machine(&crew, node, arguments);
        let host = machine.boot();
        let initialised = Engine::<Nouns<F>>::initialise(&host, &journal_config()).await;
        initialised.expect("the disk is healthy");
        machines.push(machine);
        let open = |channel| network.register(node, channel, QUOTA);
        let channels = Network::<Simulated<F::PublicKey>> {
            headers: open(0),
            acks: open(1),
            gossip: open(2),
            answers: open(3),
            blocker: network.control(node),
        };
        let scheme = signers.of(&key.public_key()).clone();
        let committee = Committee::new(0, scheme, sequencers.clone());
        let config = Config {
            genesis: genesis.clone(),
            key,
            provider: Arc::new(Forever::<F>(Arc::new(committee))),
            epoch: 0,
            bounds: Bounds { past: 1, future: 1 },
            automaton: Agreeing {
                shared: shared.clone(),
                node,
                height: arguments.height,
                parked: Arc::default(),
            },
            reporter: Noting {
                shared: shared.clone(),
                node,
            },
            strategy: Sequential,
            rebroadcast: Duration::from_millis(arguments.rebroadcast_ms),
            certificate_linger: Duration::from_millis(arguments.linger_ms),
            certificate_interval: Duration::from_millis(arguments.interval_ms),
            priority_proposals: false,
            priority_acks: false,
            mailbox_size: NZUsize!(64),
            journal: journal_config(),
            canary: Canary::None,
        };
        seats.push((host, config, channels));
    }

    let written = disks(&machines);
    let (began, before) = (crew.current(), Usage::now());
    let engines = Arc::new(Mutex::new(Vec::new()));
    for (host, config, channels) in seats {
        let engines = engines.clone();
        host.child("node")
            .spawn(move |host| live::<F>(host, config, channels, engines));
    }
    let every = Duration::from_millis(arguments.block_ms);
    let chain = chain::<F>(&crew, every, names, board.clone(), engines);
    match select(pin!(chain), ended).await {
        Either::Left((endless, _)) => match endless {},
        Either::Right((ended, _)) => ended.expect("the board is held here"),
    }

    let usage = Usage::now().since(before);
    let virtual_time = crew.current().duration_since(began);
    let mut board = board.lock();
    Measured {
        virtual_s: virtual_time.expect("time goes on").as_secs_f64(),
        usage,
        disks: difference(disks(&machines), written),
        sent: network.stats().sent,
        ended: traffic.0.each_ref().map(|it| it.load(Relaxed)),
        ended_bytes: traffic.1.load(Relaxed),
        p50_ms: board.quantile_ms(50),
        p99_ms: board.quantile_ms(99),
        reported: board.reported,
        assembled: board.assembled,
        metrics: crew.metrics(),
    }
}

/// Links everybody to everybody.
fn connect<F: Fixture>(
    crew: &Crew,
    names: Vec<F::PublicKey>,
    arguments: &Arguments,
    traffic: Traffic,
) -> network::Network<F::PublicKey, Crew> {
    let message_size_max = wire::message_size_max::<Nouns<F>>(arguments.n);
    let config = network::Config {
        message_size_max: u32::try_from(message_size_max).expect("far below 4 GiB"),
        inbox_max: NZUsize!(1 << 16),
        ..network::Config::new(arguments.seed)
    };
    let network = network::Network::new(crew.child("network"), names, config);
    network.set_links(Link {
        loss_ppm: arguments.loss_ppm(),
        ..Link::new(arguments.latency_us, arguments.jitter_us)
    });
    network.set_hook(move |delivery: &Delivery<'_>| {
        let channel = usize::try_from(delivery.channel).expect("there are four");
        traffic.0[channel].fetch_add(1, Relaxed);
        traffic.1.fetch_add(delivery.length() as u64, Relaxed);
    });
    network
}

fn machine(crew: &Crew, node: usize, arguments: &Arguments) -> Machine {
    let config = host::Config {
        seed: arguments.seed,
        disk: DiskConfig {
            seed: arguments.seed,
            sync_us: arguments.fsync_us,
            ..DiskConfig::default()
        },
        ..host::Config::default()
    };
    Machine::new(crew, node, config)
}

async fn live<F: Fixture>(
    host: Host,
    config: Config<Nouns<F>>,
    channels: Network<Simulated<F::PublicKey>>,
    engines: Arc<Mutex<Vec<Engine<Nouns<F>>>>>,
) {
    let started = Engine::start(host, config, channels).await;
    let (engine, handle) = started.expect("a new node starts");
    engines.lock().push(engine);
    let ended = handle.await.expect("the engine's task is not aborted");
    ended.expect("a healthy node runs on");
}

/// Every block finalizes each lane's newest certificate and executes what the block before it finalized; all nodes
/// learn of it at once. Without it no header would ever be dropped.
async fn chain<F: Fixture>(
    crew: &Crew,
    every: Duration,
    names: Vec<F::PublicKey>,
    board: Arc<Mutex<Board>>,
    engines: Arc<Mutex<Vec<Engine<Nouns<F>>>>>,
) -> Infallible {
    let mut parent = Horizon::default();
    loop {
        crew.sleep(every).await;
        let since = crew.current().duration_since(UNIX_EPOCH);
        let since = since.expect("the run begins at the epoch");
        let newest = board.lock();
        let included = newest
            .newest()
            .map(|(lane, tip)| (names[lane].clone(), tip));
        let block = Horizon {
            finalized_ms: u64::try_from(since.as_millis()).expect("a run is short"),
            executed_ms: parent.finalized_ms,
            included: included.collect(),
            executed: parent.included,
        };
        drop(newest);
        for engine in engines.lock().iter() {
            engine.advanced(block.clone());
        }
        parent = block;
    }
}

/// What all disks have done.
fn disks(machines: &[Machine]) -> Counters {
    machines
        .iter()
        .map(Machine::counters)
        .fold(Counters::default(), |sum, it| Counters {
            writes: sum.writes + it.writes,
            bytes_written: sum.bytes_written + it.bytes_written,
            syncs: sum.syncs + it.syncs,
            ..sum
        })
}

fn difference(after: Counters, before: Counters) -> Counters {
    Counters {
        writes: after.writes - before.writes,
        bytes_written: after.bytes_written - before.bytes_written,
        syncs: after.syncs - before.syncs,
        ..after
    }
}
