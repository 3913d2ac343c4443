//! What is compared: links of 10 ms, slots of 1 ms, every validator with a lane.
//!
//! Lanes are so long that the rate is that of the middle of a run, and so short that a case ends: with one chunk
//! outstanding and a round trip of 20 ms the baseline is at its rate at once, ours fills its window first. With loss
//! the baseline ends only if the last certificate of each lane reaches everybody, since it resends none; at a height of
//! 50 and the seed 0 it does.

use std::fmt;

/// Uncertified headers of a lane, by default.
pub const IN_FLIGHT_MAX: u64 = 32;

/// One case.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Case {
    pub scheme: &'static str,
    pub n: u32,
    /// Chunks of each lane in the baseline, and in ours with one outstanding.
    pub theirs: u64,
    /// Chunks of each lane in ours with the default window.
    pub ours: u64,
    /// Whether ours is also run with one chunk outstanding.
    pub single: bool,
    pub fsync_us: u64,
    pub loss_percent: u32,
    pub rebroadcast_ms: u64,
}

impl Case {
    const fn new(scheme: &'static str, n: u32, theirs: u64, ours: u64) -> Self {
        Self {
            scheme,
            n,
            theirs,
            ours,
            single: false,
            fsync_us: 0,
            loss_percent: 0,
            rebroadcast_ms: 5000,
        }
    }

    const fn single(self) -> Self {
        Self {
            single: true,
            ..self
        }
    }

    const fn disk(self, fsync_us: u64) -> Self {
        Self { fsync_us, ..self }
    }

    const fn loss(self, loss_percent: u32, rebroadcast_ms: u64) -> Self {
        Self {
            loss_percent,
            rebroadcast_ms,
            ..self
        }
    }
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.scheme, self.n)?;
        if self.fsync_us > 0 {
            write!(f, ", sync {} ms", self.fsync_us as f64 / 1e3)?;
        }
        if self.loss_percent > 0 {
            write!(
                f,
                ", {} % loss, resend {} ms",
                self.loss_percent, self.rebroadcast_ms
            )?;
        }
        Ok(())
    }
}

/// Of free acks: rates, messages, disks, loss.
const RATES: &[Case] = &[
    Case::new("mock", 4, 100, 1000).single(),
    Case::new("mock", 10, 50, 1000).single(),
    Case::new("mock", 25, 20, 300).single(),
    Case::new("mock", 50, 5, 120),
    Case::new("mock", 25, 10, 300).disk(2_000).single(),
    Case::new("mock", 25, 10, 300).disk(5_000),
    Case::new("mock", 4, 50, 1000).loss(5, 100),
    Case::new("mock", 10, 50, 1000).loss(5, 100),
    Case::new("mock", 10, 50, 1000).loss(5, 5_000),
];

/// Of real signatures: processor time.
const SIGNATURES: &[Case] = &[
    Case::new("ed25519", 4, 100, 200).single(),
    Case::new("ed25519", 10, 30, 200).single(),
    Case::new("ed25519", 25, 8, 120).single(),
    Case::new("multisig-minsig", 4, 30, 120).single(),
    Case::new("multisig-minsig", 10, 6, 100),
    Case::new("multisig-minsig", 25, 2, 100),
    Case::new("threshold-minsig", 4, 30, 120),
    Case::new("secp256r1", 4, 60, 200),
    Case::new("secp256r1", 10, 15, 100),
];

/// What only `--full` has.
const REST: &[Case] = &[
    Case::new("mock", 4, 50, 1000).disk(500),
    Case::new("mock", 4, 50, 1000).disk(2_000),
    Case::new("mock", 4, 50, 1000).disk(5_000),
    Case::new("mock", 10, 30, 1000).disk(500),
    Case::new("mock", 10, 30, 1000).disk(2_000),
    Case::new("mock", 10, 30, 1000).disk(5_000),
    Case::new("mock", 4, 50, 1000).loss(1, 100),
    Case::new("mock", 10, 50, 1000).loss(1, 100),
    Case::new("mock", 4, 50, 1000).loss(5, 5_000),
    Case::new("mock", 50, 5, 120).disk(2_000),
    Case::new("ed25519", 50, 4, 100),
    Case::new("multisig-minsig", 50, 1, 60),
    Case::new("threshold-minsig", 10, 6, 100),
    Case::new("threshold-minsig", 25, 2, 100),
    Case::new("threshold-minsig", 50, 1, 60),
    Case::new("secp256r1", 25, 6, 100),
    Case::new("secp256r1", 50, 3, 60),
];

/// All that is compared.
pub fn cases(full: bool) -> Vec<Case> {
    let rest = if full { REST } else { &[] };
    [RATES, SIGNATURES, rest].concat()
}
