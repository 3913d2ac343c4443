//! Where and how a state lies on the disk. Nothing here changes a root.

use commonware_runtime::buffer::paged::page_size;
use std::num::{NonZeroU16, NonZeroU64, NonZeroUsize};

/// Parameters of a state.
#[derive(Clone, Debug)]
pub struct Config {
    /// The storage partitions begin with this.
    pub partition: String,
    /// Content of one checksummed page.
    pub page_bytes: NonZeroU16,
    /// Pages kept in memory.
    pub page_cache: NonZeroUsize,
    /// Operations, and nodes of the tree over them, in one file.
    pub items_per_file: NonZeroU64,
    /// Writes that wait for a file.
    pub write_buffer_bytes: NonZeroUsize,
    /// What is read at once when the log is replayed.
    pub replay_buffer_bytes: NonZeroUsize,
    /// The log is pruned once in so many blocks.
    pub prune_interval_blocks: NonZeroU64,
}

impl Config {
    /// Sizes for a deployed node.
    pub fn recommended(partition: impl Into<String>) -> Self {
        let positive = |it| NonZeroUsize::new(it).expect("positive");
        Self {
            partition: partition.into(),
            page_bytes: page_size(4096),
            page_cache: positive(1 << 14),
            items_per_file: NonZeroU64::new(1 << 18).expect("positive"),
            write_buffer_bytes: positive(1 << 20),
            replay_buffer_bytes: positive(1 << 20),
            prune_interval_blocks: NonZeroU64::new(256).expect("positive"),
        }
    }
}
