//! What a rate allows, and what waits for it.

use crate::nouns::Name;
use drystone_actors::relay::{Rate, Request};
use drystone_engine::scheme::fixture::Free;
use std::collections::VecDeque;

/// What reading for a request costs a peer beyond the body.
const OVERHEAD_BYTES: u64 = 512;

/// Bytes that are left of a rate, in thousandths.
#[derive(Clone, Copy)]
pub struct Meter {
    left: u64,
    at_ms: u64,
}

impl Meter {
    pub const fn full(rate: &Rate, now_ms: u64) -> Self {
        Self {
            left: rate.burst_bytes * 1_000,
            at_ms: now_ms,
        }
    }

    /// Whether so much may be had now.
    pub fn affords(&mut self, rate: &Rate, now_ms: u64, bytes: u64) -> bool {
        let gained = (now_ms - self.at_ms) * rate.bytes_per_second.get();
        self.left = (self.left + gained).min(rate.burst_bytes * 1_000);
        self.at_ms = now_ms;
        bytes * 1_000 <= self.left
    }

    /// Takes what [`Self::affords`] allowed.
    pub const fn take(&mut self, bytes: u64) {
        self.left -= bytes * 1_000;
    }
}

/// One peer's requests, and what it may be served.
pub struct Queue {
    pub requests: VecDeque<Request<Name<Free>>>,
    pub meter: Meter,
}

impl Queue {
    /// What the next request costs, if it can be paid for now.
    pub fn next(&mut self, rate: &Rate, now_ms: u64) -> Option<u64> {
        let request = self.requests.front()?;
        let cost = OVERHEAD_BYTES + u64::from(request.reference.bytes);
        let cost = cost.min(rate.burst_bytes);
        self.meter.affords(rate, now_ms, cost).then_some(cost)
    }
}
