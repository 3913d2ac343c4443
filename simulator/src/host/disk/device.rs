//! The device under the blobs: its queue, its latency, its faults, its counters.

use crate::host::{
    config::{Counters, DiskConfig, DiskFaults, Rate},
    draw::{Draws, Stream},
};
use std::time::{Duration, SystemTime};

/// A [Rate] whose window has an end.
#[derive(Clone, Copy, Debug, Default)]
struct Risk {
    ppm: u32,
    until: Option<SystemTime>,
}

impl Risk {
    fn new(now: SystemTime, rate: Rate) -> Self {
        let until = rate
            .window_us
            .map(|window_us| now + Duration::from_micros(window_us));
        Self {
            ppm: rate.ppm,
            until,
        }
    }

    fn holds(&self, now: SystemTime) -> bool {
        self.ppm > 0 && self.until.is_none_or(|until| now < until)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Risks {
    open: Risk,
    read: Risk,
    write: Risk,
    sync: Risk,
}

impl Risks {
    fn new(now: SystemTime, faults: DiskFaults) -> Self {
        Self {
            open: Risk::new(now, faults.open),
            read: Risk::new(now, faults.read),
            write: Risk::new(now, faults.write),
            sync: Risk::new(now, faults.sync),
        }
    }
}

/// One machine's storage device. It serves one operation after the other.
#[derive(Debug)]
pub(super) struct Device {
    node: u64,
    pub(super) config: DiskConfig,
    pub(super) counters: Counters,
    risks: Risks,
    /// When all it was given is done.
    busy: SystemTime,
}

impl Device {
    pub(super) fn new(now: SystemTime, node: u64, config: DiskConfig) -> Self {
        let (counters, risks) = (Counters::default(), Risks::new(now, config.faults));
        Self {
            node,
            config,
            counters,
            risks,
            busy: now,
        }
    }

    /// Replaces what is wrong with it.
    pub(super) fn set(&mut self, now: SystemTime, faults: DiskFaults) {
        self.config.faults = faults;
        self.risks = Risks::new(now, faults);
    }

    /// Empties the queue.
    pub(super) fn power_on(&mut self, now: SystemTime) {
        self.busy = now;
    }

    /// When the device has served one more operation, or None if it has done so by `now`.
    pub(super) fn queue(&mut self, now: SystemTime, cost_us: u64) -> Option<SystemTime> {
        let cost = Duration::from_micros(cost_us.saturating_add(self.config.faults.delay_us));
        let due = self.busy.max(now) + cost;
        self.busy = due;
        (due > now).then_some(due)
    }

    /// Like [Self::queue] for what the page cache serves: without a latency of its own it does not wait in line.
    pub(super) fn access(&mut self, now: SystemTime, cost_us: u64) -> Option<SystemTime> {
        if cost_us.saturating_add(self.config.faults.delay_us) == 0 {
            return None;
        }
        self.queue(now, cost_us)
    }

    /// Counts an operation and gives its draws if it fails. Nothing is drawn while the rate is zero.
    pub(super) fn strike(&mut self, now: SystemTime, stream: Stream) -> Option<Draws> {
        let Counters {
            opens,
            reads,
            writes,
            syncs,
            ..
        } = &mut self.counters;
        let (risk, count) = match stream {
            Stream::Open => (self.risks.open, opens),
            Stream::Read => (self.risks.read, reads),
            Stream::Write => (self.risks.write, writes),
            Stream::Sync => (self.risks.sync, syncs),
            Stream::Randomness | Stream::Crash => unreachable!("no operation of the device"),
        };
        *count += 1;
        let number = *count;
        if !risk.holds(now) {
            return None;
        }
        let mut draws = self.draws(stream, number);
        if !draws.hit(risk.ppm) {
            return None;
        }
        self.counters.errors += 1;
        Some(draws)
    }

    /// The draws that belong to operation `number` of `stream`.
    pub(super) fn draws(&self, stream: Stream, number: u64) -> Draws {
        Draws::new(self.config.seed, self.node, stream, number)
    }
}
