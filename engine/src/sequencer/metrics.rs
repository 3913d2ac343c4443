//! What a sequencer engine counts.

use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, Histogram, MetricsExt as _},
};

/// From a millisecond to half a minute, in seconds.
const SECONDS: [f64; 12] = [
    0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 30.0,
];

pub(super) struct Metrics {
    pub proposed: Counter,
    pub declined: Counter,
    pub rebroadcasts: Counter,
    pub height: Gauge,
    pub certified_height: Gauge,
    pub certified_seconds: Histogram,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            proposed: context.counter("proposed", "headers signed and sent"),
            declined: context.counter("declined", "times the application had no chunk"),
            rebroadcasts: context.counter(
                "rebroadcasts",
                "envelopes sent again, or certificates alone",
            ),
            height: context.gauge("height", "newest own header"),
            certified_height: context.gauge("certified_height", "newest own certificate"),
            certified_seconds: context.histogram(
                "certified_seconds",
                "from a header's first sending to a certificate at or above it",
                SECONDS,
            ),
        }
    }
}
