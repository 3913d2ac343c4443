//! What happens to a peer whose message was refused.

use crate::refusal::Refusal;
use commonware_p2p::Blocker;
use commonware_runtime::telemetry::metrics::Registered;
use commonware_runtime::telemetry::metrics::raw;
use tracing::{debug, warn};

/// Counts refusals by kind of check.
pub(crate) type Refusals = Registered<raw::Family<Vec<(String, String)>, raw::Counter>>;

/// Logs and counts a refusal, and cuts the peer off if an honest one could never have caused it.
pub(crate) fn refuse<B: Blocker>(
    blocker: &mut B,
    counters: &Refusals,
    from: &B::PublicKey,
    refusal: &Refusal,
) {
    let class = format!("{:?}", refusal.class()).to_lowercase();
    counters.get_or_create(&vec![("class".into(), class)]).inc();
    if refusal.is_attributable() {
        warn!(?from, %refusal, "blocking a faulty peer");
        let _ = blocker.block(from.clone());
    } else {
        debug!(?from, %refusal, "ignored");
    }
}
