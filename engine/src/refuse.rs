//! What happens to a peer whose message was refused.

use crate::refusal::{Class, Refusal};
use commonware_p2p::Blocker;
use commonware_runtime::{
    Metrics,
    telemetry::metrics::{MetricsExt as _, Registered, raw},
};
use tracing::{debug, warn};

/// Counts refusals by kind of check. The counters are made once: a flood of refusals must cost little.
pub(crate) struct Refusals {
    counters: [raw::Counter; Class::ALL.len()],
    _family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>>,
}

impl Refusals {
    pub(crate) fn new(context: &impl Metrics) -> Self {
        let family: Registered<raw::Family<Vec<(String, String)>, raw::Counter>> =
            context.family("refusals", "messages refused, by kind of check");
        let counter = |class: Class| {
            let label = vec![("class".to_owned(), format!("{class:?}").to_lowercase())];
            family.get_or_create(&label).clone()
        };
        Self {
            counters: Class::ALL.map(counter),
            _family: family,
        }
    }
}

/// Logs and counts a refusal, and cuts the peer off if an honest one could never have caused it.
pub(crate) fn refuse<B: Blocker>(
    blocker: &mut B,
    refusals: &Refusals,
    from: &B::PublicKey,
    refusal: &Refusal,
) {
    refusals.counters[refusal.class() as usize].inc();
    if refusal.is_attributable() {
        warn!(?from, %refusal, "blocking a faulty peer");
        let _ = blocker.block(from.clone());
    } else {
        debug!(?from, %refusal, "ignored");
    }
}
