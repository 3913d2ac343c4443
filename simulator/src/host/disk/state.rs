//! The disk as a state machine: blobs, syncs in flight, crashes. Pure: time is an argument and nothing waits.

use super::{device::Device, image::Image};
use crate::host::{
    config::{Crash, Tear},
    draw::{Draws, Stream},
};
use commonware_runtime::{BlobVersion, IoBuf};
use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    mem::take,
    sync::Arc,
    time::SystemTime,
};

/// Why an operation did not succeed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fault {
    /// The incarnation that asked is dead.
    Dead,
    /// Drawn: the device failed.
    Device,
    /// The blobs may not grow any further.
    Full,
    /// A read past the end.
    Short,
    /// An offset that no blob can have.
    Overflow,
    /// A sync of an earlier handle is over at this time: try again then.
    InFlight(SystemTime),
    /// Another handle is open.
    AlreadyOpen,
    /// The blob has another version.
    Version(BlobVersion),
    /// No such partition.
    NoPartition,
    /// No such blob.
    NoBlob,
}

/// An open of one blob by one incarnation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub(super) incarnation: u64,
    pub(super) blob: u64,
}

/// When an operation is over and how it ends. `due` is None if it is over already.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Receipt {
    pub(super) due: Option<SystemTime>,
    pub(super) result: Result<(), Fault>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) image: Image,
    pub(super) version: BlobVersion,
    pub(super) open: bool,
    /// False once removed: the bytes then live as long as the handle.
    pub(super) linked: bool,
    pub(super) partition: Arc<str>,
}

/// A sync on its way to the device.
#[derive(Debug)]
pub(super) struct Flight {
    pub(super) due: SystemTime,
    pub(super) blob: u64,
    cover: Cover,
    outcome: Outcome,
}

/// What a sync covers: change numbers.
#[derive(Clone, Copy, Debug)]
enum Cover {
    Through(u64),
    One(u64),
}

#[derive(Clone, Copy, Debug)]
enum Outcome {
    Persisted,
    Lost,
    Torn(Draws),
}

/// One machine's disk.
#[derive(Debug)]
pub(super) struct State {
    pub(super) device: Device,
    incarnation: u64,
    pub(super) partitions: BTreeMap<String, BTreeMap<Vec<u8>, u64>>,
    pub(super) blobs: BTreeMap<u64, Entry>,
    /// In the order of `due`: the device serves one operation after the other.
    pub(super) flights: VecDeque<Flight>,
    pub(super) next_blob: u64,
    next_change: u64,
    /// Syncs issued, by partition.
    syncs: BTreeMap<Arc<str>, u64>,
}

impl State {
    pub(super) fn new(device: Device) -> Self {
        Self {
            device,
            incarnation: 0,
            partitions: BTreeMap::new(),
            blobs: BTreeMap::new(),
            flights: VecDeque::new(),
            next_blob: 0,
            next_change: 0,
            syncs: BTreeMap::new(),
        }
    }

    pub(super) fn device(&mut self) -> &mut Device {
        &mut self.device
    }

    pub(super) fn syncs(&self) -> BTreeMap<Arc<str>, u64> {
        self.syncs.clone()
    }

    pub(super) fn incarnation(&self) -> u64 {
        self.incarnation
    }

    /// Carries out every sync that the device has finished by `now`.
    pub(super) fn settle(&mut self, now: SystemTime) {
        while self.flights.front().is_some_and(|flight| flight.due <= now) {
            let flight = self.flights.pop_front().expect("there is a front");
            self.land(flight);
        }
    }

    /// Admits a read: the error drawn for it, or when the device has the bytes.
    pub(super) fn start_read(
        &mut self,
        now: SystemTime,
        key: Key,
    ) -> Result<Option<SystemTime>, Fault> {
        self.alive(key.incarnation)?;
        match self.device.strike(now, Stream::Read) {
            Some(_) => Err(Fault::Device),
            None => Ok(self.device.access(now, self.device.config.read_us)),
        }
    }

    /// The bytes of a read that has come due.
    pub(super) fn read(
        &mut self,
        key: Key,
        offset: u64,
        len: usize,
    ) -> Result<Cow<'_, [u8]>, Fault> {
        self.alive(key.incarnation)?;
        let offset = usize::try_from(offset).map_err(|_| Fault::Overflow)?;
        let end = offset.checked_add(len).ok_or(Fault::Overflow)?;
        self.device.counters.bytes_read += len as u64;
        let image = &self
            .blobs
            .get(&key.blob)
            .expect("an open blob exists")
            .image;
        if end > image.len() {
            return Err(Fault::Short);
        }
        Ok(image.read(offset..end))
    }

    pub(super) fn write(
        &mut self,
        now: SystemTime,
        key: Key,
        offset: u64,
        bytes: IoBuf,
        durably: bool,
    ) -> Result<Receipt, Fault> {
        self.alive(key.incarnation)?;
        let offset = usize::try_from(offset).map_err(|_| Fault::Overflow)?;
        let end = offset.checked_add(bytes.len()).ok_or(Fault::Overflow)?;
        self.device.counters.bytes_written += bytes.len() as u64;
        self.room(key, end)?;
        if let Some(mut draws) = self.device.strike(now, Stream::Write) {
            let applied = draws.below(bytes.len() as u64 + 1) as usize;
            if applied > 0 {
                let number = self.number();
                self.image(key)
                    .write(number, offset, bytes.slice(..applied));
            }
            return Err(Fault::Device);
        }
        if !bytes.is_empty() {
            let number = self.number();
            self.image(key).write(number, offset, bytes);
            if durably {
                return Ok(self.flush(now, key, Cover::One(number)));
            }
        }
        Ok(self.accepted(now))
    }

    pub(super) fn resize(&mut self, now: SystemTime, key: Key, len: u64) -> Result<Receipt, Fault> {
        self.alive(key.incarnation)?;
        let len = usize::try_from(len).map_err(|_| Fault::Overflow)?;
        self.room(key, len)?;
        if self.device.strike(now, Stream::Write).is_some() {
            return Err(Fault::Device);
        }
        let number = self.number();
        self.image(key).resize(number, len);
        Ok(self.accepted(now))
    }

    fn accepted(&mut self, now: SystemTime) -> Receipt {
        let due = self.device.access(now, self.device.config.write_us);
        Receipt {
            due,
            result: Ok(()),
        }
    }

    /// Starts to make every change of the blob that was issued before now durable.
    pub(super) fn sync(&mut self, now: SystemTime, key: Key) -> Result<Receipt, Fault> {
        self.alive(key.incarnation)?;
        let last = self.next_change;
        Ok(self.flush(now, key, Cover::Through(last)))
    }

    /// What a loss of power does to a disk settled up to now. Turns every handle of the incarnation away.
    pub(super) fn crash(&mut self, now: SystemTime, crash: Crash) {
        let mut draws = self.device.draws(Stream::Crash, self.incarnation);
        for flight in take(&mut self.flights) {
            if draws.coin() {
                self.land(flight);
            }
        }
        self.blobs.retain(|_, entry| entry.linked);
        match crash {
            Crash::Lost => (),
            Crash::Torn { mode: Tear::Prefix } => self.keep_prefix(&mut draws),
            Crash::Torn { mode: Tear::Subset } => {
                for entry in self.blobs.values_mut() {
                    entry.image.tear_through(u64::MAX, &mut draws);
                }
            }
        }
        for entry in self.blobs.values_mut() {
            entry.image.forget_through(u64::MAX);
            entry.open = false;
        }
        self.device.power_on(now);
        self.incarnation += 1;
    }

    fn keep_prefix(&mut self, draws: &mut Draws) {
        let mut changes: Vec<(u64, u64)> = (self.blobs.iter())
            .flat_map(|(blob, entry)| entry.image.pending().map(|number| (number, *blob)))
            .collect();
        changes.sort_unstable();
        changes.dedup();
        let kept = draws.below(changes.len() as u64 + 1) as usize;
        if let Some((last, _)) = kept.checked_sub(1).map(|index| changes[index]) {
            for entry in self.blobs.values_mut() {
                entry.image.persist_through(last);
            }
        }
        if let Some((number, blob)) = changes.get(kept) {
            let entry = self
                .blobs
                .get_mut(blob)
                .expect("a pending change has a blob");
            entry.image.cut_one(*number, draws);
        }
    }

    /// Empties the disk. The machine is down, so nothing is open and nothing in flight.
    pub(super) fn wipe(&mut self) {
        self.partitions.clear();
        self.blobs.clear();
    }

    /// Queues a sync and draws how it will end.
    fn flush(&mut self, now: SystemTime, key: Key, cover: Cover) -> Receipt {
        let entry = self.blobs.get(&key.blob).expect("an open blob exists");
        *self.syncs.entry(entry.partition.clone()).or_insert(0) += 1;
        let strike = self.device.strike(now, Stream::Sync);
        let (outcome, result) = match strike {
            None => (Outcome::Persisted, Ok(())),
            Some(mut draws) => {
                let outcome = match draws.below(3) {
                    0 => Outcome::Persisted,
                    1 => Outcome::Lost,
                    _ => Outcome::Torn(draws),
                };
                (outcome, Err(Fault::Device))
            }
        };
        let cost_us = match cover {
            Cover::Through(_) => self.device.config.sync_us,
            Cover::One(_) => self.device.config.write_us + self.device.config.sync_us,
        };
        let due = self.device.queue(now, cost_us);
        let flight = Flight {
            due: due.unwrap_or(now),
            blob: key.blob,
            cover,
            outcome,
        };
        match due {
            Some(_) => self.flights.push_back(flight),
            None => self.land(flight),
        }
        Receipt { due, result }
    }

    /// The sync reaches the device. A blob that was removed and closed meanwhile has nothing left to sync.
    fn land(&mut self, flight: Flight) {
        let Some(entry) = self.blobs.get_mut(&flight.blob) else {
            return;
        };
        match (flight.cover, flight.outcome) {
            (Cover::Through(number), Outcome::Persisted) => entry.image.persist_through(number),
            (Cover::Through(number), Outcome::Lost) => entry.image.forget_through(number),
            (Cover::Through(number), Outcome::Torn(mut draws)) => {
                entry.image.tear_through(number, &mut draws);
            }
            (Cover::One(number), Outcome::Persisted) => entry.image.persist_one(number),
            (Cover::One(number), Outcome::Lost) => entry.image.forget_one(number),
            (Cover::One(number), Outcome::Torn(mut draws)) => {
                entry.image.tear_one(number, &mut draws);
            }
        }
    }

    /// Refuses growth beyond the capacity. A full disk is no draw, and counts as an error all the same.
    fn room(&mut self, key: Key, end: usize) -> Result<(), Fault> {
        let Some(capacity) = self.device.config.faults.capacity_bytes else {
            return Ok(());
        };
        let growth = end.saturating_sub(self.image(key).len()) as u64;
        let used: u64 = self
            .blobs
            .values()
            .map(|entry| entry.image.len() as u64)
            .sum();
        if growth > 0 && used + growth > capacity {
            self.device.counters.errors += 1;
            return Err(Fault::Full);
        }
        Ok(())
    }

    pub(super) fn alive(&self, incarnation: u64) -> Result<(), Fault> {
        if incarnation == self.incarnation {
            Ok(())
        } else {
            Err(Fault::Dead)
        }
    }

    fn image(&mut self, key: Key) -> &mut Image {
        &mut self
            .blobs
            .get_mut(&key.blob)
            .expect("an open blob exists")
            .image
    }

    fn number(&mut self) -> u64 {
        self.next_change += 1;
        self.next_change
    }
}
