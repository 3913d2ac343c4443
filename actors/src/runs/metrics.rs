//! What is counted.

use super::Refusal;
use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _, Registered, raw},
};

pub(super) struct Metrics {
    pub asked: Counter,
    pub found: Counter,
    pub served: Counter,
    pub served_bytes: Counter,
    pub wants: Gauge,
    refusals: Vec<(&'static str, raw::Counter)>,
    _family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>>,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        let family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>> =
            context.family("refusals", "messages refused, by reason");
        let counter = |label: &'static str| {
            let labels = vec![("reason".to_owned(), label.to_owned())];
            (label, family.get_or_create(&labels).clone())
        };
        Self {
            asked: context.counter("asked", "requests for runs sent"),
            found: context.counter("found", "runs that came from peers and are right"),
            served: context.counter("served", "runs sent to those who asked"),
            served_bytes: context.counter("served_bytes", "bytes of those runs"),
            wants: context.gauge("wants", "runs that somebody waits for"),
            refusals: Refusal::LABELS.map(counter).to_vec(),
            _family: family,
        }
    }

    pub fn refused(&self, refusal: &Refusal) {
        let counter = self
            .refusals
            .iter()
            .find(|(label, _)| *label == refusal.label());
        counter.expect("every label has a counter").1.inc();
    }
}
