//! What the chain actor counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _},
};

pub(super) struct Metrics {
    pub valid: Counter,
    pub invalid: Counter,
    pub proposed: Counter,
    pub empty: Counter,
    pub certificates_checked: Counter,
    pub open: Gauge,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            valid: context.counter("valid", "blocks judged valid"),
            invalid: context.counter("invalid", "blocks judged invalid"),
            proposed: context.counter("proposed", "blocks built"),
            empty: context.counter("empty", "blocks built without a tip"),
            certificates_checked: context.counter(
                "certificates_checked",
                "certificates in blocks that were not verified before",
            ),
            open: context.gauge("open", "questions and orders that wait"),
        }
    }
}
