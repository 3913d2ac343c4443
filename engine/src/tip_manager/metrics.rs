//! What a tip manager counts.

use crate::refuse::Refusals;
use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _},
};

pub(super) struct Metrics {
    pub headers: Counter,
    pub locks: Counter,
    pub acks: Counter,
    pub certificates_checked: Counter,
    pub certificates: Counter,
    pub judged: Counter,
    pub fetches: Counter,
    pub evidence: Counter,
    pub epoch: Gauge,
    pub headers_held: Gauge,
    pub refusals: Refusals,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            headers: context.counter("headers", "headers delivered by peers"),
            locks: context.counter("locks", "headers locked"),
            acks: context.counter("acks", "acks sent, resends included"),
            certificates_checked: context
                .counter("certificates_checked", "certificates verified here"),
            certificates: context.counter("certificates", "certificates adopted"),
            judged: context.counter("judged", "verdicts asked of the application"),
            fetches: context.counter("fetches", "requests for missing headers sent"),
            evidence: context.counter("evidence", "proofs of equivocation kept"),
            epoch: context.gauge("epoch", "newest epoch entered"),
            headers_held: context.gauge("headers_held", "headers in memory"),
            refusals: Refusals::new(context),
        }
    }
}
