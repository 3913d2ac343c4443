//! A plan without one of its nodes.

use crate::{
    Plan, Signature, System,
    plan::{Fault, Links, Timed, Window},
};

/// Where node `index` is once `gone` is left out: later nodes move down by one.
fn moved(index: usize, gone: usize) -> Option<usize> {
    match index.cmp(&gone) {
        std::cmp::Ordering::Less => Some(index),
        std::cmp::Ordering::Equal => None,
        std::cmp::Ordering::Greater => Some(index - 1),
    }
}

/// The plan without node `gone`. Faults and actions that concern it alone go with it.
pub(super) fn without<S: System>(plan: &Plan<S>, gone: usize) -> Plan<S> {
    let mut plan = plan.clone();
    plan.nodes.remove(gone);
    plan.options = S::options_without_node(&plan.options, gone);
    plan.faults = plan
        .faults
        .into_iter()
        .filter_map(|window| {
            Some(Window {
                fault: fault_without(window.fault, gone)?,
                ..window
            })
        })
        .collect();
    plan.actions = plan
        .actions
        .into_iter()
        .filter_map(|timed| {
            Some(Timed {
                action: S::without_node(&timed.action, gone)?,
                ..timed
            })
        })
        .collect();
    plan
}

/// The same signature once node `gone` is left out; `None` if it is the one the failure names.
pub(super) fn signature_without(signature: &Signature, gone: usize) -> Option<Signature> {
    let node = match signature.node {
        None => None,
        Some(node) => Some(moved(node, gone)?),
    };
    Some(Signature {
        node,
        ..signature.clone()
    })
}

/// What is left of a fault: `None` if it would touch nobody.
fn fault_without(fault: Fault, gone: usize) -> Option<Fault> {
    let one = |node: usize| moved(node, gone);
    let links = |links: Links| links_without(links, gone);
    Some(match fault {
        Fault::Latency {
            links: on,
            latency_us,
            jitter_us,
        } => Fault::Latency {
            links: links(on)?,
            latency_us,
            jitter_us,
        },
        Fault::Loss { links: on, ppm } => Fault::Loss {
            links: links(on)?,
            ppm,
        },
        Fault::Duplicate { links: on, ppm } => Fault::Duplicate {
            links: links(on)?,
            ppm,
        },
        Fault::Reorder {
            links: on,
            ppm,
            by_us,
        } => Fault::Reorder {
            links: links(on)?,
            ppm,
            by_us,
        },
        Fault::Clog { links: on } => Fault::Clog { links: links(on)? },
        Fault::Partition { isolate } => Fault::Partition {
            isolate: some(isolate, gone)?,
        },
        Fault::OneWay { from, to } => Fault::OneWay {
            from: some(from, gone)?,
            to: some(to, gone)?,
        },
        Fault::Ring { order } => Fault::Ring {
            order: some(order, gone)?,
        },
        Fault::Crash { nodes, unsynced } => Fault::Crash {
            nodes: some(nodes, gone)?,
            unsynced,
        },
        Fault::CrashRestarting {
            node,
            unsynced,
            restart_at_us,
            crash_at_us,
        } => Fault::CrashRestarting {
            node: one(node)?,
            unsynced,
            restart_at_us,
            crash_at_us,
        },
        Fault::Kill { node } => Fault::Kill { node: one(node)? },
        Fault::Wipe { node } => Fault::Wipe { node: one(node)? },
        Fault::Pause { node } => Fault::Pause { node: one(node)? },
        Fault::Clock {
            node,
            offset_us,
            drift_ppm,
        } => Fault::Clock {
            node: one(node)?,
            offset_us,
            drift_ppm,
        },
        Fault::Disk {
            node,
            operation,
            ppm,
        } => Fault::Disk {
            node: one(node)?,
            operation,
            ppm,
        },
    })
}

fn links_without(links: Links, gone: usize) -> Option<Links> {
    Some(match links {
        Links::All => Links::All,
        Links::From(node) => Links::From(moved(node, gone)?),
        Links::To(node) => Links::To(moved(node, gone)?),
        Links::One { from, to } => Links::One {
            from: moved(from, gone)?,
            to: moved(to, gone)?,
        },
    })
}

/// The others of several nodes, if there are any.
fn some<C>(nodes: C, gone: usize) -> Option<C>
where
    C: IntoIterator<Item = usize> + FromIterator<usize>,
{
    let mut left = nodes
        .into_iter()
        .filter_map(|node| moved(node, gone))
        .peekable();
    left.peek()?;
    Some(left.collect())
}
