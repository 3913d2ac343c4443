//! The mix behind free signatures: two 64-bit lanes that absorb the input word by word.
//!
//! Absorbing a word permutes each lane, for every word; and for every lane state, different words lead to different
//! states. So two inputs of one length that differ in one word never have the same tag: a flipped bit is *always*
//! noticed. Any other two inputs agree with a probability of about 2^-128, since the lanes use unrelated constants.

/// The lanes of an empty input: the first fractional digits of the square roots of 2 and 3.
const START: [u64; 2] = [0x6a09_e667_f3bc_c908, 0xbb67_ae85_84ca_a73b];

/// Odd, so that multiplying by them permutes; taken from the square roots of 5 and 7, last bit set.
const FACTOR: [u64; 2] = [0x3c6e_f372_fe94_f82b, 0xa54f_f53a_5f1d_36f1];

/// Words are eight bytes.
const WORD: usize = size_of::<u64>();

/// The running state of a mix.
#[derive(Clone, Copy, Debug)]
pub(super) struct Mix([u64; 2]);

impl Mix {
    /// The state of an empty input.
    pub(super) const fn new() -> Self {
        Self(START)
    }

    /// A state keyed by `signer` and `namespace`; computed once per participant.
    pub(super) fn keyed(signer: &[u8], namespace: &[u8]) -> Self {
        Self::new().bytes(signer).bytes(namespace)
    }

    /// Absorbs one word.
    pub(super) const fn word(self, word: u64) -> Self {
        let [a, b] = self.0;
        Self([
            (a ^ word).wrapping_mul(FACTOR[0]).rotate_left(29),
            (b ^ word).wrapping_mul(FACTOR[1]).rotate_left(37),
        ])
    }

    /// Absorbs a byte string, its length first, so that no two sequences of strings give the same words.
    pub(super) fn bytes(self, bytes: &[u8]) -> Self {
        let mut mix = self.word(bytes.len() as u64);
        let (words, rest) = bytes.as_chunks::<WORD>();
        for word in words {
            mix = mix.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            let mut last = [0; WORD];
            last[..rest.len()].copy_from_slice(rest);
            mix = mix.word(u64::from_le_bytes(last));
        }
        mix
    }

    /// Ends the input. A permutation of the state: every bit of it reaches every bit of the tag.
    pub(super) const fn finish(self) -> u128 {
        let [mut a, mut b] = self.0;
        let mut round = 0;
        while round < 2 {
            a = scatter(a.wrapping_add(b));
            b = scatter(b ^ a.rotate_left(32));
            round += 1;
        }
        (a as u128) << 64 | b as u128
    }
}

/// Spreads every bit over the word; a permutation.
const fn scatter(mut word: u64) -> u64 {
    word ^= word >> 32;
    word = word.wrapping_mul(FACTOR[0]);
    word ^= word >> 29;
    word = word.wrapping_mul(FACTOR[1]);
    word ^ (word >> 32)
}

#[cfg(test)]
mod tests;
