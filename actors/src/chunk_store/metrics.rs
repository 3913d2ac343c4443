//! What a chunk store counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, Histogram, MetricsExt as _},
};

pub(super) struct Metrics {
    pub bodies: Counter,
    pub bytes: Counter,
    pub syncs: Counter,
    pub writes_per_sync: Histogram,
    pub refused: Counter,
    pub invalid: Counter,
    pub accepted: Counter,
    pub served: Counter,
    pub recent: Counter,
    pub absent: Counter,
    pub held_chunks: Gauge,
    pub held_bytes: Gauge,
    pub memory_bytes: Gauge,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        let sizes = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];
        Self {
            bodies: context.counter("bodies", "bodies written"),
            bytes: context.counter("bytes", "bytes of bodies written"),
            syncs: context.counter("group_syncs", "syncs started"),
            writes_per_sync: context.histogram(
                "writes_per_sync",
                "writes that one sync made durable",
                sizes,
            ),
            refused: context.counter("pending", "verdicts of pending: quota, or no body in time"),
            invalid: context.counter("invalid", "chunks found invalid"),
            accepted: context.counter("accepted", "blocks whose bodies were kept"),
            served: context.counter("served", "bodies given to others"),
            recent: context.counter("recent", "of these, bodies that were still in memory"),
            absent: context.counter("absent", "requests for bodies that are not here"),
            held_chunks: context.gauge("held_chunks", "chunks neither executed nor expired"),
            held_bytes: context.gauge("held_bytes", "bytes of those chunks"),
            memory_bytes: context.gauge("memory_bytes", "bytes of bodies in memory"),
        }
    }
}
