//! What the journal counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Histogram, MetricsExt as _},
};

pub(super) struct Metrics {
    pub appends: Counter,
    pub bytes: Counter,
    pub syncs: Counter,
    pub records_per_sync: Histogram,
    pub rolls: Counter,
    pub copies: Counter,
    pub replayed: Counter,
}

impl Metrics {
    pub(super) fn new(context: &impl Registry) -> Self {
        let sizes = [
            1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0,
        ];
        Self {
            appends: context.counter("appends", "Records appended by clients"),
            bytes: context.counter("bytes", "Bytes written to the log, copies included"),
            syncs: context.counter("group_syncs", "Syncs started"),
            records_per_sync: context.histogram(
                "records_per_sync",
                "Records one sync made durable",
                sizes,
            ),
            rolls: context.counter("rolls", "Rolls to a new section"),
            copies: context.counter("copies", "Live records copied by rolls"),
            replayed: context.counter("replayed", "Live records found when the log was opened"),
        }
    }
}
