//! Memory while one producer makes all the chunks it can.

use super::{
    plot::{self, Curve},
    table::Table,
    workload::Workload,
};
use clap::Args;
use drystone_simulator::{
    Scenario,
    chunks::{Chunks, Options, Role, Sample, Stopwatch},
    plan::Link,
    time::secs,
};
use std::{collections::BTreeMap, error::Error, path::Path};

#[derive(Args)]
pub struct Arguments {
    /// How long the flood lasts.
    #[arg(long, default_value_t = 20)]
    seconds: u32,
    /// Payments a second that clients bring to the honest nodes.
    #[arg(long, default_value_t = 100)]
    per_second: u32,
    /// Where draws come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The smallest cluster that bears a spammer: node 0.
const NODES: usize = 4;

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    let options = Options::all(NODES);
    let lanes = &options.lanes;
    let chunk = u64::from(options.chunk_bytes_max);
    let producer_max = 2 * lanes.in_flight_max * chunk;
    let store_max = lanes.sequencers.len() as u64 * producer_max;
    let held_max = 2 * lanes.ahead_max * chunk;
    let pool_max = options.pool_items_max as u64 * u64::from(options.payment_bytes_max);
    let payments = arguments.seconds * arguments.per_second;
    let stopwatch = Stopwatch::new(1..NODES, payments as usize);
    let workload = Workload {
        payments,
        per_second: arguments.per_second,
        bytes: 200,
        to: (1..NODES).collect(),
    };
    let scenario = Scenario::<Chunks>::cluster(NODES)
        .options(options)
        .role(0, Role::Spams)
        .link(Link::new(10_000, 2_000))
        .steps_max(1 << 40);
    let scenario = workload.onto(scenario);
    let outcome = scenario
        .until(stopwatch.clone(), secs(60))
        .run(arguments.seed);
    if let Some(failure) = &outcome.failure {
        return Err(failure.to_string().into());
    }
    let times = stopwatch.times();
    eprintln!("{times:?}");

    // The highest of the honest nodes, each second.
    let mut highest: BTreeMap<u64, Sample> = BTreeMap::new();
    for sample in stopwatch.samples() {
        let it = highest.entry(sample.at_us / secs(1)).or_insert(sample);
        it.items = it.items.max(sample.items);
        it.bytes = it.bytes.max(sample.bytes);
        it.memory = it.memory.max(sample.memory);
        it.lane_memory = it.lane_memory.max(sample.lane_memory);
        it.lane_held = it.lane_held.max(sample.lane_held);
    }
    let mut table = Table::new([
        "second",
        "mempool_payments",
        "mempool_bytes",
        "mempool_bytes_max",
        "store_memory_bytes",
        "store_memory_bytes_max",
        "producer_memory_bytes_most",
        "producer_memory_bytes_max",
        "producer_held_bytes",
        "producer_held_bytes_max",
    ]);
    for (second, it) in &highest {
        let row = [
            *second,
            it.items,
            it.bytes,
            pool_max,
            it.memory,
            store_max,
            it.lane_memory,
            producer_max,
            it.lane_held,
            held_max,
        ];
        table.push(row.map(|it| it.to_string()));
    }
    table.write(&out.join("flood.csv"))?;
    let curve = |name: &str, of: fn(&Sample) -> u64| Curve {
        name: name.into(),
        points: highest
            .iter()
            .map(|(second, it)| (*second as f64, of(it) as f64 / 1024.0))
            .collect(),
    };
    let level = |name: &str, bytes: u64| Curve {
        name: name.into(),
        points: highest
            .keys()
            .map(|it| (*it as f64, bytes as f64 / 1024.0))
            .collect(),
    };
    let curves = [
        curve("bodies in the chunk store's memory", |it| it.memory),
        level("their bound", store_max),
        curve("the most of one producer", |it| it.lane_memory),
        level("a producer's bound", producer_max),
        curve("its chunks held", |it| it.lane_held),
        curve("mempool", |it| it.bytes),
        level("its bound", pool_max),
    ];
    plot::write(&out.join("flood.svg"), &curves)
}
