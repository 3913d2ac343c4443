//! Outbound rate limits, one for each recipient of a channel.

use commonware_runtime::Quota;

/// The generic cell rate algorithm (ITU-T I.371) on integer nanoseconds: a recipient's theoretical
/// arrival time may run ahead of the clock by no more than a whole burst.
pub(super) struct Limiter {
    interval_ns: u64,
    burst_ns: u64,
    /// By recipient.
    arrival_ns: Vec<u64>,
}

impl Limiter {
    /// `None` for a burst so large that no run can exhaust it: such channels pay nothing.
    pub(super) fn new(quota: Quota, nodes: usize) -> Option<Self> {
        let burst = quota.burst_size().get();
        if burst == u32::MAX {
            return None;
        }
        let interval_ns = u64::try_from(quota.replenish_interval().as_nanos())
            .expect("a quota that replenishes once in centuries");
        Some(Self {
            interval_ns,
            burst_ns: interval_ns.saturating_mul(u64::from(burst)),
            arrival_ns: vec![0; nodes],
        })
    }

    /// Charges one message to `recipient`, or returns the microsecond at which one will be allowed.
    pub(super) fn check(&mut self, recipient: usize, now_us: u64) -> Result<(), u64> {
        let now_ns = now_us * 1_000;
        let arrival_ns = &mut self.arrival_ns[recipient];
        let next_ns = (*arrival_ns).max(now_ns) + self.interval_ns;
        let allowed_ns = next_ns.saturating_sub(self.burst_ns);
        if allowed_ns > now_ns {
            // Rounded up: at the returned time the check must pass, or callers would spin.
            return Err(allowed_ns.div_ceil(1_000));
        }
        *arrival_ns = next_ns;
        Ok(())
    }
}
