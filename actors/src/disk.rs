//! How the files of an actor lie on the disk.

use commonware_runtime::buffer::paged::page_size;
use commonware_storage::archive::{Archive, Error, Identifier};
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};

/// Where and how records lie on the disk.
#[derive(Clone, Debug)]
pub struct Disk {
    /// The storage partitions begin with this.
    pub partition: String,
    /// Content of one checksummed page of an index.
    pub page_bytes: NonZeroU16,
    /// Pages of the indices kept in memory.
    pub page_cache: NonZeroUsize,
    /// What is written while a sync is under way waits here, for each file.
    pub write_buffer_bytes: NonZeroUsize,
    /// Blocks whose records share a section, and go together.
    pub section_blocks: NonZeroU64,
    /// Whether everything is read at a start: what is damaged stops the node then, and not when a peer asks for it.
    pub read_at_start: bool,
}

impl Disk {
    /// Sizes for a deployed node.
    pub fn recommended(partition: impl Into<String>) -> Self {
        Self {
            partition: partition.into(),
            page_bytes: page_size(4096),
            page_cache: NonZeroUsize::new(1024).expect("positive"),
            write_buffer_bytes: NonZeroUsize::new(1 << 20).expect("positive"),
            section_blocks: NonZeroU64::new(1024).expect("positive"),
            read_at_start: true,
        }
    }
}

/// Reads everything that an archive holds, of which each item has a checksum. Answers how many places hold something.
pub async fn read_through<A: Archive>(archive: &A) -> Result<usize, Error> {
    let mut count = 0;
    for (first, last) in archive.ranges().collect::<Vec<_>>() {
        for index in first..=last {
            if archive.get(Identifier::Index(index)).await?.is_some() {
                count += 1;
            }
        }
    }
    Ok(count)
}
