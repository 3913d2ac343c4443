//! Drawing what goes wrong.
//!
//! Every kind of fault has a stream of its own and is on in half of the plans, so that some runs see one kind alone and
//! others see many at once. The budget is spent first, and faults that spend it fall only on the nodes it was spent on:
//! a plan that passes it cannot be drawn.

use super::Surroundings;
use crate::{
    System,
    draw::{Draw, MILLION},
    host::ClockConfig,
    plan::{Fault, Latencies, Link, Links, Operation, Unsynced, Window},
    system::Span,
    time::{micros, millis, secs},
};
use std::collections::BTreeMap;

/// The kind of going wrong that is a role and not a fault.
pub(super) const BYZANTINE: &str = "byzantine";

/// The most windows drawn of one kind.
const WINDOWS_MAX: u64 = 4;

/// Draws the faults of one plan.
pub(super) struct Swarm<'a, S: System> {
    draw: Draw,
    options: &'a S::Options,
    span: Span,
    without: &'a [&'static str],
    /// The nodes the budget was drawn for that are not Byzantine yet.
    expendable: Vec<usize>,
}

impl<'a, S: System> Swarm<'a, S> {
    pub(super) fn new(
        draw: &Draw,
        options: &'a S::Options,
        span: Span,
        without: &'a [&'static str],
    ) -> Self {
        Self {
            draw: draw.split("swarm"),
            options,
            span,
            without,
            expendable: Vec::new(),
        }
    }

    /// Spends the budget: draws who may be faulty, and makes some of them Byzantine. Roles the scenario fixed stay.
    pub(super) fn draw_byzantine(
        &mut self,
        roles: &mut [S::Role],
        fixed: &BTreeMap<usize, S::Role>,
    ) {
        let mut draw = self.draw.split("budget");
        let spent = roles.iter().filter(|role| S::is_byzantine(role)).count();
        let budget = S::faulty_max(self.options, roles.len()).saturating_sub(spent);
        let count = draw.index(budget + 1);
        let on = self.on(BYZANTINE);
        for node in draw.distinct(roles.len(), roles.len()) {
            if self.expendable.len() + roles.iter().filter(|role| S::is_byzantine(role)).count()
                >= spent + count
            {
                break;
            }
            if S::is_byzantine(&roles[node]) {
                continue;
            }
            let mut draw = self.draw.split(BYZANTINE).split_at(node as u64);
            let role = if on && !fixed.contains_key(&node) && draw.coin() {
                S::draw_byzantine(&mut draw, self.options, &roles[node])
            } else {
                None
            };
            match role {
                Some(role) => roles[node] = role,
                None => self.expendable.push(node),
            }
        }
    }

    /// Everything around the nodes.
    pub(super) fn draw(&self, nodes: usize) -> Surroundings {
        Surroundings {
            faults: self.draw_faults(nodes),
            link: self.draw_link(),
            clocks: (0..nodes).map(|node| self.draw_clock(node)).collect(),
            disks: (0..nodes).map(|node| self.draw_disk(node)).collect(),
        }
    }

    /// A clock within what the system tolerates: any two are at most that far apart, to the end of the run.
    fn draw_clock(&self, node: usize) -> ClockConfig {
        if !self.on("clock") {
            return ClockConfig::default();
        }
        let mut draw = self.draw.split("clocks").split_at(node as u64);
        // A quarter of the tolerance each way for the offset, and a quarter for what drift adds by the end.
        let quarter_us = S::skew_us_max(self.options) / 4;
        let run_us = u128::from(self.span.safety_us + self.span.liveness_us).max(1);
        let drift_ppm = u128::from(quarter_us) * u128::from(MILLION) / run_us;
        // A bad quartz is off by 100 ppm.
        let drift_ppm = u64::try_from(drift_ppm.min(100)).expect("at most 100");
        ClockConfig {
            offset_us: signed(&mut draw, quarter_us),
            drift_ppm: signed(&mut draw, drift_ppm),
        }
    }

    /// A disk that takes its time in half of the plans: only then is there a moment between a write and its sync.
    fn draw_disk(&self, node: usize) -> Latencies {
        if !self.on("disk latency") {
            return Latencies::default();
        }
        let mut draw = self.draw.split("disks").split_at(node as u64);
        Latencies {
            read_us: draw.within(0..=micros(200)),
            write_us: draw.within(0..=micros(50)),
            sync_us: draw.magnitude(micros(100)..=millis(10)),
        }
    }

    /// What every link is like when no fault touches it.
    fn draw_link(&self) -> Link {
        let mut draw = self.draw.split("link");
        let latency_us = narrow(draw.magnitude(micros(100)..=millis(50)));
        let jitter_us = if draw.coin() {
            narrow(draw.within(0..=u64::from(latency_us)))
        } else {
            0
        };
        Link::new(latency_us, jitter_us)
    }

    /// Every fault of the plan.
    fn draw_faults(&self, nodes: usize) -> Vec<Window> {
        let mut windows = Vec::new();
        for kind in Fault::KINDS {
            if !self.on(kind) {
                continue;
            }
            let mut draw = self.draw.split("fault").split(kind);
            for number in 0..draw.within(1..=WINDOWS_MAX) {
                // Each window has a stream of its own too: one more draw in one moves no other.
                let mut draw = draw.split_at(number);
                let at_us = draw.below(self.span.safety_us.max(1));
                let lasts_us =
                    draw.magnitude(millis(1)..=self.span.safety_us.max(millis(2)) / 2 + millis(1));
                let until_us = (at_us + lasts_us).min(self.span.safety_us).max(at_us);
                let fault = self.draw_fault(kind, &mut draw, nodes, at_us, until_us);
                windows.extend(fault.map(|fault| Window {
                    at_us,
                    until_us,
                    fault,
                }));
            }
        }
        windows
    }

    /// One fault of a kind; none if the cluster is too small for it, or no node may be lost.
    fn draw_fault(
        &self,
        kind: &str,
        draw: &mut Draw,
        nodes: usize,
        at_us: u64,
        until_us: u64,
    ) -> Option<Fault> {
        let node = draw.index(nodes);
        let fault = match kind {
            "latency" => {
                let latency_us = narrow(draw.magnitude(millis(1)..=secs(1)));
                let jitter_us = narrow(draw.within(0..=u64::from(latency_us)));
                Fault::Latency {
                    links: links(draw, nodes),
                    latency_us,
                    jitter_us,
                }
            }
            "loss" => Fault::Loss {
                links: Links::All,
                ppm: rate(draw),
            },
            "one-way loss" => {
                let links = *draw.pick(&[
                    one(draw.clone(), nodes)?,
                    Links::From(node),
                    Links::To(node),
                ]);
                Fault::Loss {
                    links,
                    ppm: rate(draw),
                }
            }
            "duplicate" => Fault::Duplicate {
                links: links(draw, nodes),
                ppm: rate(draw),
            },
            "reorder" => {
                let by_us = narrow(draw.magnitude(micros(100)..=secs(1)));
                Fault::Reorder {
                    links: links(draw, nodes),
                    ppm: rate(draw),
                    by_us,
                }
            }
            "clog" => Fault::Clog {
                links: links(draw, nodes),
            },
            "isolate" => Fault::Partition {
                isolate: [node].into(),
            },
            "split" if nodes >= 4 => {
                let side =
                    usize::try_from(draw.within(2..=nodes as u64 / 2)).expect("half of the nodes");
                Fault::Partition {
                    isolate: draw.distinct(side, nodes).into_iter().collect(),
                }
            }
            "one-way cut" if nodes >= 2 => {
                let order = draw.distinct(nodes, nodes);
                let (from, to) = order.split_at(1 + draw.index(nodes - 1));
                Fault::OneWay {
                    from: from.iter().copied().collect(),
                    to: to.iter().copied().collect(),
                }
            }
            "ring" if nodes >= 4 => Fault::Ring {
                order: draw.distinct(nodes, nodes),
            },
            "crash" => Fault::Crash {
                nodes: [node].into(),
                unsynced: unsynced(draw),
            },
            "crash many" if nodes >= 2 => {
                let count = if draw.coin() {
                    nodes
                } else {
                    2 + draw.index(nodes - 1)
                };
                let nodes = draw.distinct(count, nodes).into_iter().collect();
                Fault::Crash {
                    nodes,
                    unsynced: unsynced(draw),
                }
            }
            "crash restarting" if until_us - at_us >= millis(1) => {
                // Recovery takes little virtual time: the second kill comes soon after the first restart.
                let restart_at_us = draw.within(at_us..=until_us - 1);
                let soon_us = draw.magnitude(1..=millis(20));
                let crash_at_us = (restart_at_us + soon_us).min(until_us);
                Fault::CrashRestarting {
                    node,
                    unsynced: unsynced(draw),
                    restart_at_us,
                    crash_at_us,
                }
            }
            "kill" => Fault::Kill {
                node: self.expendable(draw)?,
            },
            "wipe" => Fault::Wipe {
                node: self.expendable(draw)?,
            },
            "pause" => Fault::Pause { node },
            "clock" => {
                // Beyond tolerance, yet so that what a fast clock dated into the future comes to pass within the bound.
                let limit = self.span.liveness_us / 4;
                let reach = draw.magnitude(1..=limit.max(1));
                // One percent gains less than the offset may be, in the longest safety phase drawn.
                Fault::Clock {
                    node,
                    offset_us: signed(draw, reach),
                    drift_ppm: signed(draw, 10_000),
                }
            }
            "disk read" => Fault::Disk {
                node,
                operation: Operation::Read,
                ppm: rate(draw),
            },
            "disk write" => Fault::Disk {
                node,
                operation: Operation::Write,
                ppm: rate(draw),
            },
            "disk sync" => Fault::Disk {
                node,
                operation: Operation::Sync,
                ppm: rate(draw),
            },
            _ => return None,
        };
        Some(fault)
    }

    fn expendable(&self, draw: &mut Draw) -> Option<usize> {
        (!self.expendable.is_empty()).then(|| *draw.pick(&self.expendable))
    }

    fn on(&self, kind: &str) -> bool {
        !self.without.contains(&kind) && self.draw.split("on").split(kind).coin()
    }
}

/// A whole number from `-reach` to `reach`.
fn signed(draw: &mut Draw, reach: u64) -> i64 {
    let reach = i64::try_from(reach).expect("times and rates are far below 2^63");
    i64::try_from(draw.below(2 * reach.unsigned_abs() + 1)).expect("twice a reach fits") - reach
}

/// A time on a link: at most seconds, which fit.
fn narrow(time_us: u64) -> u32 {
    u32::try_from(time_us).expect("a time on a link is below an hour")
}

/// From one in a thousand to all.
fn rate(draw: &mut Draw) -> u32 {
    u32::try_from(draw.magnitude(1_000..=u64::from(MILLION))).expect("at most a million")
}

fn unsynced(draw: &mut Draw) -> Unsynced {
    *draw.pick(&[Unsynced::Lost, Unsynced::Prefix, Unsynced::Subset])
}

fn one(mut draw: Draw, nodes: usize) -> Option<Links> {
    match draw.distinct(nodes.min(2), nodes)[..] {
        [from, to] => Some(Links::One { from, to }),
        _ => None,
    }
}

fn links(draw: &mut Draw, nodes: usize) -> Links {
    let node = draw.index(nodes);
    let one = one(draw.split("one"), nodes).unwrap_or(Links::All);
    *draw.pick(&[Links::All, Links::From(node), Links::To(node), one])
}
