//! What an ack manager counts.

use crate::refuse::Refusals;
use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, MetricsExt as _},
};

pub(super) struct Metrics {
    pub acks: Counter,
    pub assembled: Counter,
    pub bisected: Counter,
    pub refusals: Refusals,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        Self {
            acks: context.counter("acks", "acks of this node's lane received"),
            assembled: context.counter("assembled", "certificates assembled"),
            bisected: context.counter("bisected", "assemblies that found a forged ack"),
            refusals: Refusals::new(context),
        }
    }
}
