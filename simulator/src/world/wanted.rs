//! What the world is to be like while some faults are in force.
//!
//! A pure function of the plan and the set of faults in force: what a fault changed is undone by computing the world
//! without it, so faults may overlap in any way and end in any order.

use crate::{
    Plan, System,
    host::{ClockConfig, DiskFaults, Rate},
    network::Link,
    plan::{Fault, Links, Operation},
};
use std::collections::BTreeSet;

/// The faults in force.
#[derive(Clone, Debug, Default)]
pub(super) struct Active {
    /// By index in the plan.
    pub(super) faults: BTreeSet<usize>,
    /// Those of them whose node is up for a moment, before it is killed again.
    pub(super) between: BTreeSet<usize>,
}

/// What the world is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wanted {
    /// By sender and receiver.
    pub(super) links: Vec<Vec<Channel>>,
    pub(super) nodes: Vec<Condition>,
}

/// What a link is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Channel {
    pub(super) link: Link,
    pub(super) cut: bool,
    pub(super) clogged: bool,
}

/// What a machine is to be like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Condition {
    pub(super) down: bool,
    pub(super) paused: bool,
    pub(super) clock: ClockConfig,
    pub(super) disk: DiskFaults,
}

impl Wanted {
    /// The world under the faults of a plan that are in force. Once `healed`, links keep only what time they take.
    pub(super) fn of<S: System>(plan: &Plan<S>, active: &Active, healed: bool) -> Self {
        let link = if healed {
            plan.link.perfect()
        } else {
            plan.link
        };
        let channel = Channel {
            link,
            cut: false,
            clogged: false,
        };
        let nodes = plan.nodes.iter().map(|node| Condition {
            down: false,
            paused: false,
            clock: node.clock,
            disk: DiskFaults::default(),
        });
        let mut wanted = Self {
            links: vec![vec![channel; plan.nodes.len()]; plan.nodes.len()],
            nodes: nodes.collect(),
        };
        for index in &active.faults {
            wanted.apply(&plan.faults[*index].fault, active.between.contains(index));
        }
        wanted
    }

    fn apply(&mut self, fault: &Fault, between: bool) {
        match fault {
            Fault::Latency {
                links,
                latency_us,
                jitter_us,
            } => self.each(*links, |channel| {
                channel.link.latency_us = channel.link.latency_us.max(*latency_us);
                channel.link.jitter_us = channel.link.jitter_us.max(*jitter_us);
            }),
            Fault::Loss { links, ppm } => {
                self.each(*links, |channel| {
                    channel.link.loss_ppm = channel.link.loss_ppm.max(*ppm)
                });
            }
            Fault::Duplicate { links, ppm } => {
                self.each(*links, |channel| {
                    channel.link.duplicate_ppm = channel.link.duplicate_ppm.max(*ppm)
                });
            }
            Fault::Reorder { links, ppm, by_us } => self.each(*links, |channel| {
                channel.link.reorder_ppm = channel.link.reorder_ppm.max(*ppm);
                channel.link.reorder_us = channel.link.reorder_us.max(*by_us);
            }),
            Fault::Clog { links } => self.each(*links, |channel| channel.clogged = true),
            Fault::Partition { isolate } => {
                self.cut(|from, to| isolate.contains(&from) != isolate.contains(&to))
            }
            Fault::OneWay { from, to } => {
                self.cut(|sender, receiver| from.contains(&sender) && to.contains(&receiver))
            }
            Fault::Ring { order } => self.cut(|from, to| !hears(order, to, from)),
            Fault::Crash { nodes, .. } => {
                nodes.iter().for_each(|node| self.nodes[*node].down = true)
            }
            Fault::CrashRestarting { node, .. } => self.nodes[*node].down |= !between,
            Fault::Kill { node } | Fault::Wipe { node } => self.nodes[*node].down = true,
            Fault::Pause { node } => self.nodes[*node].paused = true,
            Fault::Clock {
                node,
                offset_us,
                drift_ppm,
            } => {
                self.nodes[*node].clock = ClockConfig {
                    offset_us: *offset_us,
                    drift_ppm: *drift_ppm,
                };
            }
            Fault::Disk {
                node,
                operation,
                ppm,
            } => {
                let disk = &mut self.nodes[*node].disk;
                let raise = |rate: &mut Rate| *rate = Rate::always(rate.ppm.max(*ppm));
                match operation {
                    // A node that cannot open its files cannot read them.
                    Operation::Read => [&mut disk.read, &mut disk.open].into_iter().for_each(raise),
                    Operation::Write => raise(&mut disk.write),
                    Operation::Sync => raise(&mut disk.sync),
                }
            }
        }
    }

    fn each(&mut self, links: Links, mut change: impl FnMut(&mut Channel)) {
        for (from, row) in self.links.iter_mut().enumerate() {
            let covered = row
                .iter_mut()
                .enumerate()
                .filter(|(to, _)| links.covers(from, *to));
            covered.for_each(|(_, channel)| change(channel));
        }
    }

    fn cut(&mut self, mut is_cut: impl FnMut(usize, usize) -> bool) {
        for (from, row) in self.links.iter_mut().enumerate() {
            for (to, channel) in row.iter_mut().enumerate() {
                channel.cut |= from != to && is_cut(from, to);
            }
        }
    }
}

/// Whether, in a ring, one node is among the nearest neighbours another hears: by turns on its right and on its left,
/// until they are a quorum with itself.
fn hears(order: &[usize], listener: usize, speaker: usize) -> bool {
    let place = |node| order.iter().position(|other| *other == node);
    let (Some(listener), Some(speaker)) = (place(listener), place(speaker)) else {
        return true;
    };
    let count = order.len();
    let quorum = count - count.saturating_sub(1) / 3;
    let right = (speaker + count - listener) % count;
    let rank = (2 * right).saturating_sub(1).min(2 * (count - right));
    rank < quorum
}
