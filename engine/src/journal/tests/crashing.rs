//! A storage that stops at a chosen operation: the crash at every await.

use commonware_runtime::{
    Blob, BlobVersion, Error, Handle, IoBufs, IoBufsMut, Metrics, Name, ReadOptions, Spawner,
    Storage, Supervisor, WriteOptions,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use commonware_utils::channel::oneshot;
use rand_core::{TryCryptoRng, TryRng};
use std::{
    future::{Future, pending},
    ops::RangeInclusive,
    sync::{Arc, Mutex},
    time::Duration,
};

/// Counts mutations and stops one of them for ever, before or after it is done.
pub(super) struct Fuse {
    left: u64,
    blown: Option<oneshot::Sender<()>>,
}

/// A context whose storage has a fuse.
#[derive(Clone)]
pub(super) struct Crashing<E> {
    inner: E,
    fuse: Arc<Mutex<Fuse>>,
}

impl<E> Crashing<E> {
    /// Stops the mutation number `at` (from 0): the receiver tells when. Even numbers stop before a mutation, odd
    /// ones after it.
    pub(super) fn new(inner: E, at: u64) -> (Self, oneshot::Receiver<()>) {
        let (sender, blown) = oneshot::channel();
        let fuse = Arc::new(Mutex::new(Fuse {
            left: at,
            blown: Some(sender),
        }));
        (Self { inner, fuse }, blown)
    }

    fn with(&self, inner: E) -> Self {
        Self {
            inner,
            fuse: self.fuse.clone(),
        }
    }
}

/// One point at which the machine may stop.
async fn point(fuse: &Mutex<Fuse>) {
    let stop = {
        let mut fuse = fuse.lock().unwrap();
        let stop = fuse.left == 0;
        fuse.left = fuse.left.saturating_sub(1);
        if stop && let Some(blown) = fuse.blown.take() {
            let _ = blown.send(());
        }
        stop
    };
    if stop {
        pending::<()>().await;
    }
}

async fn around<T>(fuse: &Mutex<Fuse>, operation: impl Future<Output = T>) -> T {
    point(fuse).await;
    let result = operation.await;
    point(fuse).await;
    result
}

impl<E: Supervisor> Supervisor for Crashing<E> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.inner.child(label))
    }

    fn with_attribute(self, key: &'static str, value: impl std::fmt::Display) -> Self {
        Self {
            inner: self.inner.with_attribute(key, value),
            fuse: self.fuse,
        }
    }
}

impl<E: Spawner> Spawner for Crashing<E> {
    fn shared(self, blocking: bool) -> Self {
        Self {
            inner: self.inner.shared(blocking),
            fuse: self.fuse,
        }
    }

    fn dedicated(self) -> Self {
        Self {
            inner: self.inner.dedicated(),
            fuse: self.fuse,
        }
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { inner, fuse } = self;
        inner.spawn(move |inner| f(Self { inner, fuse }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl<E: Metrics> Metrics for Crashing<E> {
    fn register<N: Into<String>, H: Into<String>, M: Metric>(
        &self,
        name: N,
        help: H,
        metric: M,
    ) -> Registered<M> {
        self.inner.register(name, help, metric)
    }

    fn encode(&self) -> String {
        self.inner.encode()
    }
}

impl<E: TryRng> TryRng for Crashing<E> {
    type Error = E::Error;

    fn try_next_u32(&mut self) -> Result<u32, E::Error> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, E::Error> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), E::Error> {
        self.inner.try_fill_bytes(bytes)
    }
}

impl<E: TryCryptoRng> TryCryptoRng for Crashing<E> {}

impl<E: Storage> Storage for Crashing<E> {
    type Blob = CrashingBlob<E::Blob>;

    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: RangeInclusive<BlobVersion>,
    ) -> Result<(Self::Blob, u64, BlobVersion), Error> {
        let (inner, size, version) = around(
            &self.fuse,
            self.inner.open_versioned(partition, name, versions),
        )
        .await?;
        Ok((
            CrashingBlob {
                inner: Arc::new(inner),
                fuse: self.fuse.clone(),
            },
            size,
            version,
        ))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        around(&self.fuse, self.inner.remove(partition, name)).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.inner.scan(partition).await
    }
}

/// A blob with a fuse.
pub(super) struct CrashingBlob<B> {
    inner: Arc<B>,
    fuse: Arc<Mutex<Fuse>>,
}

impl<B: Blob> Blob for CrashingBlob<B> {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.inner.read_at_buf(offset, len, bufs, options).await
    }

    async fn read_at(
        &self,
        offset: u64,
        len: usize,
        options: ReadOptions,
    ) -> Result<IoBufsMut, Error> {
        self.inner.read_at(offset, len, options).await
    }

    async fn write_at(
        &self,
        offset: u64,
        bufs: impl Into<IoBufs> + Send,
        options: WriteOptions,
    ) -> Result<(), Error> {
        around(&self.fuse, self.inner.write_at(offset, bufs, options)).await
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        around(&self.fuse, self.inner.resize(len)).await
    }

    async fn sync(&self) -> Result<(), Error> {
        around(&self.fuse, self.inner.sync()).await
    }

    async fn start_sync(&self) -> Handle<()> {
        let (inner, fuse) = (self.inner.clone(), self.fuse.clone());
        Handle::from_future(async move { around(&fuse, inner.sync()).await })
    }
}
