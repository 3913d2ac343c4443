//! Throughput against what a block may stand for.

use super::{table::Table, workload::Workload};
use clap::Args;
use drystone_simulator::{
    Scenario,
    nodes::{Nodes, Options, Stopwatch},
    plan::{Latencies, Link},
    time::secs,
};
use std::{error::Error, path::Path};

#[derive(Args)]
pub struct Arguments {
    /// Chunks of a lane that may wait for a block; a block may stand for twice as many of all lanes.
    #[arg(long, value_delimiter = ',', default_value = "1,2,4,8,16,32")]
    chunks: Vec<u64>,
    /// Times between blocks, in milliseconds.
    #[arg(long, value_delimiter = ',', default_value = "100,250,500")]
    interval_ms: Vec<u64>,
    /// Transfers a second, of all clients together: what large blocks take whole, and small ones do not.
    #[arg(long, default_value_t = 4_000)]
    per_second: u32,
    /// Transfers in all, each of another account, so that none waits for the one before.
    #[arg(long, default_value_t = 8_000)]
    transfers: u16,
    /// Where draws come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Four validators, each with a lane.
const NODES: usize = 4;

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut table = Table::new([
        "interval_ms",
        "block_chunks_max",
        "block_transfers_max",
        "executed_per_s",
        "transfers_per_block",
        "executed_p50_ms",
        "executed_p99_ms",
    ]);
    for interval_ms in arguments.interval_ms.iter().copied() {
        for chunks in arguments.chunks.iter().copied() {
            let mut options = Options::all(NODES);
            options.interval_ms = interval_ms;
            options.accounts = arguments.transfers;
            options.chunks.lanes.in_flight_max = chunks.min(32);
            options.chunks.lanes.ahead_max = chunks;
            options.chunks.lanes.headers_max = 4 * chunks.max(2);
            let workload = Workload {
                transfers: u32::from(arguments.transfers),
                per_second: arguments.per_second,
                accounts: options.accounts,
                nodes: NODES,
            };
            let items = u64::from(options.chunks.chunk_items_max);
            let stopwatch = Stopwatch::new(0..NODES, usize::from(arguments.transfers));
            let scenario = Scenario::<Nodes>::cluster(NODES)
                .options(options)
                .link(Link::new(10_000, 2_000))
                .disk(Latencies {
                    sync_us: 2_000,
                    ..Latencies::default()
                })
                .quiet()
                .lasting(workload.span_us())
                .steps_max(1 << 40);
            let outcome = workload
                .onto(scenario)
                .until(stopwatch.clone(), secs(300))
                .run(arguments.seed);
            if let Some(failure) = &outcome.failure {
                return Err(format!("{interval_ms} ms, {chunks} chunks: {failure}").into());
            }
            let times = stopwatch.times();
            eprintln!("{interval_ms} ms, {chunks} chunks: {times:?}");
            let ratio = |a: u64, b: u64| a as f64 / b.max(1) as f64;
            let ms = |us: u64| format!("{:.0}", us as f64 / 1e3);
            table.push([
                interval_ms.to_string(),
                (2 * chunks).to_string(),
                (2 * chunks * items).to_string(),
                format!("{:.0}", ratio(times.transfers * 1_000_000, times.span_us)),
                format!("{:.1}", ratio(times.transfers, times.blocks)),
                ms(times.executed_us.p50),
                ms(times.executed_us.p99),
            ]);
        }
    }
    table.write(&out.join("blocks.csv"))
}
