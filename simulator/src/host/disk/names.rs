//! The directory: which names lead to which blobs, and which of them are open.
//!
//! Creation and removal are durable at once, as the storage contract has it.

use super::{
    image::Image,
    state::{Entry, Fault, Key, State},
};
use crate::host::draw::Stream;
use commonware_runtime::BlobVersion;
use std::{mem::take, ops::RangeInclusive, time::SystemTime};

impl State {
    /// Admits an open: the error drawn for it, or when the device is ready to answer. A creation costs what a sync
    /// costs, for it is one of the directory.
    pub(super) fn start_open(
        &mut self,
        now: SystemTime,
        incarnation: u64,
        partition: &str,
        name: &[u8],
    ) -> Result<Option<SystemTime>, Fault> {
        let cost_us = match self.find(partition, name) {
            Ok(_) => self.device.config.read_us,
            Err(_) => self.device.config.sync_us,
        };
        self.admit(now, incarnation, cost_us)
    }

    pub(super) fn start_scan(
        &mut self,
        now: SystemTime,
        incarnation: u64,
    ) -> Result<Option<SystemTime>, Fault> {
        self.admit(now, incarnation, self.device.config.read_us)
    }

    pub(super) fn start_remove(
        &mut self,
        now: SystemTime,
        incarnation: u64,
    ) -> Result<Option<SystemTime>, Fault> {
        self.admit(now, incarnation, self.device.config.sync_us)
    }

    fn admit(
        &mut self,
        now: SystemTime,
        incarnation: u64,
        cost_us: u64,
    ) -> Result<Option<SystemTime>, Fault> {
        self.alive(incarnation)?;
        match self.device.strike(now, Stream::Open) {
            Some(_) => Err(Fault::Device),
            None => Ok(self.device.queue(now, cost_us)),
        }
    }

    /// Opens or creates a blob whose admission has come due. What it reads from here on is durable: the syncs of an
    /// earlier handle are over, and what that handle never synced is gone.
    pub(super) fn open(
        &mut self,
        incarnation: u64,
        partition: &str,
        name: &[u8],
        versions: &RangeInclusive<BlobVersion>,
    ) -> Result<(Key, u64, BlobVersion), Fault> {
        self.alive(incarnation)?;
        let blob = match self.find(partition, name) {
            Ok(blob) => blob,
            Err(_) => self.create(partition, name, *versions.end()),
        };
        let entry = self.blobs.get_mut(&blob).expect("a name leads to a blob");
        if !versions.contains(&entry.version) {
            return Err(Fault::Version(entry.version));
        }
        if entry.open {
            return Err(Fault::AlreadyOpen);
        }
        // A sync of the handle before may still be on its way, and its handle may yet hear that it succeeded.
        let in_flight = self.flights.iter().rfind(|flight| flight.blob == blob);
        if let Some(flight) = in_flight {
            return Err(Fault::InFlight(flight.due));
        }
        entry.image.forget_through(u64::MAX);
        entry.open = true;
        Ok((
            Key { incarnation, blob },
            entry.image.len() as u64,
            entry.version,
        ))
    }

    fn create(&mut self, partition: &str, name: &[u8], version: BlobVersion) -> u64 {
        let blob = self.next_blob;
        self.next_blob += 1;
        let entry = Entry {
            image: Image::default(),
            version,
            open: false,
            linked: true,
            partition: partition.into(),
        };
        self.blobs.insert(blob, entry);
        self.partitions
            .entry(partition.into())
            .or_default()
            .insert(name.into(), blob);
        blob
    }

    /// Ends an open.
    pub(super) fn close(&mut self, key: Key) {
        if key.incarnation != self.incarnation() {
            return;
        }
        let entry = self.blobs.get_mut(&key.blob).expect("an open blob exists");
        entry.open = false;
        if !entry.linked {
            self.blobs.remove(&key.blob);
        }
    }

    pub(super) fn scan(&self, incarnation: u64, partition: &str) -> Result<Vec<Vec<u8>>, Fault> {
        self.alive(incarnation)?;
        let names = self.partitions.get(partition).ok_or(Fault::NoPartition)?;
        Ok(names.keys().cloned().collect())
    }

    /// Removes a blob, or a partition with all that is in it. Open handles keep their bytes.
    pub(super) fn remove(
        &mut self,
        incarnation: u64,
        partition: &str,
        name: Option<&[u8]>,
    ) -> Result<(), Fault> {
        self.alive(incarnation)?;
        let names = self
            .partitions
            .get_mut(partition)
            .ok_or(Fault::NoPartition)?;
        match name {
            Some(name) => {
                let blob = names.remove(name).ok_or(Fault::NoBlob)?;
                self.unlink(blob);
            }
            None => {
                let names = take(names);
                self.partitions.remove(partition);
                names.into_values().for_each(|blob| self.unlink(blob));
            }
        }
        Ok(())
    }

    fn unlink(&mut self, blob: u64) {
        let entry = self.blobs.get_mut(&blob).expect("a name leads to a blob");
        entry.linked = false;
        if !entry.open {
            self.blobs.remove(&blob);
        }
    }

    fn find(&self, partition: &str, name: &[u8]) -> Result<u64, Fault> {
        let names = self.partitions.get(partition).ok_or(Fault::NoPartition)?;
        names.get(name).copied().ok_or(Fault::NoBlob)
    }
}
