//! What an executor counts.

use super::{record::Record, results::Fate};
use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _},
};
use drystone_engine::types::Types;

pub(super) struct Metrics {
    pub height: Gauge,
    pub queued: Gauge,
    pub gathered_bytes: Gauge,
    executed: Counter,
    skipped: Counter,
    headers: Counter,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            height: context.gauge("height", "the newest executed block"),
            queued: context.gauge("queued", "finalized blocks that are not executed yet"),
            gathered_bytes: context
                .gauge("gathered_bytes", "bytes of bodies held, or on their way"),
            executed: context.counter("executed", "transactions executed"),
            skipped: context.counter("skipped", "transactions left out"),
            headers: context.counter("headers", "headers of lanes that blocks stood for"),
        }
    }

    pub fn observe<T: Types>(&self, record: &Record<T>) {
        let entries = &record.results.entries;
        let executed = entries
            .iter()
            .filter(|it| it.fate == Fate::Executed)
            .count();
        self.executed.inc_by(executed as u64);
        self.skipped.inc_by((entries.len() - executed) as u64);
        self.headers.inc_by(record.headers.len() as u64);
        let height = i64::try_from(record.results.height).unwrap_or(i64::MAX);
        self.height.set(height);
    }
}
