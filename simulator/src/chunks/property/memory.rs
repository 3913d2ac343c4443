//! No node has more in memory than its configuration allows, in all and of each producer.

use crate::{
    Plan, Property, Stamped, Violation,
    chunks::{
        configs::recent_bytes_max,
        observation::{Seen, Share},
        system::Chunks,
    },
    property::Verdict,
};
use std::collections::BTreeSet;

/// What an honest node says that it has in memory stays within its configuration: payments, and bodies of all producers and of
/// each. What a node says of its own lane's held chunks is left out: what it has signed counts whatever the limits.
pub struct WithinMemory {
    healthy: BTreeSet<usize>,
    items_max: u64,
    bytes_max: u64,
    memory_max: u64,
    /// Of one producer: bodies in memory, their bytes, chunks held, their bytes.
    bodies_max: u64,
    share_max: u64,
    held_max: u64,
    held_bytes_max: u64,
}

impl WithinMemory {
    pub fn new(plan: &Plan<Chunks>) -> Self {
        let options = &plan.options;
        let window = 2 * options.lanes.in_flight_max;
        let lanes = options.lanes.sequencers.len() as u64;
        let body = u64::from(options.chunk_bytes_max);
        let held_max = 2 * options.lanes.ahead_max;
        Self {
            healthy: plan.healthy(),
            items_max: options.pool_items_max as u64,
            bytes_max: options.pool_items_max as u64 * u64::from(options.payment_bytes_max),
            memory_max: lanes * (window * body + recent_bytes_max(options.chunk_bytes_max)),
            bodies_max: window,
            share_max: window * body,
            held_max,
            held_bytes_max: held_max * body,
        }
    }

    /// What is wrong with what a node has of one producer.
    fn of_producer(&self, node: usize, it: &Share) -> Option<String> {
        let memory = it.bodies <= self.bodies_max && it.memory_most <= self.share_max;
        let held = it.chunks <= self.held_max && it.bytes <= self.held_bytes_max;
        if memory && (held || it.lane == node) {
            return None;
        }
        Some(format!(
            "of lane {}: {} bodies, at most {} bytes of them, in memory, {} chunks of {} bytes held: {}, {}, {} and {} are allowed",
            it.lane,
            it.bodies,
            it.memory_most,
            it.chunks,
            it.bytes,
            self.bodies_max,
            self.share_max,
            self.held_max,
            self.held_bytes_max
        ))
    }
}

impl Property<Seen> for WithinMemory {
    fn name(&self) -> &'static str {
        "within memory"
    }

    fn sentence(&self) -> &'static str {
        "the payments and bodies in the memory of an honest node, in all and of each producer, stay within its configuration"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        let (
            Seen::Used {
                items,
                bytes,
                memory,
                shares,
            },
            Some(node),
        ) = (&seen.what, seen.node)
        else {
            return Ok(0);
        };
        if !self.healthy.contains(&node) {
            return Ok(0);
        }
        if *items > self.items_max || *bytes > self.bytes_max || *memory > self.memory_max {
            let message = format!(
                "{items} payments of {bytes} bytes and {memory} bytes of bodies: {}, {} and {} are allowed",
                self.items_max, self.bytes_max, self.memory_max
            );
            return Err(Violation::by(seen, message));
        }
        match shares.iter().find_map(|it| self.of_producer(node, it)) {
            Some(message) => Err(Violation::by(seen, message)),
            None => Ok(1 + shares.len() as u64),
        }
    }
}
