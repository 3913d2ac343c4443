//! Baseline harness: upstream commonware-consensus 2026.7.1 `ordered_broadcast`
//! (the last published version that contains it) on the deterministic runtime
//! and simulated p2p.
//!
//! Usage: bench-ob <scheme> <n> <height> <latency_us> <jitter_us> [cycle_us] [sequencers] [seed]
//! scheme: ed25519 | multisig-minpk | multisig-minsig | threshold-minsig | secp256r1 | mock
//!   (mock = free ack/certificate crypto, ledger-backed; chunk signatures stay ed25519)
//! env: FSYNC_US (virtual latency of a node's disk per sync), LOSS (0..1 per message),
//!   REBROADCAST_MS (default 5000, as upstream's tests).
//! p50_ms and p99_ms are virtual, from proposal to certificate, over all chunks and validators.
//! Prints one CSV line (header with --header). DUMP=1 prints the metrics to stderr.
//!
//! Method: N engines (validator = sequencer) share one single-threaded deterministic
//! runtime, in-memory storage and simulated p2p, so wall time is the CPU time of ALL N
//! nodes plus the simulator. The automaton proposes/verifies at once and stops at
//! `height` chunks per sequencer; the run ends when every validator has reported a
//! Lock for the last height of every sequencer. A "chunk" below = one sequencer chunk
//! certified at all N validators.
mod disk;
mod doubles;
mod measure;
mod mock {
    use commonware_consensus::ordered_broadcast::types::{AckNamespace, AckSubject};
    use commonware_cryptography::impl_certificate_mock;
    impl_certificate_mock!(AckSubject<'a, P, D>, AckNamespace);
}

use commonware_consensus::{
    ordered_broadcast::{
        Config, Engine,
        scheme::{Scheme, bls12381_multisig, bls12381_threshold, ed25519, secp256r1},
        types::{ChunkSigner, ChunkVerifier},
    },
    types::{Epoch, EpochDelta, HeightDelta},
};
use commonware_cryptography::{
    bls12381::primitives::variant::{MinPk, MinSig},
    certificate::mocks::Fixture,
    ed25519::PublicKey,
    sha256,
};
use commonware_p2p::simulated::{self, Link, Network};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Metrics as _, Quota, Runner as _, Supervisor as _, buffer::paged::CacheRef,
    deterministic,
};
use commonware_utils::{
    NZU16, NZU64, NZUsize, TryFromIterator, channel::oneshot, ordered::Set, sync::Mutex,
};
use doubles::{Automaton, Monitor, Obs, Provider, Reporter, Sequencers};
use measure::{ALLOCATIONS, BYTES, cpu_s, metric};
use std::{
    num::NonZeroU32,
    sync::{Arc, atomic::Ordering::Relaxed},
    time::{Duration, Instant},
};

const NAMESPACE: &[u8] = b"bench";

/// Columns of the output; `cv` is a chunk certified at one validator.
const HEADER: &str = "scheme,n,sequencers,height,latency_us,jitter_us,cycle_us,fsync_us,loss,chunks,wall_s,\
    cpu_s,chunks_per_wall_s,cpu_us_per_chunk,cpu_us_per_chunk_per_validator,virtual_s,\
    chunks_per_virt_s,chunks_per_virt_s_per_seq,allocs_per_chunk_validator,\
    alloc_bytes_per_chunk_validator,fsyncs_per_cv,writes_per_cv,write_bytes_per_cv,\
    msgs_per_cv,polls_per_cv,lock_coverage,p50_ms,p99_ms";

struct Args {
    n: u32,
    height: u64,
    latency: Duration,
    jitter: Duration,
    cycle: Duration,
    sequencers: usize,
    seed: u64,
    fsync: Duration,
    rebroadcast: Duration,
    loss: f64,
}

fn env(k: &str, d: f64) -> f64 {
    std::env::var(k).map(|v| v.parse().unwrap()).unwrap_or(d)
}

/// What stands still while the engines run.
struct Measured {
    virtual_s: f64,
    wall_s: f64,
    cpu_s: f64,
    allocations: u64,
    bytes: u64,
    metrics: String,
    locks: u64,
    p50_ms: f64,
    p99_ms: f64,
}

fn run<S, F>(name: &str, fixture: F, a: Args)
where
    S: Scheme<PublicKey, sha256::Digest>,
    F: FnOnce(&mut deterministic::Context, &[u8], u32) -> Fixture<S>,
{
    let config = deterministic::Config::new()
        .with_seed(a.seed)
        .with_cycle(a.cycle)
        .with_timeout(Some(Duration::from_secs(100_000)));
    let measured = deterministic::Runner::new(config).start(|mut context| async {
        let fixture = fixture(&mut context, NAMESPACE, a.n);
        measure(context, fixture, &a).await
    });
    if std::env::var("DUMP").is_ok() {
        eprintln!("{}", measured.metrics);
    }
    print(name, &a, &measured);
}

async fn measure<S>(context: deterministic::Context, fixture: Fixture<S>, a: &Args) -> Measured
where
    S: Scheme<PublicKey, sha256::Digest>,
{
    let channels = connect(&context, &fixture.participants, a).await;
    let (tx, done) = oneshot::channel();
    let obs = Obs::new(
        context.child("clock"),
        a.height,
        a.n as usize,
        a.sequencers,
        tx,
    );
    let obs = Arc::new(Mutex::new(obs));
    let sequencers = fixture.participants.iter().take(a.sequencers).cloned();
    let sequencers = Sequencers::new(Set::try_from_iter(sequencers).unwrap());

    let (v0, t0, c0) = (context.current(), Instant::now(), cpu_s());
    let (allocations, bytes) = (ALLOCATIONS.load(Relaxed), BYTES.load(Relaxed));
    for (i, (p, (chunks, acks))) in fixture.participants.iter().zip(channels).enumerate() {
        let context = context.child("validator").with_attribute("i", i);
        let context = disk::Disk::new(context, a.fsync);
        let automaton = Automaton::new(a.height, obs.clone());
        let signer = || ChunkSigner::new(NAMESPACE, fixture.private_keys[i].clone());
        let config = Config {
            sequencer_signer: (i < a.sequencers).then(signer),
            chunk_verifier: ChunkVerifier::new(NAMESPACE),
            sequencers_provider: sequencers.clone(),
            validators_provider: Provider::new(fixture.schemes[i].clone()),
            automaton: automaton.clone(),
            relay: automaton,
            reporter: Reporter::new(i, obs.clone()),
            monitor: Monitor::new(Epoch::new(111)),
            priority_proposals: false,
            priority_acks: false,
            rebroadcast_timeout: a.rebroadcast,
            epoch_bounds: (EpochDelta::new(1), EpochDelta::new(1)),
            height_bound: HeightDelta::new(2),
            journal_heights_per_section: NZU64!(10),
            journal_replay_buffer: NZUsize!(4096),
            journal_write_buffer: NZUsize!(4096),
            journal_name_prefix: format!("ob-{p}-"),
            journal_compression: Some(3),
            journal_page_cache: CacheRef::from_pooler(&context, NZU16!(1024), NZUsize!(10)),
            strategy: Sequential,
        };
        Engine::new(context.child("engine"), config).start(chunks, acks);
    }
    done.await.unwrap();

    let mut obs = obs.lock();
    Measured {
        virtual_s: context.current().duration_since(v0).unwrap().as_secs_f64(),
        wall_s: t0.elapsed().as_secs_f64(),
        cpu_s: cpu_s() - c0,
        allocations: ALLOCATIONS.load(Relaxed) - allocations,
        bytes: BYTES.load(Relaxed) - bytes,
        metrics: context.encode(),
        locks: obs.locks(),
        p50_ms: obs.quantile_ms(50),
        p99_ms: obs.quantile_ms(99),
    }
}

type Channel = (
    simulated::Sender<PublicKey, deterministic::Context>,
    simulated::Receiver<PublicKey>,
);

/// Links everybody to everybody; returns each participant's channels for chunks and acks.
async fn connect(
    context: &deterministic::Context,
    participants: &[PublicKey],
    a: &Args,
) -> Vec<(Channel, Channel)> {
    let config = simulated::Config {
        max_size: 1024 * 1024,
        disconnect_on_block: true,
        tracked_peer_sets: NZUsize!(1),
    };
    let child = context.child("network");
    let (network, oracle) = Network::new_with_peers(child, config, participants.to_vec()).await;
    network.start();
    let quota = Quota::per_second(NonZeroU32::MAX);
    let mut channels = Vec::new();
    for p in participants {
        let control = oracle.control(p.clone());
        let chunks = control.register(0, quota).await.unwrap();
        let acks = control.register(1, quota).await.unwrap();
        channels.push((chunks, acks));
    }
    let link = Link {
        latency: a.latency,
        jitter: a.jitter,
        success_rate: 1.0 - a.loss,
    };
    for p in participants {
        for q in participants.iter().filter(|q| *q != p) {
            let added = oracle.add_link(p.clone(), q.clone(), link.clone());
            added.await.unwrap();
        }
    }
    channels
}

/// One line, in the order of [`HEADER`].
fn print(name: &str, a: &Args, measured: &Measured) {
    let chunks = (a.height * a.sequencers as u64) as f64;
    let (wall_s, cpu_s, virtual_s) = (measured.wall_s, measured.cpu_s, measured.virtual_s);
    let per_cv = |count: f64| count / chunks / f64::from(a.n);
    let metric_per_cv = |name| per_cv(metric(&measured.metrics, name));
    let row = [
        name.to_string(),
        a.n.to_string(),
        a.sequencers.to_string(),
        a.height.to_string(),
        a.latency.as_micros().to_string(),
        a.jitter.as_micros().to_string(),
        a.cycle.as_micros().to_string(),
        a.fsync.as_micros().to_string(),
        a.loss.to_string(),
        chunks.to_string(),
        format!("{wall_s:.3}"),
        format!("{cpu_s:.3}"),
        format!("{:.1}", chunks / wall_s),
        format!("{:.1}", cpu_s * 1e6 / chunks),
        format!("{:.1}", per_cv(cpu_s * 1e6)),
        format!("{virtual_s:.3}"),
        format!("{:.1}", chunks / virtual_s),
        format!("{:.2}", chunks / virtual_s / a.sequencers as f64),
        format!("{:.0}", per_cv(measured.allocations as f64)),
        format!("{:.0}", per_cv(measured.bytes as f64)),
        format!("{:.2}", metric_per_cv("runtime_storage_syncs_total")),
        format!("{:.2}", metric_per_cv("runtime_storage_writes_total")),
        format!("{:.0}", metric_per_cv("runtime_storage_write_bytes_total")),
        format!("{:.2}", metric_per_cv("network_messages_sent_total")),
        format!("{:.1}", metric_per_cv("runtime_task_polls_total")),
        format!("{:.3}", per_cv(measured.locks as f64)),
        format!("{:.3}", measured.p50_ms),
        format!("{:.3}", measured.p99_ms),
    ];
    println!("{}", row.join(","));
}

fn main() {
    let v: Vec<String> = std::env::args().collect();
    if v.get(1).map(String::as_str) == Some("--header") {
        println!("{HEADER}");
        return;
    }
    let g = |i: usize, d: u64| v.get(i).map(|s| s.parse().unwrap()).unwrap_or(d);
    let n = g(2, 4) as u32;
    let a = Args {
        n,
        height: g(3, 100),
        latency: Duration::from_micros(g(4, 0)),
        jitter: Duration::from_micros(g(5, 0)),
        cycle: Duration::from_micros(g(6, 1000)),
        sequencers: g(7, n as u64) as usize,
        seed: g(8, 0),
        fsync: Duration::from_micros(env("FSYNC_US", 0.0) as u64),
        rebroadcast: Duration::from_millis(env("REBROADCAST_MS", 5000.0) as u64),
        loss: env("LOSS", 0.0),
    };
    match v.get(1).map(String::as_str).unwrap_or("ed25519") {
        "ed25519" => run("ed25519", ed25519::fixture, a),
        "secp256r1" => run("secp256r1", secp256r1::fixture, a),
        "multisig-minpk" => run("multisig-minpk", bls12381_multisig::fixture::<MinPk, _>, a),
        "multisig-minsig" => run(
            "multisig-minsig",
            bls12381_multisig::fixture::<MinSig, _>,
            a,
        ),
        "mock" => run("mock", mock::fixture, a),
        "threshold-minsig" => run(
            "threshold-minsig",
            bls12381_threshold::fixture::<MinSig, _>,
            a,
        ),
        x => panic!("unknown scheme {x}"),
    }
}
