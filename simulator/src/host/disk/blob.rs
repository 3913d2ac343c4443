//! The handle of one open blob.

use super::{
    Disk, full, hex, injected,
    state::{Fault, Key, Receipt},
};
use commonware_runtime::{
    BufMut, Error, Handle, IoBufMut, IoBufs, IoBufsMut, ReadOptions, WriteOptions,
};
use std::{sync::Arc, time::SystemTime};

/// An open blob on a machine's disk. Dead with the incarnation that opened it.
pub struct Blob {
    disk: Arc<Disk>,
    key: Key,
    partition: Box<str>,
    name: Box<[u8]>,
}

/// When an operation is over, if it is not yet, and what it then answers.
type Outcome = (Option<SystemTime>, Result<(), Error>);

/// What an operation was, for its error.
#[derive(Clone, Copy)]
enum Operation {
    Read,
    Write,
    Resize,
    Sync,
}

impl Blob {
    pub(super) fn new(disk: Arc<Disk>, key: Key, partition: &str, name: &[u8]) -> Self {
        Self {
            disk,
            key,
            partition: partition.into(),
            name: name.into(),
        }
    }

    fn error(&self, operation: Operation, fault: Fault) -> Error {
        let name = || (self.partition.to_string(), hex(&self.name));
        match (fault, operation) {
            (Fault::Device, Operation::Read) => Error::ReadFailed,
            (Fault::Device, Operation::Write) => Error::WriteFailed,
            (Fault::Device, Operation::Resize) => {
                let (partition, name) = name();
                Error::BlobResizeFailed(partition, name, injected())
            }
            (Fault::Device, Operation::Sync) => {
                let (partition, name) = name();
                Error::BlobSyncFailed(partition, name, injected())
            }
            (Fault::Full, _) => Error::Io(full()),
            (Fault::Short, _) => Error::BlobInsufficientLength,
            (Fault::Overflow, _) => Error::OffsetOverflow,
            (Fault::Dead, _) => Error::Closed,
            (
                Fault::InFlight(_)
                | Fault::AlreadyOpen
                | Fault::Version(_)
                | Fault::NoPartition
                | Fault::NoBlob,
                _,
            ) => unreachable!("an open blob has been found"),
        }
    }

    /// Splits a receipt into when the operation is over and what it then says.
    fn outcome(&self, operation: Operation, receipt: Result<Receipt, Fault>) -> Outcome {
        let receipt = receipt.unwrap_or_else(|fault| Receipt {
            due: None,
            result: Err(fault),
        });
        (
            receipt.due,
            receipt.result.map_err(|fault| self.error(operation, fault)),
        )
    }

    async fn complete(&self, (due, result): Outcome) -> Result<(), Error> {
        self.disk.complete(self.key.incarnation, due, result).await
    }

    fn start(&self) -> Outcome {
        let (mut state, now) = self.disk.enter();
        let receipt = state.sync(now, self.key);
        self.outcome(Operation::Sync, receipt)
    }

    /// Lets `take` see the bytes of a range once the device has them.
    async fn load<T>(
        &self,
        offset: u64,
        len: usize,
        take: impl FnOnce(&[u8]) -> T + Send,
    ) -> Result<T, Error> {
        let error = |fault| self.disk.tell(self.error(Operation::Read, fault));
        let due = {
            let (mut state, now) = self.disk.enter();
            state.start_read(now, self.key).map_err(error)?
        };
        self.disk.wait(due).await;
        let (mut state, _) = self.disk.enter();
        let bytes = state.read(self.key, offset, len).map_err(error)?;
        Ok(take(&bytes))
    }
}

impl Drop for Blob {
    fn drop(&mut self) {
        self.disk.state.lock().close(self.key);
    }
}

impl commonware_runtime::Blob for Blob {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        _: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        let mut bufs = bufs.into();
        assert!(
            len <= bufs.capacity(),
            "{len} bytes do not fit into {}",
            bufs.capacity()
        );
        self.load(offset, len, move |bytes| {
            fill(&mut bufs, bytes);
            bufs
        })
        .await
    }

    async fn read_at(&self, offset: u64, len: usize, _: ReadOptions) -> Result<IoBufsMut, Error> {
        self.load(offset, len, |bytes| IoBufMut::from(bytes).into())
            .await
    }

    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        let bytes = bufs.into().coalesce();
        let durably = options.contains(WriteOptions::SYNC);
        let outcome = {
            let (mut state, now) = self.disk.enter();
            let receipt = state.write(now, self.key, offset, bytes, durably);
            let operation = if receipt.is_ok() {
                Operation::Sync
            } else {
                Operation::Write
            };
            self.outcome(operation, receipt)
        };
        self.complete(outcome).await
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        let outcome = {
            let (mut state, now) = self.disk.enter();
            let receipt = state.resize(now, self.key, len);
            self.outcome(Operation::Resize, receipt)
        };
        self.complete(outcome).await
    }

    async fn sync(&self) -> Result<(), Error> {
        let outcome = self.start();
        self.complete(outcome).await
    }

    async fn start_sync(&self) -> Handle<()> {
        let (due, result) = self.start();
        if due.is_none() {
            return Handle::ready(result.map_err(|it| self.disk.tell(it)));
        }
        let (disk, incarnation) = (self.disk.clone(), self.key.incarnation);
        Handle::from_future(async move { disk.complete(incarnation, due, result).await })
    }
}

/// Fills the caller's buffers, chunk by chunk in their order.
fn fill(bufs: &mut IoBufsMut, bytes: &[u8]) {
    if let Some(single) = bufs.as_single_mut() {
        single.clear();
        single.put_slice(bytes);
        return;
    }
    if let Some(missing) = bytes.len().checked_sub(bufs.len()) {
        bufs.put_bytes(0, missing);
        bufs.copy_from_slice(bytes);
        return;
    }
    // Chunks cannot be shortened from outside the runtime, so longer ones are replaced.
    *bufs = IoBufMut::from(bytes).into();
}
