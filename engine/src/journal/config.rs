//! How a journal is laid out and bounded.

use commonware_runtime::buffer::paged::page_size;
use std::num::{NonZeroU16, NonZeroUsize};

/// How a journal is laid out and bounded.
#[derive(Clone, Debug)]
pub struct Config<C> {
    /// The storage partition of the log; the mark lies beside it in `<partition>-mark`.
    pub partition: String,
    /// How records are decoded.
    pub codec_config: C,
    /// Content of one checksummed page. A sync rewrites the last page, so small pages make small syncs.
    pub page_bytes: NonZeroU16,
    /// What is appended while a sync is in flight waits here. More than this makes the loop wait for the sync.
    pub write_buffer_bytes: NonZeroUsize,
    /// The log rolls before the first append of a life, and when it has grown by this much, or by as much as the last roll copied if that was more (so
    /// that copies are never more than half of what is written).
    pub section_bytes_max: u64,
    /// Entries (records and forgotten ranges) that one client may have on their way.
    pub unsynced_max: usize,
}

impl<C> Config<C> {
    /// Sizes for a deployed node: pages of one disk sector, a section that replays in well under a second.
    pub fn recommended(partition: impl Into<String>, codec_config: C) -> Self {
        Self {
            partition: partition.into(),
            codec_config,
            page_bytes: page_size(4096),
            write_buffer_bytes: NonZeroUsize::new(1 << 20).expect("positive"),
            section_bytes_max: 8 << 20,
            unsynced_max: 1 << 16,
        }
    }

    /// Where the mark lies.
    pub(super) fn mark_partition(&self) -> String {
        format!("{}-mark", self.partition)
    }

    /// Panics if the sizes contradict each other.
    pub(super) fn check(&self) {
        assert!(
            usize::from(self.page_bytes.get()) <= self.write_buffer_bytes.get(),
            "the write buffer must hold a page"
        );
        assert!(self.section_bytes_max > 0, "a section must hold something");
        assert!(self.unsynced_max > 0, "a client must be able to append");
    }
}
