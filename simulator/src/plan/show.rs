//! How a plan prints: in full, one line a setting, one line an event.

use super::{Fault, Latencies, Links, Node, Plan, Unsynced, Window};
use crate::{System, host::ClockConfig, time::show};
use std::{collections::BTreeSet, fmt};

impl<S: System> fmt::Display for Plan<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "seed {} of scenario {:?} (system {}, plan version {})",
            self.seed,
            self.scenario,
            S::NAME,
            self.version
        )?;
        let streams = &self.streams;
        writeln!(
            f,
            "  streams   schedule {:#018x} network {:#018x} disks {:#018x} nodes {:#018x}",
            streams.schedule, streams.network, streams.disks, streams.nodes
        )?;
        writeln!(
            f,
            "  phases    safety {}, liveness {}, at most {} steps",
            show(self.safety_us),
            show(self.liveness_us),
            self.steps_max
        )?;
        writeln!(f, "  options   {:?}", self.options)?;
        writeln!(f, "  links     {:?}", self.link)?;
        for (index, node) in self.nodes.iter().enumerate() {
            let Node { role, clock, disk } = node;
            let ClockConfig {
                offset_us,
                drift_ppm,
            } = clock;
            let Latencies {
                read_us,
                write_us,
                sync_us,
            } = disk;
            writeln!(
                f,
                "  node {index:<4} {role:?}, clock {offset_us:+} us {drift_ppm:+} ppm, disk reads {read_us} us, writes \
                 {write_us} us, syncs {sync_us} us"
            )?;
        }
        for window in &self.faults {
            writeln!(f, "  fault     {window}")?;
        }
        for timed in &self.actions {
            writeln!(f, "  action    {} {:?}", show(timed.at_us), timed.action)?;
        }
        Ok(())
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} until {} {}: {}",
            show(self.at_us),
            show(self.until_us),
            self.fault.kind(),
            self.fault
        )
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Latency {
                links,
                latency_us,
                jitter_us,
            } => {
                write!(
                    f,
                    "{links} take {latency_us} us and up to {jitter_us} us more"
                )
            }
            Self::Loss { links, ppm } => write!(f, "{links} lose {ppm} ppm"),
            Self::Duplicate { links, ppm } => write!(f, "{links} duplicate {ppm} ppm"),
            Self::Reorder { links, ppm, by_us } => {
                write!(f, "{links} delay {ppm} ppm by up to {by_us} us")
            }
            Self::Clog { links } => write!(f, "{links} hold everything, then burst"),
            Self::Partition { isolate } => write!(f, "{} cut off from the others", Nodes(isolate)),
            Self::OneWay { from, to } => write!(f, "{} not heard by {}", Nodes(from), Nodes(to)),
            Self::Ring { order } => write!(f, "ring {order:?}, each hears a majority"),
            Self::Crash { nodes, unsynced } => write!(f, "kill {}, {unsynced}", Nodes(nodes)),
            Self::CrashRestarting {
                node,
                unsynced,
                restart_at_us,
                crash_at_us,
            } => {
                let (restart, crash) = (show(*restart_at_us), show(*crash_at_us));
                write!(
                    f,
                    "kill node {node}, restart at {restart}, kill again at {crash}, {unsynced}"
                )
            }
            Self::Kill { node } => write!(f, "kill node {node} for good"),
            Self::Wipe { node } => write!(f, "kill node {node} and wipe its disk"),
            Self::Pause { node } => write!(f, "pause node {node}"),
            Self::Clock {
                node,
                offset_us,
                drift_ppm,
            } => {
                write!(f, "node {node} clock {offset_us:+} us {drift_ppm:+} ppm")
            }
            Self::Disk {
                node,
                operation,
                ppm,
            } => write!(f, "node {node} disk fails {ppm} ppm of {operation:?}"),
        }
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all links"),
            Self::From(node) => write!(f, "links from {node}"),
            Self::To(node) => write!(f, "links to {node}"),
            Self::One { from, to } => write!(f, "link {from} to {to}"),
        }
    }
}

impl fmt::Display for Unsynced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Lost => "unsynced writes lost",
            Self::Prefix => "a prefix of unsynced writes kept",
            Self::Subset => "parts of unsynced writes kept",
        })
    }
}

/// Node numbers as a list in words.
struct Nodes<'a>(&'a BTreeSet<usize>);

impl fmt::Display for Nodes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.len() == 1 { "node" } else { "nodes" })?;
        self.0.iter().try_for_each(|node| write!(f, " {node}"))
    }
}
