//! Calm clusters under load.

use super::{table::Table, workload::Workload};
use clap::Args;
use drystone_simulator::{
    Outcome, Scenario,
    chunks::{Chunks, Lingers, Options, Stopwatch, Times},
    plan::{Latencies, Link},
    time::secs,
};
use std::{error::Error, path::Path};

#[derive(Args)]
pub struct Arguments {
    /// Numbers of validators; each has a lane.
    #[arg(long, value_delimiter = ',', default_value = "4,10,25")]
    sizes: Vec<usize>,
    /// Times that a sync takes.
    #[arg(long, value_delimiter = ',', default_value = "0,2000")]
    sync_us: Vec<u64>,
    /// Numbers of validators measured with what deployed nodes wait for as well.
    #[arg(long, value_delimiter = ',', default_value = "10")]
    deployed: Vec<usize>,
    /// Payments a second, of all clients together.
    #[arg(long, default_value_t = 1_000)]
    per_second: u32,
    /// Payments in all.
    #[arg(long, default_value_t = 5_000)]
    payments: u32,
    /// Length of a payment.
    #[arg(long, default_value_t = 200)]
    payment_bytes: u32,
    /// The least time that a message takes.
    #[arg(long, default_value_t = 10_000)]
    latency_us: u32,
    /// The most it takes beyond that.
    #[arg(long, default_value_t = 2_000)]
    jitter_us: u32,
    /// Where draws come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Names of journal and chunk store on the disk begin so.
const LOCKS: &str = "lanes";
const BODIES: &str = "chunks";

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut table = Table::new([
        "lingers",
        "validators",
        "sync_us",
        "payments",
        "turned_away",
        "chunks",
        "payments_per_chunk",
        "chunks_per_payment",
        "wire_bytes_per_certified_byte",
        "the_same_per_validator",
        "lock_syncs_per_cv",
        "body_syncs_per_cv",
        "certificates",
        "certified_p50_ms",
        "certified_p99_ms",
        "executed_p50_ms",
        "executed_p99_ms",
        "virtual_s",
    ]);
    let sizes = arguments.sizes.iter();
    let cells = sizes.flat_map(|nodes| {
        arguments
            .sync_us
            .iter()
            .map(move |sync_us| (*nodes, *sync_us))
    });
    let cells = cells.map(|(nodes, sync_us)| ("short", Options::all(nodes), nodes, sync_us));
    let deployed = arguments.deployed.iter().map(|nodes| {
        let sync_us = arguments.sync_us.last().copied().unwrap_or(0);
        ("deployed", deployed(*nodes), *nodes, sync_us)
    });
    for (lingers, options, nodes, sync_us) in cells.chain(deployed) {
        let (outcome, times) = measure(arguments, options, nodes, sync_us);
        if let Some(failure) = &outcome.failure {
            return Err(format!("{nodes} validators: {failure}").into());
        }
        table.push(row(lingers, nodes, sync_us, &outcome, &times));
        eprintln!(
            "{nodes} validators, syncs of {sync_us} us: {times:?} {:?}",
            outcome.syncs
        );
    }
    table.write(&out.join("load.csv"))
}

/// What a deployed node waits for, in `actors/src/deploy`: the seal, certificates, announcements, requests.
fn deployed(nodes: usize) -> Options {
    let mut options = Options {
        seal_ms: 20,
        takeover_ms: 3_000,
        stagger_ms: 1_000,
        reannounce_ms: 2_000,
        lingers: Lingers {
            announce_ms: 20,
            pack_ms: 180,
            fetch_ms: 1_000,
        },
        ..Options::all(nodes)
    };
    let lanes = &mut options.lanes;
    (lanes.linger_ms, lanes.interval_ms, lanes.rebroadcast_ms) = (5, 5, 500);
    options
}

fn measure(
    arguments: &Arguments,
    options: Options,
    nodes: usize,
    sync_us: u64,
) -> (Outcome, Times) {
    let stopwatch = Stopwatch::new(0..nodes, arguments.payments as usize);
    let scenario = Scenario::<Chunks>::cluster(nodes)
        .options(options)
        .link(Link::new(arguments.latency_us, arguments.jitter_us))
        .disk(Latencies {
            sync_us,
            ..Latencies::default()
        })
        .steps_max(1 << 40);
    let workload = Workload {
        payments: arguments.payments,
        per_second: arguments.per_second,
        bytes: arguments.payment_bytes,
        to: (0..nodes).collect(),
    };
    let scenario = workload.onto(scenario);
    let outcome = scenario
        .until(stopwatch.clone(), secs(60))
        .run(arguments.seed);
    (outcome, stopwatch.times())
}

fn row(
    lingers: &str,
    nodes: usize,
    sync_us: u64,
    outcome: &Outcome,
    times: &Times,
) -> [String; 18] {
    let ratio = |a: u64, b: u64| a as f64 / b.max(1) as f64;
    let ms = |us: u64| format!("{:.1}", us as f64 / 1e3);
    let syncs = |prefix: &str| {
        let of = outcome.syncs.iter().filter(|it| it.0.starts_with(prefix));
        let sum: u64 = of.map(|it| it.1).sum();
        ratio(sum, times.chunks * nodes as u64)
    };
    let wire = ratio(outcome.network.delivered_bytes, times.chunk_bytes);
    [
        lingers.to_string(),
        nodes.to_string(),
        sync_us.to_string(),
        times.payments.to_string(),
        times.turned_away.to_string(),
        times.chunks.to_string(),
        format!("{:.1}", ratio(times.copies, times.chunks)),
        format!("{:.3}", ratio(times.copies, times.packed)),
        format!("{wire:.2}"),
        format!("{:.2}", wire / nodes as f64),
        format!("{:.3}", syncs(LOCKS)),
        format!("{:.3}", syncs(BODIES)),
        times.certificates.to_string(),
        ms(times.certified_us.p50),
        ms(times.certified_us.p99),
        ms(times.executed_us.p50),
        ms(times.executed_us.p99),
        format!("{:.2}", outcome.simulated_us as f64 / 1e6),
    ]
}
