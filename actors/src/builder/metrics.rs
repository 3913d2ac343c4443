//! What a builder counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, MetricsExt as _},
};

pub(super) struct Metrics {
    pub sealed: Counter,
    pub transactions: Counter,
    pub bytes: Counter,
    pub failed: Counter,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            sealed: context.counter("sealed", "chunks handed to the engine"),
            transactions: context.counter("transactions", "transactions in them"),
            bytes: context.counter("bytes", "bytes of their bodies"),
            failed: context.counter("failed", "builds whose transactions went back"),
        }
    }
}
