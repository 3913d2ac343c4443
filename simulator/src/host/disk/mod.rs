//! A machine's disk: our own, in memory, so that the cost of a sync is what it syncs.
//!
//! ```text
//!   Blob -- read, write, sync --> State: names -> blobs         each blob: durable bytes, then the changes
//!    ^                              |                            issued since, in order (image.rs)
//!    |       when it is over        v
//!    +------ sleep_until(due) <-- one queue: the device serves one operation after the other
//! ```
//!
//! Nothing runs in the background: a sync that is due is carried out by whatever touches the disk next, and a
//! handle sleeps until its own is due. So a sync goes on when its handle is dropped, and a crash finds in flight
//! exactly what was not due.
//!
//! **Invariants.** 1. What a completed sync covered survives every crash. 2. A sync makes durable what was issued
//! before it and nothing issued after. 3. Of the rest a crash keeps only what it drew to keep. 4. A handle of a dead
//! incarnation gets an error and changes nothing. 5. No draw is made while its rate is zero. 6. Without latency no
//! operation suspends.

mod blob;
mod device;
mod failures;
mod image;
mod names;
mod pages;
mod state;

#[cfg(test)]
mod tests;

pub use blob::Blob;

use super::{
    config::{Counters, Crash, DiskConfig, DiskFaults},
    crew::Crew,
};
use crate::panics::Caught;
use commonware_runtime::{BlobVersion, Clock, Error};
use commonware_utils::sync::{Mutex, MutexGuard};
use device::Device;
use failures::Failures;
use state::{Fault, State};
use std::{collections::BTreeMap, io, ops::RangeInclusive, sync::Arc, time::SystemTime};

/// The state behind a lock, and the time by which it is settled.
pub(super) struct Disk {
    clock: Crew,
    state: Mutex<State>,
    failures: Mutex<Failures>,
}

impl Disk {
    pub(super) fn new(clock: Crew, node: u64, config: DiskConfig) -> Self {
        let state = State::new(Device::new(clock.current(), node, config));
        Self {
            clock,
            state: Mutex::new(state),
            failures: Mutex::default(),
        }
    }

    pub(super) fn counters(&self) -> Counters {
        self.state.lock().device().counters
    }

    pub(super) fn syncs(&self) -> BTreeMap<Arc<str>, u64> {
        self.state.lock().syncs()
    }

    pub(super) fn incarnation(&self) -> u64 {
        self.state.lock().incarnation()
    }

    pub(super) fn set(&self, faults: DiskFaults) {
        let (mut state, now) = self.enter();
        state.device().set(now, faults);
    }

    pub(super) fn crash(&self, crash: Crash) {
        let (mut state, now) = self.enter();
        state.crash(now, crash);
        self.failures.lock().forget();
    }

    pub(super) fn wipe(&self) {
        self.state.lock().wipe();
    }

    pub(super) async fn open(
        self: &Arc<Self>,
        incarnation: u64,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Blob, u64, BlobVersion), Error> {
        validate(partition)?;
        let error = |fault| self.tell(name_error(fault, partition, Some(name), &versions));
        let due = {
            let (mut state, now) = self.enter();
            state
                .start_open(now, incarnation, partition, name)
                .map_err(error)?
        };
        self.wait(due).await;
        let opened = loop {
            let opened = self.enter().0.open(incarnation, partition, name, &versions);
            match opened {
                Err(Fault::InFlight(due)) => self.wait(Some(due)).await,
                opened => break opened,
            }
        };
        let (key, len, version) = opened.map_err(error)?;
        Ok((Blob::new(self.clone(), key, partition, name), len, version))
    }

    pub(super) async fn scan(
        &self,
        incarnation: u64,
        partition: &str,
    ) -> Result<Vec<Vec<u8>>, Error> {
        validate(partition)?;
        let error = |fault| self.tell(name_error(fault, partition, None, &ANY_VERSION));
        let due = {
            let (mut state, now) = self.enter();
            state.start_scan(now, incarnation).map_err(error)?
        };
        self.wait(due).await;
        self.enter().0.scan(incarnation, partition).map_err(error)
    }

    pub(super) async fn remove(
        &self,
        incarnation: u64,
        partition: &str,
        name: Option<&[u8]>,
    ) -> Result<(), Error> {
        validate(partition)?;
        let error = |fault| self.tell(name_error(fault, partition, name, &ANY_VERSION));
        let due = {
            let (mut state, now) = self.enter();
            state.start_remove(now, incarnation).map_err(error)?
        };
        self.wait(due).await;
        self.enter()
            .0
            .remove(incarnation, partition, name)
            .map_err(error)
    }

    /// The state with every sync carried out that is due by now, and now.
    fn enter(&self) -> (MutexGuard<'_, State>, SystemTime) {
        let now = self.clock.current();
        let mut state = self.state.lock();
        state.settle(now);
        (state, now)
    }

    /// Waits for the device. Costs no task turn if there is nothing to wait for.
    async fn wait(&self, due: Option<SystemTime>) {
        if let Some(due) = due {
            self.clock.sleep_until(due).await;
        }
    }

    /// Waits for the device and passes `result` on, unless power failed meanwhile: then nobody is to hear of success.
    async fn complete(
        &self,
        incarnation: u64,
        due: Option<SystemTime>,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        self.wait(due).await;
        if due.is_some() && self.incarnation() != incarnation {
            return Err(Error::Closed);
        }
        result.map_err(|it| self.tell(it))
    }

    /// Somebody is told of an error.
    fn tell(&self, error: Error) -> Error {
        let now = self.clock.current();
        self.failures.lock().tell(now, &error);
        error
    }

    /// Whether anybody was told of an error in this life.
    pub(super) fn failed(&self) -> bool {
        self.failures.lock().any()
    }

    /// Whether a panic is the answer of code below a node to an error that it was just told of.
    pub(super) fn explains(&self, panic: &Caught) -> bool {
        self.failures.lock().explain(self.clock.current(), panic)
    }
}

const ANY_VERSION: RangeInclusive<BlobVersion> = BlobVersion::new(0)..=BlobVersion::new(u16::MAX);

/// The names that every backend accepts.
fn validate(partition: &str) -> Result<(), Error> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    if partition.is_empty() || !partition.bytes().all(valid) {
        return Err(Error::PartitionNameInvalid(partition.into()));
    }
    Ok(())
}

fn name_error(
    fault: Fault,
    partition: &str,
    name: Option<&[u8]>,
    versions: &RangeInclusive<BlobVersion>,
) -> Error {
    let partition = partition.to_owned();
    let name = hex(name.unwrap_or_default());
    match fault {
        Fault::Version(found) => Error::BlobVersionMismatch {
            expected: versions.clone(),
            found,
        },
        Fault::AlreadyOpen => Error::BlobAlreadyOpen(partition, name),
        Fault::NoPartition => Error::PartitionMissing(partition),
        Fault::NoBlob => Error::BlobMissing(partition, name),
        Fault::Device => Error::BlobOpenFailed(partition, name, injected()),
        Fault::Full => Error::Io(full()),
        Fault::Short => Error::BlobInsufficientLength,
        Fault::Overflow => Error::OffsetOverflow,
        Fault::Dead => Error::Closed,
        Fault::InFlight(_) => unreachable!("an open waits for the syncs before it"),
    }
}

fn injected() -> Arc<io::Error> {
    Arc::new(io::Error::other("injected disk error"))
}

fn full() -> Arc<io::Error> {
    Arc::new(io::ErrorKind::StorageFull.into())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
