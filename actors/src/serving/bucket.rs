//! A rate of bytes.

use super::Rate;

/// Thousandths of a byte make a millisecond's share of any rate exact.
const MILLI: u64 = 1_000;

/// What is left of a rate.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bucket {
    millibytes: u64,
    /// What was had beyond that. It is paid before anything else is.
    debt: u64,
    at_ms: u64,
}

impl Bucket {
    /// Nothing was used.
    pub const fn full(rate: &Rate, now_ms: u64) -> Self {
        Self {
            millibytes: rate.burst_bytes.saturating_mul(MILLI),
            debt: 0,
            at_ms: now_ms,
        }
    }

    fn refill(&mut self, rate: &Rate, now_ms: u64) {
        let elapsed_ms = now_ms.saturating_sub(self.at_ms);
        let gained = elapsed_ms.saturating_mul(rate.bytes_per_second.get());
        let full = rate.burst_bytes.saturating_mul(MILLI);
        let paid = self.debt.min(gained);
        self.debt -= paid;
        self.millibytes = self.millibytes.saturating_add(gained - paid).min(full);
        self.at_ms = self.at_ms.max(now_ms);
    }

    /// Takes bytes, if they are there.
    pub fn take(&mut self, rate: &Rate, now_ms: u64, bytes: u64) -> bool {
        self.refill(rate, now_ms);
        let left = self.millibytes.checked_sub(bytes.saturating_mul(MILLI));
        let left = left.filter(|_| self.debt == 0);
        self.millibytes = left.unwrap_or(self.millibytes);
        left.is_some()
    }

    /// More was had than was taken.
    pub const fn owe(&mut self, bytes: u64) {
        self.debt = self.debt.saturating_add(bytes.saturating_mul(MILLI));
    }

    /// When bytes will be there.
    pub const fn ready_ms(&self, rate: &Rate, bytes: u64) -> u64 {
        let lacking = bytes.saturating_mul(MILLI).saturating_sub(self.millibytes);
        let lacking = lacking.saturating_add(self.debt);
        self.at_ms
            .saturating_add(lacking.div_ceil(rate.bytes_per_second.get()))
    }

    /// Whether nothing is used by now: such a bucket need not be remembered.
    pub fn is_full(&mut self, rate: &Rate, now_ms: u64) -> bool {
        self.refill(rate, now_ms);
        self.debt == 0 && self.millibytes == rate.burst_bytes.saturating_mul(MILLI)
    }
}
