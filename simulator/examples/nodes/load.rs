//! Clusters under load, calm and with faults.

use super::{table::Table, workload::Workload};
use clap::Args;
use drystone_simulator::{
    Fault, Outcome, Scenario,
    nodes::{Nodes, Options, Stopwatch, Times},
    plan::{Latencies, Link, Links, Unsynced},
    time::{millis, secs},
};
use std::{error::Error, path::Path};

#[derive(Args)]
pub struct Arguments {
    /// Numbers of validators; each has a lane.
    #[arg(long, value_delimiter = ',', default_value = "4,10,25")]
    sizes: Vec<usize>,
    /// Transfers a second, of all clients together.
    #[arg(long, default_value_t = 1_000)]
    per_second: u32,
    /// Transfers in all.
    #[arg(long, default_value_t = 10_000)]
    transfers: u32,
    /// Accounts that they are of. An account's transfers are executed one after the other, so that one which pays again before
    /// its last payment is executed waits for itself: by default each pays once.
    #[arg(long, default_value_t = 10_000)]
    accounts: u16,
    /// The least time that a message takes.
    #[arg(long, default_value_t = 10_000)]
    latency_us: u32,
    /// The most it takes beyond that.
    #[arg(long, default_value_t = 2_000)]
    jitter_us: u32,
    /// Time that a sync takes.
    #[arg(long, default_value_t = 2_000)]
    sync_us: u32,
    /// Where draws come from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Faults {
    Off,
    /// One message in fifty is lost, on every link.
    Loss,
    /// A third of the nodes is down for half a second every two, one after the other.
    Crashes,
    Both,
}

impl Faults {
    const ALL: [Self; 4] = [Self::Off, Self::Loss, Self::Crashes, Self::Both];

    const fn name(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Loss => "loss",
            Self::Crashes => "crashes",
            Self::Both => "both",
        }
    }

    const fn loses(self) -> bool {
        matches!(self, Self::Loss | Self::Both)
    }

    const fn crashes(self) -> bool {
        matches!(self, Self::Crashes | Self::Both)
    }
}

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    let mut table = Table::new([
        "validators",
        "faults",
        "transfers",
        "signed_again",
        "executed_per_s",
        "blocks",
        "final_p50_ms",
        "final_p99_ms",
        "executed_p50_ms",
        "executed_p99_ms",
        "everywhere_p50_ms",
        "everywhere_p99_ms",
        "messages_per_transfer_and_node",
        "syncs_per_block_and_node",
        "virtual_s",
    ]);
    for nodes in arguments.sizes.iter().copied() {
        for faults in Faults::ALL {
            let (outcome, times) = measure(arguments, nodes, faults);
            if let Some(failure) = &outcome.failure {
                return Err(format!("{nodes} validators, {}: {failure}", faults.name()).into());
            }
            eprintln!("{nodes} validators, {}: {times:?}", faults.name());
            show_syncs(nodes, &outcome, &times);
            table.push(row(nodes, faults, &outcome, &times));
        }
    }
    table.write(&out.join("load.csv"))
}

fn measure(arguments: &Arguments, nodes: usize, faults: Faults) -> (Outcome, Times) {
    // Those that crash executed it before or come back: everybody else is timed.
    let crashed = if faults.crashes() { (nodes - 1) / 3 } else { 0 };
    let stopwatch = Stopwatch::new(crashed..nodes, arguments.transfers as usize);
    let mut options = Options::all(nodes);
    options.accounts = arguments.accounts;
    let workload = Workload {
        transfers: arguments.transfers,
        per_second: arguments.per_second,
        accounts: arguments.accounts,
        nodes,
    };
    let span_us = workload.span_us();
    let mut scenario = Scenario::<Nodes>::cluster(nodes)
        .options(options)
        .link(Link::new(arguments.latency_us, arguments.jitter_us))
        .disk(Latencies {
            sync_us: u64::from(arguments.sync_us),
            ..Latencies::default()
        })
        .quiet()
        .lasting(span_us)
        .steps_max(1 << 40);
    for node in 0..crashed {
        let mut at_us = secs(3) + millis(300) * node as u64;
        while at_us + millis(500) < span_us {
            let crash = Fault::Crash {
                nodes: [node].into(),
                unsynced: Unsynced::Subset,
            };
            scenario = scenario.during(at_us..at_us + millis(500), crash);
            at_us += secs(2);
        }
    }
    if faults.loses() {
        let loss = Fault::Loss {
            links: Links::All,
            ppm: 20_000,
        };
        scenario = scenario.during(secs(2)..span_us, loss);
    }
    let scenario = workload.onto(scenario);
    let outcome = scenario
        .until(stopwatch.clone(), secs(60))
        .run(arguments.seed);
    (outcome, stopwatch.times())
}

/// Where the syncs are made, as far as it is often.
fn show_syncs(nodes: usize, outcome: &Outcome, times: &Times) {
    let each = (times.blocks * nodes as u64).max(1) as f64;
    let syncs = outcome.syncs.iter().map(|it| (*it.1 as f64 / each, it.0));
    for (count, partition) in syncs.filter(|it| it.0 >= 0.5) {
        eprintln!("  {count:.1} syncs a block and node of {partition}");
    }
}

fn row(nodes: usize, faults: Faults, outcome: &Outcome, times: &Times) -> [String; 15] {
    let ratio = |a: u64, b: u64| a as f64 / b.max(1) as f64;
    let ms = |us: u64| format!("{:.0}", us as f64 / 1e3);
    let syncs: u64 = outcome.syncs.values().sum();
    [
        nodes.to_string(),
        faults.name().to_owned(),
        times.transfers.to_string(),
        times.signed_again.to_string(),
        format!("{:.0}", ratio(times.transfers * 1_000_000, times.span_us)),
        times.blocks.to_string(),
        ms(times.final_us.p50),
        ms(times.final_us.p99),
        ms(times.executed_us.p50),
        ms(times.executed_us.p99),
        ms(times.everywhere_us.p50),
        ms(times.everywhere_us.p99),
        format!(
            "{:.2}",
            ratio(outcome.deliveries, times.transfers * nodes as u64)
        ),
        format!("{:.1}", ratio(syncs, times.blocks * nodes as u64)),
        format!("{:.2}", outcome.simulated_us as f64 / 1e6),
    ]
}
