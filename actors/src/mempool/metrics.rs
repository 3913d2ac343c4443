//! What a mempool counts.

use super::Refusal;
use commonware_p2p::Blocker;
use commonware_runtime::{
    Metrics as Registry,
    telemetry::metrics::{Counter, Gauge, MetricsExt as _, Registered, raw},
};
use drystone_engine::Class;
use tracing::{debug, warn};

pub(super) struct Metrics {
    pub submitted: Counter,
    pub accepted: Counter,
    pub announced: Counter,
    pub fetched: Counter,
    pub served: Counter,
    pub handed: Counter,
    pub items: Gauge,
    pub bytes: Gauge,
    pub wanted: Gauge,
    pub marks: Gauge,
    refusals: [raw::Counter; Class::ALL.len()],
    _family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>>,
}

impl Metrics {
    pub fn new(context: &impl Registry) -> Self {
        let family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>> =
            context.family("refusals", "messages refused, by kind of check");
        let counter = |class: Class| {
            let label = vec![("class".to_owned(), format!("{class:?}").to_lowercase())];
            family.get_or_create(&label).clone()
        };
        Self {
            submitted: context.counter("submitted", "transactions submitted by clients"),
            accepted: context.counter("accepted", "transactions checked and kept"),
            announced: context.counter("announced", "ids announced, once for each peer"),
            fetched: context.counter("fetched", "transactions delivered by peers"),
            served: context.counter("served", "transactions delivered to peers"),
            handed: context.counter("handed", "transactions handed to the builder"),
            items: context.gauge("items", "transactions held"),
            bytes: context.gauge("bytes", "bytes of the transactions held"),
            wanted: context.gauge("wanted", "ids announced that are not here"),
            marks: context.gauge("marks", "transactions of live chunks remembered"),
            refusals: Class::ALL.map(counter),
            _family: family,
        }
    }

    /// Logs and counts a refusal, and cuts the peer off if an honest one could never have caused it.
    pub fn refuse<B: Blocker>(&self, blocker: &mut B, from: B::PublicKey, refusal: &Refusal) {
        self.refusals[refusal.class() as usize].inc();
        if refusal.is_attributable() {
            warn!(?from, %refusal, "blocking a faulty peer");
            let _ = blocker.block(from);
        } else {
            debug!(?from, %refusal, "ignored");
        }
    }
}
