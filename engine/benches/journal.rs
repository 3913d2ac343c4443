//! Appending to the journal and waiting for the sync, on real files of the tokio runtime in the system's directory for
//! temporary files (`TMPDIR` names another disk): `cargo bench -p drystone-engine --bench journal`.
//!
//! A round is a batch of locks appended, made durable by one sync and forgotten. What is measured is mostly the disk:
//! the instruction counts of `instructions` say what the journal itself costs.

#[expect(
    dead_code,
    reason = "each bench takes what it needs of the kit they share"
)]
mod kit;

use commonware_runtime::{Runner as _, Supervisor as _, tokio};
use criterion::{
    Criterion, Throughput, criterion_group, criterion_main,
    measurement::{Measurement as _, WallTime},
};
use kit::locks::Client;
use std::time::Duration;

/// Locks that share a sync.
const BATCHES: [u64; 3] = [1, 32, 256];

/// As deployed.
const SECTION_BYTES: u64 = 8 << 20;

/// Rounds on a new journal, without the time to open it.
fn rounds(batch: u64, rounds: u64) -> Duration {
    let files = tempfile::tempdir().expect("a directory for temporary files");
    let config = tokio::Config::new().with_storage_directory(files.path());
    tokio::Runner::new(config).start(async |context| {
        let mut client = Client::open(context.child("journal"), batch, SECTION_BYTES).await;
        let began = WallTime.start();
        for _ in 0..rounds {
            client.round().await;
        }
        WallTime.end(began)
    })
}

fn journal(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("journal on real files");
    group
        .sample_size(10)
        .measurement_time(Duration::from_secs(3));
    for batch in BATCHES {
        group.throughput(Throughput::Elements(batch));
        group.bench_function(format!("append {batch} locks, sync"), |bencher| {
            bencher.iter_custom(|iterations| rounds(batch, iterations));
        });
    }
    group.finish();
}

criterion_group!(benches, journal);
criterion_main!(benches);
