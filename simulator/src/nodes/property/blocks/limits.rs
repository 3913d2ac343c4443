//! What blocks are held against.

use crate::{
    Fault, Plan,
    nodes::{options::Options, system::Nodes},
};

/// What a cluster's options allow.
pub struct Limits {
    pub slot_ms: u64,
    pub window_ms: u64,
    pub skew_ms: u64,
    pub epoch_blocks: u64,
    pub execution_lag_max: u64,
    /// An expired tip may move its lane on if it does so by this many headers.
    pub long_run: u64,
    pub headers_max: u64,
    pub chunks_max: u64,
    pub bytes_max: u64,
    pub items_max: u64,
}

impl Limits {
    pub fn of(options: &Options) -> Self {
        let (chunks, lanes) = (&options.chunks, &options.chunks.lanes);
        // Two lanes that ran ahead fit a block, or one.
        let fit = lanes.sequencers.len().min(2) as u64;
        let chunks_max = lanes.ahead_max * fit;
        Self {
            slot_ms: lanes.slot_ms,
            window_ms: lanes.window_ms,
            skew_ms: options.skew_ms,
            epoch_blocks: options.epoch_blocks,
            execution_lag_max: options.execution_lag_max,
            long_run: lanes.headers_max.div_ceil(2),
            headers_max: lanes.headers_max * fit,
            chunks_max,
            bytes_max: chunks_max * u64::from(chunks.chunk_bytes_max),
            items_max: chunks_max * u64::from(chunks.chunk_items_max),
        }
    }
}

/// How far any clock of a run is ahead of true time.
pub struct Ahead {
    offset_us: u64,
    drift_ppm: u64,
}

impl Ahead {
    pub fn of(plan: &Plan<Nodes>) -> Self {
        let clocks = plan
            .nodes
            .iter()
            .map(|it| (it.clock.offset_us, it.clock.drift_ppm));
        let faults = plan.faults.iter().filter_map(|window| match window.fault {
            Fault::Clock {
                offset_us,
                drift_ppm,
                ..
            } => Some((offset_us, drift_ppm)),
            _ => None,
        });
        let mut ahead = Self {
            offset_us: 0,
            drift_ppm: 0,
        };
        for (offset_us, drift_ppm) in clocks.chain(faults) {
            ahead.offset_us = ahead.offset_us.max(offset_us.max(0).unsigned_abs());
            ahead.drift_ppm = ahead.drift_ppm.max(drift_ppm.max(0).unsigned_abs());
        }
        ahead
    }

    /// By the clock that is furthest ahead, at a time of the run; rounded up.
    pub const fn latest_ms(&self, at_us: u64) -> u64 {
        let gained_us = at_us.saturating_mul(self.drift_ppm) / 1_000_000;
        (at_us + gained_us + self.offset_us).div_ceil(1_000) + 1
    }
}
