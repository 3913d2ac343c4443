//! The two archives. Every operation that writes consumes them and gives them back: one that fails or is cancelled half
//! way leaves nothing behind that could be used by mistake. So none of them stands in an arm of a select.

use super::{
    Config, Error,
    message::{Location, Source},
    record::Record,
    state::Resident,
};
use crate::reference::Reference;
use bytes::Bytes;
use commonware_codec::RangeCfg;
use commonware_cryptography::PublicKey;
use commonware_runtime::{Clock, Handle, Metrics as Registry, Storage, buffer::paged::CacheRef};
use commonware_storage::{
    archive::{
        Archive as _, Identifier, MultiArchive as _,
        prunable::{self, Archive},
    },
    translator::EightCap,
};
use drystone_engine::types::Digest;
use futures::future::try_join_all;
use std::num::NonZeroU64;
use tracing::info;

/// What the archives ask of the machine.
pub trait Machine: Storage + Clock + Registry {}

impl<E: Storage + Clock + Registry> Machine for E {}

/// See the module.
pub(super) struct Archives<E: Machine, P: PublicKey> {
    /// Bodies that wait for a block, by location.
    waiting: Archive<EightCap, E, Digest, Record<P>>,
    /// Bodies that a block accepted, by its height.
    accepted: Archive<EightCap, E, Digest, Bytes>,
    waiting_dirty: bool,
    accepted_dirty: bool,
}

impl<E: Machine, P: PublicKey> Archives<E, P> {
    /// Opens both, and reads what waits: one body at a time is in memory.
    pub async fn open(context: &E, config: &Config<P>) -> Result<(Self, Vec<Resident<P>>), Error> {
        let body_bytes = RangeCfg::new(0..=config.genesis.chunk_bytes_max as usize);
        let per_bucket = NonZeroU64::new(Location::PER_BUCKET).expect("positive");
        let waiting = Archive::init(
            context.child("waiting"),
            layout(config, "waiting", per_bucket, body_bytes),
        )
        .await?;
        let per_section = config.disk.section_blocks;
        let accepted = Archive::init(
            context.child("accepted"),
            layout(config, "accepted", per_section, body_bytes),
        )
        .await?;
        let archives = Self {
            waiting,
            accepted,
            waiting_dirty: false,
            accepted_dirty: false,
        };
        if config.disk.read_at_start {
            archives.read_accepted_bodies().await?;
        }
        let mut residents = Vec::new();
        for (first, last) in archives.waiting.ranges().collect::<Vec<_>>() {
            for index in first..=last {
                residents.extend(archives.resident(Location::at(index)).await?);
            }
        }
        Ok((archives, residents))
    }

    /// Reads every body that a block accepted: each has a checksum.
    async fn read_accepted_bodies(&self) -> Result<(), Error> {
        let (mut bodies, mut bytes) = (0, 0);
        for (first, last) in self.accepted.ranges().collect::<Vec<_>>() {
            for height in first..=last {
                let found = self.accepted.get_all(height).await?.unwrap_or_default();
                bodies += found.len();
                bytes += found.iter().map(Bytes::len).sum::<usize>();
            }
        }
        info!(bodies, bytes, "the bodies of blocks are sound");
        Ok(())
    }

    async fn resident(&self, location: Location) -> Result<Option<Resident<P>>, Error> {
        let record = self
            .waiting
            .get(Identifier::Index(location.index()))
            .await?;
        let Some(record) = record else {
            return Ok(None);
        };
        let digest = record.digest();
        let accepted = self.accepted.has(Identifier::Key(&digest)).await?;
        Ok(Some(Resident::new(location, accepted, record)))
    }

    pub async fn write(mut self, location: Location, record: &Record<P>) -> Result<Self, Error> {
        self.waiting = self
            .waiting
            .put(location.index(), record.digest(), record)
            .await?;
        self.waiting_dirty = true;
        Ok(self)
    }

    /// A body that waits for a block. `None` if its bucket was pruned meanwhile.
    pub async fn read(&self, location: Location) -> Result<Option<Bytes>, Error> {
        let record = self
            .waiting
            .get(Identifier::Index(location.index()))
            .await?;
        Ok(record.and_then(Record::into_body))
    }

    /// A body that must be there.
    pub async fn fetch(&self, location: Location) -> Result<Bytes, Error> {
        let Location { bucket, number } = location;
        self.read(location)
            .await?
            .ok_or(Error::Lost { bucket, number })
    }

    /// A body that a block accepted.
    pub async fn read_accepted(&self, digest: &Digest) -> Result<Option<Bytes>, Error> {
        Ok(self.accepted.get(Identifier::Key(digest)).await?)
    }

    /// Which of these have no body under the height of a block.
    pub async fn lacking(
        &self,
        height: u64,
        references: Vec<Reference<P>>,
    ) -> Result<Vec<Reference<P>>, Error> {
        let mut lacking = Vec::new();
        for reference in references {
            if !self
                .accepted
                .has_at(height, &reference.place.digest)
                .await?
            {
                lacking.push(reference);
            }
        }
        Ok(lacking)
    }

    /// Copies what a block accepts under its height. What lies there already stays as it is.
    pub async fn accept(
        mut self,
        height: u64,
        chunks: Vec<(Reference<P>, Source)>,
    ) -> Result<Self, Error> {
        for (reference, source) in chunks {
            let digest = reference.place.digest;
            if self.accepted.has_at(height, &digest).await? {
                continue;
            }
            let body = match source {
                Source::Given(body) => body,
                Source::Stored(location) => self.fetch(location).await?,
                Source::Nowhere => unreachable!("what is unknown was refused before"),
            };
            self.accepted = self.accepted.put_multi(height, digest, &body).await?;
            self.accepted_dirty = true;
        }
        Ok(self)
    }

    pub async fn prune(mut self, bucket: u64) -> Result<Self, Error> {
        let first = Location { bucket, number: 0 };
        self.waiting = self.waiting.prune(first.index()).await?;
        Ok(self)
    }

    pub async fn retire(mut self, height: u64) -> Result<Self, Error> {
        self.accepted = self.accepted.prune(height).await?;
        Ok(self)
    }

    /// Starts to make everything written so far durable.
    pub async fn start_sync(mut self) -> Result<(Self, Handle<()>), Error> {
        let mut syncs = Vec::new();
        if std::mem::take(&mut self.waiting_dirty) {
            let (waiting, sync) = self.waiting.start_sync().await?;
            self.waiting = waiting;
            syncs.push(sync);
        }
        if std::mem::take(&mut self.accepted_dirty) {
            let (accepted, sync) = self.accepted.start_sync().await?;
            self.accepted = accepted;
            syncs.push(sync);
        }
        let both = async move { try_join_all(syncs).await.map(|_| ()) };
        Ok((self, Handle::from_future(both)))
    }
}

fn layout<P, C>(
    config: &Config<P>,
    archive: &str,
    items_per_section: NonZeroU64,
    codec_config: C,
) -> prunable::Config<EightCap, C> {
    let disk = &config.disk;
    let partition = |part: &str| format!("{}-{archive}-{part}", disk.partition);
    prunable::Config {
        translator: EightCap,
        metadata_partition: partition("marks"),
        key_partition: partition("index"),
        key_page_cache: CacheRef::new(disk.page_bytes, disk.page_cache),
        value_partition: partition("bodies"),
        // Bodies are opaque, and large enough.
        compression: None,
        codec_config,
        items_per_section,
        key_write_buffer: disk.write_buffer_bytes,
        value_write_buffer: disk.write_buffer_bytes,
        replay_buffer: disk.write_buffer_bytes,
    }
}
