//! The streaming hash of a trace.

use crate::draw::scramble;
use serde::{Deserialize, Serialize};
use std::{fmt, str::FromStr};

/// Two odd constants with well-mixed bits (the multipliers of splitmix64).
const MULTIPLIERS: [u64; 2] = [0xbf58_476d_1ce4_e5b9, 0x94d0_49bb_1331_11eb];

/// Hashes words one after the other: two lanes, each a multiply and a rotation a word, so a delivery costs nanoseconds.
///
/// It tells runs apart, it does not resist an adversary. It is written out here, and not taken from the standard
/// library, because the hash in a capsule must mean the same in every version of the compiler.
#[derive(Clone, Debug)]
pub struct Hasher {
    lanes: [u64; 2],
}

impl Default for Hasher {
    fn default() -> Self {
        // The first digits of pi: nothing up the sleeve.
        Self {
            lanes: [0x243f_6a88_85a3_08d3, 0x1319_8a2e_0370_7344],
        }
    }
}

impl Hasher {
    /// Takes in one word.
    #[inline]
    pub const fn word(&mut self, word: u64) {
        let [low, high] = self.lanes;
        // Multiplying by an odd number and rotating lose nothing, so in each lane two words differ in their outcome.
        let low = (low ^ word).wrapping_mul(MULTIPLIERS[0]).rotate_left(29);
        let high = (high.wrapping_add(word) ^ low.rotate_left(32))
            .wrapping_mul(MULTIPLIERS[1])
            .rotate_left(31);
        self.lanes = [low, high];
    }

    /// Takes in bytes and their number.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.word(bytes.len() as u64);
        for chunk in bytes.chunks(8) {
            let mut word = [0; 8];
            word[..chunk.len()].copy_from_slice(chunk);
            self.word(u64::from_le_bytes(word));
        }
    }

    /// The hash of all words so far.
    pub const fn finish(&self) -> TraceHash {
        let [low, high] = self.lanes;
        TraceHash([
            scramble(low ^ high.rotate_left(17)),
            scramble(high.wrapping_add(low)),
        ])
    }
}

/// The identity of a run: 32 hexadecimal digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct TraceHash([u64; 2]);

impl fmt::Display for TraceHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}{:016x}", self.0[0], self.0[1])
    }
}

impl From<TraceHash> for String {
    fn from(hash: TraceHash) -> Self {
        hash.to_string()
    }
}

/// A text that is not a trace hash.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a trace hash is 32 hexadecimal digits, not {0:?}")]
pub struct NotATraceHash(String);

impl FromStr for TraceHash {
    type Err = NotATraceHash;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let word =
            |digits: Option<&str>| digits.and_then(|digits| u64::from_str_radix(digits, 16).ok());
        match (text.len(), word(text.get(..16)), word(text.get(16..))) {
            (32, Some(low), Some(high)) => Ok(Self([low, high])),
            _ => Err(NotATraceHash(text.into())),
        }
    }
}

impl TryFrom<String> for TraceHash {
    type Error = NotATraceHash;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}
