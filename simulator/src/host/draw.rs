//! Draws as pure functions of who asks and for what: no cursor is shared, so removing one fault moves no other.
//!
//! Integers only. The mixer is the SplitMix64 finalizer (Steele, Lea, Flood: Fast Splittable Pseudorandom Number
//! Generators, 2014), whose outputs are uniform over 64 bits.

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

/// What a draw is for. Each has numbers of its own.
#[derive(Clone, Copy, Debug)]
#[repr(u64)]
pub(super) enum Stream {
    Randomness = 1,
    Open,
    Read,
    Write,
    Sync,
    Crash,
}

/// The draws of one operation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Draws(u64);

impl Draws {
    /// The draws that belong to operation `number` of `stream` on `node`.
    pub(super) fn new(seed: u64, node: u64, stream: Stream, number: u64) -> Self {
        let state = [node, stream as u64, number]
            .into_iter()
            .fold(mix(seed.wrapping_add(GOLDEN)), |state, part| {
                mix((state ^ part).wrapping_add(GOLDEN))
            });
        Self(state)
    }

    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mix(self.0)
    }

    /// A number in `0..bound`. The bias of the multiply is below bound / 2^64.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    pub(super) fn coin(&mut self) -> bool {
        self.next() & 1 == 1
    }

    /// True with a probability of `ppm` parts per million.
    pub(super) fn hit(&mut self, ppm: u32) -> bool {
        self.below(1_000_000) < u64::from(ppm)
    }
}
