//! What one producer has here.

use super::{
    super::config::{Amount, Limits, Rate},
    super::ingress::Share,
    Location,
};
use crate::{
    chunk::Chunk,
    reference::{Place, Reference},
};
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Payload};
use std::collections::{BTreeMap, BTreeSet};

/// Where the body of a chunk is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Status {
    /// Not here: the relay is asked for it.
    Missing,
    /// Here, and the application looks at it.
    Checking,
    /// Written, not durable yet.
    Writing(Location),
    /// Durable.
    Stored(Location),
    /// The chunk is invalid for ever.
    Invalid,
}

/// A chunk whose header was locked here, until it expires by executed time.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub bytes: u32,
    pub items: u32,
    pub expiry_ms: u64,
    pub period: u64,
    /// Whether it still counts as held.
    pub held: bool,
    pub status: Status,
}

/// The lowest chunk that was refused its quota. Those above it wait, or one too large would starve behind smaller ones.
#[derive(Clone, Copy, Debug)]
struct Refused {
    height: u64,
    expiry_ms: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Producer {
    pub entries: BTreeMap<Place, Entry>,
    expiries: BTreeSet<(u64, Place)>,
    pub held: Amount,
    pub periods: BTreeMap<u64, Amount>,
    refused: Option<Refused>,
    /// The lane was executed up to here.
    pub executed: u64,
    /// Bodies whose header was not locked yet.
    pub early: BTreeMap<Place, Chunk>,
    /// Bodies in memory: the early ones, and those being checked.
    pub memory: Amount,
    memory_bytes_most: u64,
}

impl Producer {
    /// Whether a chunk that was refused stands below this height. It stands until it is granted, or nobody asks for it
    /// any more: a certificate or the chain went past it, or a finalized block's time past its expiry.
    fn must_wait(&self, height: u64, finalized_ms: u64) -> bool {
        self.refused
            .is_some_and(|it| it.height < height && it.expiry_ms >= finalized_ms)
    }

    /// Whether it has a chunk that was refused.
    pub const fn is_refused(&self) -> bool {
        self.refused.is_some()
    }

    /// Nobody asks for heights up to here any more.
    pub fn pass(&mut self, height: u64) {
        self.refused = self.refused.filter(|it| it.height > height);
    }

    /// Reserves what a chunk takes, if both quotas have room and its turn has come.
    pub fn reserve<P>(
        &mut self,
        limits: &Limits,
        reference: &Reference<P>,
        expiry_ms: u64,
        finalized_ms: u64,
    ) -> bool {
        let height = reference.place.height;
        if self.must_wait(height, finalized_ms) {
            return false;
        }
        if !self.admits(limits, reference.place.slot, reference.bytes) {
            self.refused = Some(Refused { height, expiry_ms });
            return false;
        }
        self.pass(height);
        let entry = Entry {
            bytes: reference.bytes,
            items: reference.items,
            expiry_ms,
            period: period(&limits.rate, reference.place.slot),
            held: false,
            status: Status::Missing,
        };
        self.insert(reference.place, entry, true);
        true
    }

    /// Whether both quotas have room for one more chunk: at the limit is within it.
    pub fn admits(&self, limits: &Limits, slot: u64, bytes: u32) -> bool {
        let within = |held: Amount, max| held.with(bytes).is_some_and(|it| it.fits(max));
        within(self.held, &limits.held)
            && within(self.produced(&limits.rate, slot), &limits.rate.max)
    }

    fn produced(&self, rate: &Rate, slot: u64) -> Amount {
        let produced = self.periods.get(&period(rate, slot));
        produced.copied().unwrap_or_default()
    }

    /// Adds a chunk and what it takes, whatever the limits: it was reserved, or is on the disk already.
    pub fn insert(&mut self, place: Place, mut entry: Entry, held: bool) {
        self.charge(entry.period, entry.bytes);
        if held {
            self.hold(entry.bytes);
        }
        entry.held = held;
        self.expiries.insert((entry.expiry_ms, place));
        let before = self.entries.insert(place, entry);
        assert!(before.is_none(), "a chunk is reserved once");
    }

    /// Counts a chunk in its period.
    pub fn charge(&mut self, period: u64, bytes: u32) {
        let produced = self.periods.entry(period).or_default();
        *produced = produced
            .with(bytes)
            .expect("a lane has fewer than 2^64 bytes");
    }

    /// Takes a chunk out of its period.
    pub fn uncharge(&mut self, period: u64, bytes: u32) {
        let produced = self.periods.get_mut(&period).expect("it was counted");
        *produced = produced.without(bytes);
        if *produced == Amount::default() {
            self.periods.remove(&period);
        }
    }

    /// Counts a chunk as held.
    pub fn hold(&mut self, bytes: u32) {
        self.held = self
            .held
            .with(bytes)
            .expect("a lane has fewer than 2^64 bytes");
    }

    /// Counts a chunk as not held any more.
    pub fn unhold(&mut self, bytes: u32) {
        self.held = self.held.without(bytes);
    }

    /// A chunk is not held any more. Returns whether it was.
    pub fn release(&mut self, place: &Place) -> bool {
        let Some(entry) = self.entries.get_mut(place).filter(|it| it.held) else {
            return false;
        };
        entry.held = false;
        let bytes = entry.bytes;
        self.unhold(bytes);
        true
    }

    /// The lane was executed up to a height: what it has there is not held any more. Returns what was.
    pub fn execute(&mut self, height: u64) -> Vec<Place> {
        self.pass(height);
        self.drop_early(|place| place.height > height);
        if height <= self.executed {
            return Vec::new();
        }
        // Nothing is added at or below the height executed before.
        let above = Place {
            height: self.executed + 1,
            slot: 0,
            digest: Digest::from([0; 32]),
        };
        self.executed = height;
        let passed = self
            .entries
            .range(above..)
            .take_while(|(it, _)| it.height <= height);
        let held: Vec<_> = passed
            .filter(|(_, it)| it.held)
            .map(|(it, _)| *it)
            .collect();
        for place in &held {
            self.release(place);
        }
        held
    }

    /// Removes what expired by executed time. Returns it.
    pub fn expire(&mut self, executed_ms: u64) -> Vec<(Place, Entry)> {
        self.refused = self.refused.filter(|it| it.expiry_ms >= executed_ms);
        let mut expired = Vec::new();
        while let Some((expiry_ms, place)) = self.expiries.first().copied()
            && expiry_ms < executed_ms
        {
            self.expiries.pop_first();
            let entry = self.entries.remove(&place).expect("it has an expiry");
            self.uncharge(entry.period, entry.bytes);
            if entry.held {
                self.unhold(entry.bytes);
            }
            expired.push((place, entry));
        }
        expired
    }

    /// Keeps a body whose header is not locked yet, if it fits.
    pub fn keep_early(&mut self, limits: &Limits, place: Place, chunk: Chunk) {
        if !self.early.contains_key(&place) && self.remember(limits, chunk.payload().bytes) {
            self.early.insert(place, chunk);
        }
    }

    /// One more body is in memory, if it fits. The lowest early ones go for it: what is still not asked for at a low
    /// height is the least likely to be.
    pub fn remember(&mut self, limits: &Limits, bytes: u32) -> bool {
        loop {
            if let Some(memory) = self.memory.with(bytes).filter(|it| it.fits(&limits.memory)) {
                self.memory = memory;
                self.memory_bytes_most = memory.bytes.max(self.memory_bytes_most);
                return true;
            }
            let Some((_, lowest)) = self.early.pop_first() else {
                return false;
            };
            self.forget(lowest.payload().bytes);
        }
    }

    /// What it has here.
    pub const fn share(&self) -> Share {
        Share {
            held: self.held,
            memory: self.memory,
            memory_bytes_most: self.memory_bytes_most,
        }
    }

    /// A body is not in memory any more.
    pub fn forget(&mut self, bytes: u32) {
        self.memory = self.memory.without(bytes);
    }

    /// Drops the early bodies that are not live any more.
    pub fn drop_early(&mut self, is_live: impl Fn(&Place) -> bool) {
        let gone: Vec<_> = self
            .early
            .extract_if(.., |place, _| !is_live(place))
            .collect();
        for (_, chunk) in gone {
            self.forget(chunk.payload().bytes);
        }
    }
}

/// The period of a slot.
pub(super) const fn period(rate: &Rate, slot: u64) -> u64 {
    slot / rate.period_slots.get()
}

impl Entry {
    /// Names it again.
    pub fn reference<P: PublicKey>(&self, sequencer: &P, place: &Place) -> Reference<P> {
        Reference {
            sequencer: sequencer.clone(),
            place: *place,
            bytes: self.bytes,
            items: self.items,
        }
    }

    /// Whether a header says the same of its body.
    pub fn is_of(&self, payload: &Payload) -> bool {
        self.bytes == payload.bytes && self.items == payload.items
    }
}
