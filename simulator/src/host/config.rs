//! What a plan says about one machine. Everything here is plain data: it prints, it is JSON, it replays.

use serde::{Deserialize, Serialize};
use std::iter::Sum;

/// A machine: its seed, its clock and its disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Config {
    /// Seed of the node's own randomness. An incarnation's stream is a function of (seed, node, incarnation).
    pub seed: u64,
    /// How the machine's clock reads against true time.
    pub clock: ClockConfig,
    /// The machine's only disk.
    pub disk: DiskConfig,
}

/// How a machine's clock reads against true (virtual) time.
///
/// A clock never runs backwards: one that is set back stands still until the new reading has caught up. It never
/// reads before the Unix epoch, so a run with negative offsets should start later than that.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClockConfig {
    /// Local minus true time at the moment the clock is set, in microseconds.
    pub offset_us: i64,
    /// How much faster the clock runs than true time, in parts per million. Within -999_999..=999_999.
    pub drift_ppm: i64,
}

/// A disk: one device behind a page cache.
///
/// Operations that reach the device queue behind each other. A latency of zero costs no timer: plain reads and
/// writes then complete in the call, syncs as soon as the device is idle.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskConfig {
    /// Seed of the disk's draws: each is a function of (seed, node, kind of operation, number of that operation).
    pub seed: u64,
    /// Time a read, a scan or the opening of an existing blob takes, in microseconds.
    pub read_us: u64,
    /// Time a write or resize takes to be accepted, in microseconds.
    pub write_us: u64,
    /// Time a sync takes, and what creating or removing a blob costs, in microseconds.
    pub sync_us: u64,
    /// What goes wrong from the start.
    pub faults: DiskFaults,
}

/// What is wrong with a disk. The default is a healthy disk.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiskFaults {
    /// Opens, removals and scans that fail.
    pub open: Rate,
    /// Reads that fail.
    pub read: Rate,
    /// Writes and resizes that fail. A part of a failed write may still be applied.
    pub write: Rate,
    /// Syncs that fail, leaving what they covered kept, lost or torn.
    pub sync: Rate,
    /// Added to the latency of every operation, in microseconds: a slow disk.
    pub delay_us: u64,
    /// Most bytes all blobs may hold: a full disk refuses to grow. None is unlimited.
    pub capacity_bytes: Option<u64>,
}

/// How often an operation fails.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    /// Probability in parts per million.
    pub ppm: u32,
    /// For how long after the fault was set, in microseconds. None is until the disk is healed.
    pub window_us: Option<u64>,
}

impl Rate {
    /// A rate that holds until the disk is healed.
    pub const fn always(ppm: u32) -> Self {
        Self {
            ppm,
            window_us: None,
        }
    }

    /// A rate that ends by itself `window_us` after it was set.
    pub const fn window(ppm: u32, window_us: u64) -> Self {
        Self {
            ppm,
            window_us: Some(window_us),
        }
    }
}

/// What a crash leaves of the operations that were issued and not yet synced.
///
/// A sync that was in flight has happened or not, drawn, whatever the kind of crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Crash {
    /// Nothing: every unsynced write is lost.
    Lost,
    /// A part of them.
    Torn {
        /// Which part.
        mode: Tear,
    },
}

/// Which part of the unsynced operations a torn crash keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Tear {
    /// The first operations across the whole machine, in issue order, the last of them possibly cut short.
    Prefix,
    /// Each operation on its own: not at all, whole, or any part of its bytes.
    Subset,
}

/// What a machine's disk has done since the machine was made. Crashes do not reset it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counters {
    /// Opens, removals and scans issued.
    pub opens: u64,
    /// Reads issued.
    pub reads: u64,
    /// Bytes read.
    pub bytes_read: u64,
    /// Writes and resizes issued.
    pub writes: u64,
    /// Bytes written.
    pub bytes_written: u64,
    /// Syncs issued, those of synchronous writes among them.
    pub syncs: u64,
    /// Injected errors: more than before means that the node was told of a disk error.
    pub errors: u64,
}

impl Sum for Counters {
    /// What several disks have done together.
    fn sum<I: Iterator<Item = Self>>(disks: I) -> Self {
        disks.fold(Self::default(), |sum, disk| Self {
            opens: sum.opens + disk.opens,
            reads: sum.reads + disk.reads,
            bytes_read: sum.bytes_read + disk.bytes_read,
            writes: sum.writes + disk.writes,
            bytes_written: sum.bytes_written + disk.bytes_written,
            syncs: sum.syncs + disk.syncs,
            errors: sum.errors + disk.errors,
        })
    }
}
