//! How long to wait before something is taken for lost.

#[cfg(test)]
mod tests;

/// The shortest wait: below it a busy machine is slower than the network.
const LEAST_MS: u64 = 50;
/// A sample counts for no more than this: a partition says nothing of the links that come back.
const SAMPLE_MAX_MS: u64 = 2_000;
/// After so many waits, each twice as long as the last, the rebroadcast interval is what remains.
const TRIES_MAX: u32 = 6;

/// Waits four times as long as it usually takes, then twice as long each time: so what is lost is noticed within a few
/// round trips, whatever the links and the rebroadcast interval. Before anything ever came, nothing is taken for lost.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Patience {
    /// How long it takes, smoothed as a retransmission timer's round trips are: an eighth of each sample.
    usual_ms: Option<u64>,
    tries: u32,
    until_ms: Option<u64>,
}

impl Patience {
    /// When the wait is over, if there is one.
    pub(crate) const fn until_ms(&self) -> Option<u64> {
        self.until_ms
    }

    /// It came after that long.
    pub(crate) fn took(&mut self, ms: u64) {
        let sample_ms = ms.min(SAMPLE_MAX_MS);
        let usual_ms = self.usual_ms.unwrap_or(sample_ms);
        self.usual_ms = Some((7 * usual_ms + sample_ms) / 8);
    }

    /// Something is awaited from now on.
    pub(crate) fn start(&mut self, now_ms: u64) {
        self.tries = 0;
        self.until_ms = self.next_ms(now_ms);
    }

    /// Nothing is awaited any more.
    pub(crate) const fn stop(&mut self) {
        self.until_ms = None;
    }

    /// Whether it took too long. If so, the next wait has begun, if one is left.
    pub(crate) fn is_over(&mut self, now_ms: u64) -> bool {
        if self.until_ms.is_none_or(|it| it > now_ms) {
            return false;
        }
        self.tries += 1;
        self.until_ms = self.next_ms(now_ms);
        true
    }

    fn next_ms(&self, now_ms: u64) -> Option<u64> {
        let usual_ms = self.usual_ms.filter(|_| self.tries < TRIES_MAX)?;
        Some(now_ms.saturating_add((4 * usual_ms).max(LEAST_MS) << self.tries))
    }
}
