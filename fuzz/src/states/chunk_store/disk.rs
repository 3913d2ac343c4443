//! What the two archives of a chunk store keep, across restarts.

use crate::nouns::Name;
use drystone_actors::{
    Reference,
    chunk_store::{Location, Record, Resident},
};
use drystone_engine::{scheme::fixture::Free, types::Digest};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

type P = Name<Free>;

/// One write.
enum Write {
    Waits(Location, Record<P>),
    Accepted(u64, Reference<P>),
}

/// Both archives: what is durable, and what was written since.
#[derive(Default)]
pub struct Disk {
    waiting: BTreeMap<Location, Record<P>>,
    accepted: BTreeMap<u64, BTreeSet<Reference<P>>>,
    /// In the order written, by number.
    unsynced: VecDeque<(u64, Write)>,
    written: u64,
    /// Buckets below this are gone.
    pruned: u64,
}

impl Disk {
    fn push(&mut self, write: Write) {
        self.written += 1;
        self.unsynced.push_back((self.written, write));
    }

    /// Writes a body that waits for a block.
    pub fn write(&mut self, location: Location, record: Record<P>) {
        assert!(self.at(&location).is_none(), "written twice");
        assert!(location.bucket >= self.pruned, "written where all is gone");
        self.push(Write::Waits(location, record));
    }

    /// Writes a body that a block accepted.
    pub fn accept(&mut self, height: u64, reference: Reference<P>) {
        self.push(Write::Accepted(height, reference));
    }

    /// How much a sync that starts now covers.
    pub const fn written(&self) -> u64 {
        self.written
    }

    /// Makes durable what a sync covers.
    pub fn sync(&mut self, written: u64) {
        while let Some((_, write)) = self.unsynced.pop_front_if(|(it, _)| *it <= written) {
            match write {
                Write::Waits(location, record) => _ = self.waiting.insert(location, record),
                Write::Accepted(height, reference) => {
                    self.accepted.entry(height).or_default().insert(reference);
                }
            }
        }
    }

    /// How many writes are not durable.
    pub fn unsynced(&self) -> usize {
        self.unsynced.len()
    }

    /// A crash that keeps some of what was not synced.
    pub fn crash(&mut self, kept: usize) {
        self.unsynced.truncate(kept);
        self.sync(self.written);
    }

    /// What lies at a location, durable or not.
    pub fn at(&self, location: &Location) -> Option<&Record<P>> {
        let unsynced = self.unsynced.iter().find_map(|(_, write)| match write {
            Write::Waits(at, record) if at == location => Some(record),
            _ => None,
        });
        unsynced.or_else(|| self.waiting.get(location))
    }

    /// Whether a body is durable, waiting for a block.
    pub fn holds(&self, digest: &Digest) -> bool {
        let mut records = self.waiting.values();
        records.any(|it| it.digest() == *digest && !matches!(it, Record::Sealed { .. }))
    }

    /// Whether a block's acceptance of a body is durable.
    pub fn has_accepted(&self, digest: &Digest) -> bool {
        let mut accepted = self.accepted.values().flatten();
        accepted.any(|it| it.place.digest == *digest)
    }

    /// What waits, durably.
    pub fn records(&self) -> impl Iterator<Item = (&Location, &Record<P>)> {
        self.waiting.iter()
    }

    /// What a restart reads.
    pub fn residents(&self) -> Vec<Resident<P>> {
        let records = self.waiting.iter();
        let resident = records.map(|(location, record)| {
            let accepted = self.has_accepted(&record.digest());
            Resident::new(*location, accepted, record.clone())
        });
        resident.collect()
    }

    /// Removes what waits below a bucket, and returns it.
    pub fn prune(&mut self, bucket: u64) -> Vec<Record<P>> {
        self.pruned = bucket;
        let mut gone: Vec<_> = self
            .waiting
            .extract_if(.., |it, _| it.bucket < bucket)
            .map(|(_, record)| record)
            .collect();
        self.unsynced.retain(|(_, write)| match write {
            Write::Waits(at, record) if at.bucket < bucket => {
                gone.push(record.clone());
                false
            }
            _ => true,
        });
        gone
    }

    /// Removes what blocks below a height accepted, and returns it.
    pub fn retire(&mut self, height: u64) -> Vec<Reference<P>> {
        let left = self.accepted.split_off(&height);
        let gone = std::mem::replace(&mut self.accepted, left);
        gone.into_values().flatten().collect()
    }
}
