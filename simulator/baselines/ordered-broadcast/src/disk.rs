//! Context wrapper that gives every blob sync a virtual latency (a disk), so that
//! "chunks per virtual second" shows where the engine waits for fsyncs. A node has one
//! disk: concurrent syncs of one node queue behind each other.
use commonware_runtime::{
    Blob, BufferPool, BufferPooler, Clock, Error, Handle, IoBufs, IoBufsMut, Metrics, Name,
    Spawner, Storage, Supervisor,
    signal::Signal,
    telemetry::metrics::{Metric, Registered},
};
use governor::clock::{Clock as GClock, ReasonablyRealtime};
use rand_core::{TryCryptoRng, TryRng};
use std::{
    future::Future,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime},
};

pub struct Disk<E> {
    pub inner: E,
    pub fsync: Duration,
    pub busy: Arc<Mutex<SystemTime>>,
}

impl<E> Disk<E> {
    pub fn new(inner: E, fsync: Duration) -> Self {
        Self {
            inner,
            fsync,
            busy: Arc::new(Mutex::new(SystemTime::UNIX_EPOCH)),
        }
    }

    fn with(&self, inner: E) -> Self {
        Self {
            inner,
            fsync: self.fsync,
            busy: self.busy.clone(),
        }
    }
}

impl<E: Supervisor> Supervisor for Disk<E> {
    fn name(&self) -> Name {
        self.inner.name()
    }

    fn child(&self, label: &'static str) -> Self {
        self.with(self.inner.child(label))
    }

    fn with_attribute(mut self, key: &'static str, value: impl std::fmt::Display) -> Self {
        self.inner = self.inner.with_attribute(key, value);
        self
    }
}

impl<E: Spawner> Spawner for Disk<E> {
    fn shared(mut self, blocking: bool) -> Self {
        self.inner = self.inner.shared(blocking);
        self
    }

    fn dedicated(mut self) -> Self {
        self.inner = self.inner.dedicated();
        self
    }

    fn spawn<F, Fut, T>(self, f: F) -> Handle<T>
    where
        F: FnOnce(Self) -> Fut + Send + 'static,
        Fut: Future<Output = T> + Send + 'static,
        T: Send + 'static,
    {
        let Self { inner, fsync, busy } = self;
        inner.spawn(move |inner| f(Self { inner, fsync, busy }))
    }

    async fn stop(self, value: i32, timeout: Option<Duration>) -> Result<(), Error> {
        self.inner.stop(value, timeout).await
    }

    fn stopped(&self) -> Signal {
        self.inner.stopped()
    }
}

impl<E: Clock> Clock for Disk<E> {
    fn current(&self) -> SystemTime {
        self.inner.current()
    }

    fn sleep(&self, d: Duration) -> impl Future<Output = ()> + Send + 'static {
        self.inner.sleep(d)
    }

    fn sleep_until(&self, t: SystemTime) -> impl Future<Output = ()> + Send + 'static {
        self.inner.sleep_until(t)
    }
}

impl<E: Clock> GClock for Disk<E> {
    type Instant = SystemTime;
    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl<E: Clock> ReasonablyRealtime for Disk<E> {}
impl<E: Metrics> Metrics for Disk<E> {
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

impl<E: BufferPooler> BufferPooler for Disk<E> {
    fn network_buffer_pool(&self) -> &BufferPool {
        self.inner.network_buffer_pool()
    }

    fn storage_buffer_pool(&self) -> &BufferPool {
        self.inner.storage_buffer_pool()
    }
}

impl<E: TryRng> TryRng for Disk<E> {
    type Error = E::Error;
    fn try_next_u32(&mut self) -> Result<u32, E::Error> {
        self.inner.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, E::Error> {
        self.inner.try_next_u64()
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), E::Error> {
        self.inner.try_fill_bytes(dest)
    }
}

impl<E: TryCryptoRng> TryCryptoRng for Disk<E> {}

pub struct DiskBlob<E, B> {
    inner: B,
    ctx: Arc<E>,
    fsync: Duration,
    busy: Arc<Mutex<SystemTime>>,
}

impl<E, B: Clone> Clone for DiskBlob<E, B> {
    fn clone(&self) -> Self {
        Self {
            inner: self.inner.clone(),
            ctx: self.ctx.clone(),
            fsync: self.fsync,
            busy: self.busy.clone(),
        }
    }
}

impl<E: Storage + Clock + Supervisor> Storage for Disk<E> {
    type Blob = DiskBlob<E, E::Blob>;
    async fn open_versioned(
        &self,
        partition: &str,
        name: &[u8],
        versions: std::ops::RangeInclusive<u16>,
    ) -> Result<(Self::Blob, u64, u16), Error> {
        let (inner, len, v) = self.inner.open_versioned(partition, name, versions).await?;
        let blob = DiskBlob {
            inner,
            ctx: Arc::new(self.inner.child("disk")),
            fsync: self.fsync,
            busy: self.busy.clone(),
        };
        Ok((blob, len, v))
    }

    async fn remove(&self, partition: &str, name: Option<&[u8]>) -> Result<(), Error> {
        self.inner.remove(partition, name).await
    }

    async fn scan(&self, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
        self.inner.scan(partition).await
    }
}

impl<E: Clock, B: Blob> DiskBlob<E, B> {
    /// Wait for this node's disk: queue behind earlier syncs.
    fn wait(&self) -> impl Future<Output = ()> + Send + 'static + use<E, B> {
        let until = {
            let mut busy = self.busy.lock().unwrap();
            let start = (*busy).max(self.ctx.current());
            *busy = start + self.fsync;
            *busy
        };
        let ctx = self.ctx.clone();
        async move { ctx.sleep_until(until).await }
    }
}

impl<E: Clock, B: Blob> Blob for DiskBlob<E, B> {
    async fn read_at_buf(
        &self,
        offset: u64,
        len: usize,
        bufs: impl Into<IoBufsMut> + Send,
    ) -> Result<IoBufsMut, Error> {
        self.inner.read_at_buf(offset, len, bufs).await
    }

    async fn read_at(&self, offset: u64, len: usize) -> Result<IoBufsMut, Error> {
        self.inner.read_at(offset, len).await
    }

    async fn write_at(&self, offset: u64, bufs: impl Into<IoBufs> + Send) -> Result<(), Error> {
        self.inner.write_at(offset, bufs).await
    }

    async fn write_at_sync(&self, offset: u64, b: impl Into<IoBufs> + Send) -> Result<(), Error> {
        self.inner.write_at_sync(offset, b).await?;
        if !self.fsync.is_zero() {
            self.wait().await;
        }
        Ok(())
    }

    async fn resize(&self, len: u64) -> Result<(), Error> {
        self.inner.resize(len).await
    }

    async fn sync(&self) -> Result<(), Error> {
        self.inner.sync().await?;
        if !self.fsync.is_zero() {
            self.wait().await;
        }
        Ok(())
    }

    async fn start_sync(&self) -> Handle<()> {
        let h = self.inner.start_sync().await;
        if self.fsync.is_zero() {
            return h;
        }
        let wait = self.wait();
        Handle::from_future(async move {
            let r = h.await;
            wait.await;
            r
        })
    }
}
