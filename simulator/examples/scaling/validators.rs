//! Cost against validators.

use super::{
    arguments::{self, Scheme},
    plot::{self, Axes, Curve},
    row,
    table::Table,
    world::{self, Measured},
};
use clap::Args;
use drystone_engine::scheme::fixture::{Ed25519, Free};
use std::{error::Error, path::Path};

#[derive(Args)]
pub struct Arguments {
    /// What signs acks and headers: `free`, which shows the protocol's own cost, or `ed25519`.
    #[arg(long, default_value = "free")]
    scheme: Scheme,
    /// Numbers of validators; each has a lane.
    #[arg(long, value_delimiter = ',', default_value = "4,7,10,16,25,40,64,100")]
    sizes: Vec<u32>,
    /// Chunks of each lane.
    #[arg(long, default_value_t = 128)]
    height: u64,
    /// Time a message takes.
    #[arg(long, default_value_t = 10_000)]
    latency_us: u32,
    /// Time a sync takes.
    #[arg(long, default_value_t = 2_000)]
    fsync_us: u64,
}

impl Arguments {
    /// As the example `lanes` takes them.
    fn of(&self, n: u32) -> arguments::Arguments {
        arguments::Arguments {
            scheme: self.scheme,
            n,
            height: self.height,
            latency_us: self.latency_us,
            jitter_us: 0,
            cycle_us: 10,
            sequencers: None,
            seed: 0,
            fsync_us: self.fsync_us,
            loss: 0.0,
            rebroadcast_ms: 5_000,
            in_flight_max: 32,
            slot_ms: 1,
            linger_ms: 20,
            interval_ms: 10,
            block_ms: 100,
            dump: false,
        }
    }
}

/// Columns in the Markdown and their headings.
const SHOWN: [(&str, &str); 11] = [
    ("n", "validators"),
    ("cpu_us_per_chunk_per_validator", "CPU us"),
    ("msgs_per_cv", "messages"),
    ("msg_bytes_per_cv", "message bytes"),
    ("fsyncs_per_cv", "syncs"),
    ("write_bytes_per_cv", "written bytes"),
    ("allocs_per_chunk_validator", "allocations"),
    ("chunks_per_certificate", "chunks a certificate"),
    ("chunks_per_virt_s_per_seq", "chunks/s a lane"),
    ("p50_ms", "p50 ms"),
    ("p99_ms", "p99 ms"),
];

/// What is plotted: a cost that does not depend on the number of validators is a flat line.
const PLOTTED: [&str; 7] = [
    "cpu_us_per_chunk_per_validator",
    "msgs_per_cv",
    "msg_bytes_per_cv",
    "fsyncs_per_cv",
    "write_bytes_per_cv",
    "allocs_per_chunk_validator",
    "p50_ms",
];

pub fn run(arguments: &Arguments, out: &Path) -> Result<(), Box<dyn Error>> {
    let title = format!(
        "Cost of a certified chunk for each validator, all of whom sequence: {} acks, {} chunks a lane as fast as the lane \
         takes them, links of {} us, syncs of {} us.",
        arguments.scheme, arguments.height, arguments.latency_us, arguments.fsync_us
    );
    let (name, run): (_, fn(&arguments::Arguments) -> Measured) = match arguments.scheme {
        Scheme::Free => ("validators", world::run::<Free>),
        Scheme::Ed25519 => ("validators-ed25519", world::run::<Ed25519>),
        other => return Err(format!("{other} is not measured here, only free and ed25519").into()),
    };
    let mut table = Table::new(name, title, &row::header());
    for n in &arguments.sizes {
        let arguments = arguments.of(*n);
        table.push(&row::row(&arguments, &run(&arguments)));
    }
    let n = table.figures("n");
    let curves = PLOTTED.map(|column| {
        let figures = table.figures(column);
        let first = figures.first().copied().unwrap_or(1.0);
        Curve::new(column, &n, figures.into_iter().map(|it| it / first))
    });
    table.write(out, &SHOWN)?;
    let axes = Axes {
        title: "cost of a chunk and validator, against the smallest cluster",
        x: "validators",
        y: "times the first",
    };
    plot::write(&out.join(name).with_extension("svg"), &axes, &curves)
}
