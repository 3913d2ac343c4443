//! The double of the clients: each brings its payment to some nodes, and comes back to those that were busy or down.

use super::{
    observation::Answer,
    options::{Action, Kind, Operation, Options},
    payment::Payment,
    system::Chunks,
};
use crate::{Plan, lanes::Short, time::millis};
use bytes::Bytes;
use drystone_engine::types::Digest;
use std::collections::{BTreeMap, BTreeSet};

/// How long a client waits before it comes back.
const RETRY_US: u64 = millis(400);
/// How often it comes, at most.
const TRIES: u32 = 40;

/// A visit to one node.
struct Visit {
    bytes: Bytes,
    tries: u32,
}

/// The clients of a run.
#[derive(Default)]
pub struct Clients {
    visits: BTreeMap<(usize, Short), Visit>,
    /// When to come back: when, to whom, with what.
    schedule: BTreeSet<(u64, usize, Short)>,
}

/// What an operation that begins at a time brings.
pub fn payment(options: &Options, start_ms: u64, at_us: u64, operation: &Operation) -> Payment {
    Payment {
        account: operation.account,
        number: operation.number,
        expiry_ms: start_ms + at_us / 1_000 + operation.lifetime_ms,
        affordable: operation.kind != Kind::Unaffordable,
        bytes: match operation.kind {
            Kind::Oversized => options.payment_bytes_max + 1,
            _ => operation.bytes,
        },
    }
}

/// The bytes of it.
fn bytes(payment: &Payment, kind: Kind) -> Bytes {
    let bytes = payment.encode();
    if kind == Kind::Garbage {
        let mut garbage = bytes.to_vec();
        garbage[0] ^= 1;
        return garbage.into();
    }
    bytes
}

/// Every payment that a plan's clients bring.
pub fn payments(plan: &Plan<Chunks>, start_ms: u64) -> BTreeMap<Digest, Payment> {
    let brought = plan.actions.iter().filter_map(|timed| {
        let Action::Submit(operation) = &timed.action else {
            return None;
        };
        let payment = payment(&plan.options, start_ms, timed.at_us, operation);
        let bytes = bytes(&payment, operation.kind);
        Some((Payment::id(&bytes), payment))
    });
    brought.collect()
}

impl Clients {
    /// A client comes: whom it asks, and for what.
    pub fn come(&mut self, payment: &Payment, operation: &Operation) -> Vec<(usize, Bytes)> {
        let bytes = bytes(payment, operation.kind);
        let id = Short::of(&Payment::id(&bytes));
        let visits = operation.to.iter().map(|node| {
            let visit = Visit {
                bytes: bytes.clone(),
                tries: 1,
            };
            self.visits.insert((*node, id), visit);
            (*node, bytes.clone())
        });
        visits.collect()
    }

    /// A node answered, or is down.
    pub fn answered(&mut self, now_us: u64, node: usize, id: Short, answer: Answer) {
        let Some(visit) = self.visits.get(&(node, id)) else {
            return;
        };
        let again = matches!(answer, Answer::Busy | Answer::Down) && visit.tries < TRIES;
        if again {
            self.schedule.insert((now_us + RETRY_US, node, id));
        } else {
            self.visits.remove(&(node, id));
        }
    }

    /// A node died: who waited for its answer comes again.
    pub fn died(&mut self, node: usize) {
        let waiting = self.visits.keys().filter(|it| it.0 == node);
        for id in waiting.map(|it| it.1).collect::<Vec<_>>() {
            self.answered(0, node, id, Answer::Down);
        }
    }

    /// Who comes back by now.
    pub fn due(&mut self, now_us: u64) -> Vec<(usize, Short, Bytes)> {
        let mut due = Vec::new();
        while self.schedule.first().is_some_and(|it| it.0 <= now_us) {
            let (_, node, id) = self.schedule.pop_first().expect("just seen");
            if let Some(visit) = self.visits.get_mut(&(node, id)) {
                visit.tries += 1;
                due.push((node, id, visit.bytes.clone()));
            }
        }
        due
    }

    pub fn next_us(&self) -> Option<u64> {
        self.schedule.first().map(|it| it.0)
    }
}
