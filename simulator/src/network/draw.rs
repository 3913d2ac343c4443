//! Draws that depend on nothing but (seed, link, message number, purpose).
//!
//! There is no cursor to share: leaving one draw out moves no other. Integers only, since floating
//! point differs between machines.

/// Odd constant of splitmix64, which spreads consecutive counters over the whole range.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finalizer of splitmix64 (Steele, Lea, Flood 2014): a bijection in which every input bit
/// reaches every output bit.
pub(super) const fn mix(mut word: u64) -> u64 {
    word = (word ^ (word >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    word = (word ^ (word >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    word ^ (word >> 31)
}

/// The stream of one directed link.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stream(u64);

impl Stream {
    pub(super) const fn new(seed: u64, from: usize, to: usize) -> Self {
        let link = ((from as u64) << 32) | to as u64;
        Self(mix(
            mix(seed.wrapping_add(GAMMA)) ^ mix(link.wrapping_add(GAMMA))
        ))
    }

    pub(super) const fn message(self, number: u64) -> Draw {
        Draw(mix(self.0.wrapping_add(number.wrapping_mul(GAMMA))))
    }
}

/// What a draw decides. Each purpose has a lane of its own, so switching one fault off leaves the
/// outcome of all others as it was.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    Loss = 1,
    Duplicate,
    Jitter,
    Reorder,
    ReorderDelay,
}

/// The draws of one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draw(u64);

impl Draw {
    const fn word(self, purpose: Purpose) -> u64 {
        mix(self.0.wrapping_add((purpose as u64).wrapping_mul(GAMMA)))
    }

    /// The draws of this message's duplicate.
    pub(super) const fn duplicate(self) -> Self {
        Self(mix(!self.0))
    }

    /// True in `ppm` of a million messages.
    pub(super) const fn chance(self, purpose: Purpose, ppm: u32) -> bool {
        ppm != 0 && below(self.word(purpose), 1_000_000) < ppm as u64
    }

    /// Uniform in `0..=max`.
    pub(super) const fn up_to(self, purpose: Purpose, max: u32) -> u64 {
        if max == 0 {
            return 0;
        }
        below(self.word(purpose), max as u64 + 1)
    }
}

/// Maps a uniform word to `0..bound` (Lemire's multiplication). Its bias is below bound / 2^64.
const fn below(word: u64, bound: u64) -> u64 {
    ((word as u128 * bound as u128) >> 64) as u64
}
