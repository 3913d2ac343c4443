//! What each producer holds, added up by hand.

use crate::nouns::Name;
use drystone_actors::{
    Place, Reference,
    chunk_store::{Amount, Rate},
};
use drystone_engine::scheme::fixture::Free;
use std::collections::BTreeMap;

type P = Name<Free>;

/// A chunk that has its quota.
struct Entry {
    bytes: u32,
    expiry_ms: u64,
    held: bool,
}

/// Every chunk that has its quota, until it expires.
#[derive(Default)]
pub struct Account(BTreeMap<(P, Place), Entry>);

fn key(reference: &Reference<P>) -> (P, Place) {
    (reference.sequencer.clone(), reference.place)
}

impl Account {
    pub fn knows(&self, reference: &Reference<P>) -> bool {
        self.0.contains_key(&key(reference))
    }

    pub fn grant(&mut self, reference: &Reference<P>, expiry_ms: u64, held: bool) {
        let entry = Entry {
            bytes: reference.bytes,
            expiry_ms,
            held,
        };
        // Of two records of one chunk the first counts.
        self.0.entry(key(reference)).or_insert(entry);
    }

    /// A block accepted it.
    pub fn release(&mut self, reference: &Reference<P>) {
        if let Some(entry) = self.0.get_mut(&key(reference)) {
            entry.held = false;
        }
    }

    /// A lane was executed up to a height.
    pub fn execute(&mut self, sequencer: &P, height: u64) {
        for ((lane, place), entry) in &mut self.0 {
            entry.held &= lane != sequencer || place.height > height;
        }
    }

    /// Executed time moved on.
    pub fn expire(&mut self, executed_ms: u64) {
        self.0.retain(|_, it| it.expiry_ms >= executed_ms);
    }

    /// What a lane produced and has not expired, by the first slot of each period.
    pub fn produced(&self, sequencer: &P, rate: &Rate) -> BTreeMap<u64, Amount> {
        let mut produced = BTreeMap::<_, Amount>::new();
        for ((_, place), entry) in self.0.iter().filter(|((it, _), _)| it == sequencer) {
            let first = place.slot - place.slot % rate.period_slots;
            let sum = produced.entry(first).or_default();
            *sum = sum.with(entry.bytes).expect("small");
        }
        produced
    }

    pub fn held(&self, sequencer: &P) -> Amount {
        let held = self.0.iter();
        let held = held.filter(|((lane, _), it)| lane == sequencer && it.held);
        held.fold(Amount::default(), |sum, (_, it)| {
            sum.with(it.bytes).expect("small")
        })
    }
}
