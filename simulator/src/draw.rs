//! Draws from a seed: integers only, and split by name.
//!
//! A [`Draw`] is a counter hashed with its seed, so a stream split off by name depends on the seed and the name alone:
//! drawing more, or fewer, from one stream moves nothing in another. There is no floating point, because libm differs
//! between machines and the same seed must give the same plan on all of them.

use std::ops::RangeInclusive;

/// One million: rates are in parts per million.
pub const MILLION: u32 = 1_000_000;

/// Spreads the bits of a word (the finalizer of splitmix64, a bijection).
pub const fn scramble(word: u64) -> u64 {
    let word = (word ^ (word >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let word = (word ^ (word >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    word ^ (word >> 31)
}

/// Derives a seed from a seed and a number.
pub const fn derive(seed: u64, number: u64) -> u64 {
    // The golden ratio keeps neighbouring numbers apart before the bits are spread. Scrambling the seed first keeps
    // `derive(derive(s, a), b)` from depending on a sum of `s`, `a` and `b`.
    scramble(
        scramble(seed ^ 0x6a09_e667_f3bc_c909)
            .wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15)),
    )
}

/// A stream of draws.
#[derive(Clone, Debug)]
pub struct Draw {
    seed: u64,
    drawn: u64,
}

impl Draw {
    /// The stream of `seed`.
    pub const fn new(seed: u64) -> Self {
        Self { seed, drawn: 0 }
    }

    /// A stream of its own, which depends on this one's seed and `name` but not on what was drawn so far.
    pub fn split(&self, name: &str) -> Self {
        let seed = name
            .bytes()
            .fold(self.seed, |seed, byte| derive(seed, u64::from(byte) + 1));
        Self::new(derive(seed, 0))
    }

    /// A stream of its own by number.
    pub const fn split_at(&self, number: u64) -> Self {
        Self::new(derive(derive(self.seed, 0), number))
    }

    /// 64 uniform bits.
    pub const fn bits(&mut self) -> u64 {
        self.drawn += 1;
        derive(self.seed, self.drawn)
    }

    /// Uniform in `0..bound`. Panics if `bound` is zero: there is nothing to draw.
    pub fn below(&mut self, bound: u64) -> u64 {
        assert!(bound > 0, "cannot draw below zero");
        // The bias of multiply-and-shift is at most bound / 2^64, far below what any number of seeds can show.
        let wide = u128::from(self.bits()) * u128::from(bound);
        u64::try_from(wide >> 64).expect("a product of two words has a word of high bits")
    }

    /// Uniform in `0..bound`, for indices.
    pub fn index(&mut self, bound: usize) -> usize {
        usize::try_from(self.below(bound as u64)).expect("an index below a usize")
    }

    /// Uniform in a range, both ends included.
    pub fn within(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        assert!(
            low <= high,
            "cannot draw from the empty range {low}..={high}"
        );
        match (high - low).checked_add(1) {
            Some(width) => low + self.below(width),
            None => self.bits(),
        }
    }

    /// A magnitude in a range whose low end is not zero: every doubling is about as likely, so that microseconds and
    /// seconds both come up.
    pub fn magnitude(&mut self, range: RangeInclusive<u64>) -> u64 {
        let (low, high) = range.into_inner();
        assert!(
            0 < low && low <= high,
            "cannot draw a magnitude from {low}..={high}"
        );
        let doublings = u64::from((high / low).ilog2());
        let from = low << self.within(0..=doublings);
        self.within(from..=from.saturating_mul(2).min(high))
    }

    /// True in `ppm` of a million draws.
    pub fn chance(&mut self, ppm: u32) -> bool {
        self.below(u64::from(MILLION)) < u64::from(ppm)
    }

    /// True in half of the draws.
    pub const fn coin(&mut self) -> bool {
        self.bits() >> 63 == 1
    }

    /// One of `items`. Panics if there is none.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.index(items.len())]
    }

    /// `count` distinct indices below `bound`, in the order drawn.
    pub fn distinct(&mut self, count: usize, bound: usize) -> Vec<usize> {
        assert!(
            count <= bound,
            "cannot draw {count} distinct indices below {bound}"
        );
        let mut all: Vec<usize> = (0..bound).collect();
        for at in 0..count {
            let from = at + self.index(bound - at);
            all.swap(at, from);
        }
        all.truncate(count);
        all
    }
}

#[cfg(test)]
mod tests;
