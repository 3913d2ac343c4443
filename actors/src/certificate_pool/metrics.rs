//! What a pool counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _},
};

pub(super) struct Metrics {
    pub certificates: Gauge,
    pub headers: Gauge,
    pub selections: Counter,
    pub selected: Counter,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            certificates: context.gauge("certificates", "certificates held, of all lanes"),
            headers: context.gauge("headers", "headers held, of all lanes"),
            selections: context.counter("selections", "times a block builder asked"),
            selected: context.counter("selected", "tips handed to block builders"),
        }
    }
}
