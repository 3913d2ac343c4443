//! What a disk keeps of a journal, across restarts.

use drystone_engine::{Key, Record, journal::Record as _, types::Types};
use std::{collections::BTreeMap, ops::RangeInclusive};

/// A journal: every record ever appended, of which a prefix is durable.
pub struct Journal<T: Types> {
    records: Vec<Record<T>>,
    /// Records durable.
    durable: usize,
    /// Records that were there when the present life began: its positions count from here.
    base: usize,
    /// Ranges forgotten, with the number of records there were then.
    forgotten: Vec<(usize, RangeInclusive<Key<T::PublicKey>>)>,
}

impl<T: Types> Journal<T> {
    /// A journal that holds these, durably.
    pub const fn new(records: Vec<Record<T>>) -> Self {
        let durable = records.len();
        Self {
            records,
            durable,
            base: durable,
            forgotten: Vec::new(),
        }
    }

    /// Takes a record in.
    pub fn append(&mut self, record: Record<T>) {
        self.records.push(record);
    }

    /// Takes in a durable record of another client, which the positions of this one do not count: it comes to lie
    /// where the present life began.
    pub fn insert(&mut self, record: Record<T>) {
        self.records.insert(self.base, record);
        let base = self.base;
        let moved = self.forgotten.iter_mut().filter(|(at, _)| *at > base);
        moved.for_each(|(at, _)| *at += 1);
        self.base += 1;
        self.durable += 1;
    }

    /// These keys are needed no more.
    pub fn forget(&mut self, keys: RangeInclusive<Key<T::PublicKey>>) {
        self.forgotten.push((self.records.len(), keys));
    }

    /// How many records wait for a sync.
    pub const fn unsynced(&self) -> usize {
        self.records.len() - self.durable
    }

    /// Makes some more durable. Returns the position up to which all is, as this life counts.
    pub fn sync(&mut self, more: usize) -> u64 {
        self.durable = self.records.len().min(self.durable + more);
        (self.durable - self.base) as u64
    }

    /// What is durable, oldest first.
    pub fn durable(&self) -> &[Record<T>] {
        &self.records[..self.durable]
    }

    /// A crash that keeps some of what was not synced, and what the next life reads: the newest record of each key. If
    /// the log rolled, what was forgotten is gone.
    pub fn restart(&mut self, kept: usize, rolled: bool) -> Vec<Record<T>> {
        self.records.truncate(self.durable + kept);
        self.durable = self.records.len();
        self.base = self.durable;
        self.forgotten.retain(|(at, _)| *at <= self.durable);
        let mut newest = BTreeMap::new();
        for (index, record) in self.records.iter().enumerate() {
            let key = record.key();
            let gone = |(at, keys): &(usize, RangeInclusive<_>)| index < *at && keys.contains(&key);
            if !rolled || !self.forgotten.iter().any(gone) {
                newest.insert(key, index);
            }
        }
        let mut indices: Vec<_> = newest.into_values().collect();
        indices.sort_unstable();
        indices
            .into_iter()
            .map(|index| self.records[index].clone())
            .collect()
    }
}
