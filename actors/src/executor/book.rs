//! The records of executed blocks, on the disk. An operation that writes consumes the archive and gives it back: one that
//! fails leaves nothing behind.

use super::{Disk, Error, record::Record};
use crate::disk::read_through;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{
    archive::{
        Archive as _, Identifier,
        prunable::{self, Archive},
    },
    translator::EightCap,
};
use drystone_engine::types::{Digest, Types};
use tracing::info;

use crate::state::Machine;

/// See the module.
pub(super) struct Book<E: Machine, T: Types> {
    archive: Archive<EightCap, E, Digest, Record<T>>,
}

impl<E: Machine, T: Types> Book<E, T> {
    pub async fn open(context: E, disk: &Disk) -> Result<Self, Error> {
        let partition = |part: &str| format!("{}-{part}", disk.partition);
        let config = prunable::Config {
            translator: EightCap,
            metadata_partition: partition("marks"),
            key_partition: partition("index"),
            key_page_cache: CacheRef::new(disk.page_bytes, disk.page_cache),
            value_partition: partition("records"),
            compression: None,
            codec_config: (),
            items_per_section: disk.section_blocks,
            key_write_buffer: disk.write_buffer_bytes,
            value_write_buffer: disk.write_buffer_bytes,
            replay_buffer: disk.write_buffer_bytes,
        };
        let archive = Archive::init(context, config).await?;
        if disk.read_at_start {
            let records = read_through(&archive).await?;
            info!(records, "the records of executed blocks are sound");
        }
        Ok(Self { archive })
    }

    pub async fn get(&self, height: u64) -> Result<Option<Record<T>>, Error> {
        Ok(self.archive.get(Identifier::Index(height)).await?)
    }

    /// Makes a record durable. One that is there already, from before a crash, must be the same.
    pub async fn put(mut self, record: &Record<T>) -> Result<Self, Error> {
        let height = record.results.height;
        if let Some(recorded) = self.get(height).await? {
            if recorded.root != record.root || recorded.results != record.results {
                return Err(Error::Diverged {
                    height,
                    found: record.root,
                    recorded: recorded.root,
                });
            }
            return Ok(self);
        }
        let key = record.results.block;
        self.archive = self.archive.put_sync(height, key, record).await?;
        Ok(self)
    }

    /// Removes the sections of heights below this one.
    pub async fn prune(mut self, height: u64) -> Result<Self, Error> {
        self.archive = self.archive.prune(height).await?;
        Ok(self)
    }
}
