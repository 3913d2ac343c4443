//! The section that is appended to.
//!
//! Sections are blobs of checksummed pages full of frames, as the library's segmented journal has them: it replays them and
//! repairs a torn tail (`open.rs`). But it syncs a set of sections at a time, and what that takes for a set of one is half
//! the cost of a sync, of which a node makes one for every few headers.

use super::{Config, Error};
use bytes::BufMut;
use commonware_codec::{Encode as _, EncodeSize, Write, varint::UInt};
use commonware_runtime::{
    Handle, Storage,
    buffer::paged::{CacheRef, Writer},
};
use std::collections::BTreeSet;

/// A journal's sections. After an error nothing more may be asked of it: the section is gone.
pub(super) struct Log<E: Storage> {
    context: E,
    partition: String,
    pages: CacheRef,
    write_buffer_bytes: usize,
    /// The sections that are there.
    sections: BTreeSet<u64>,
    /// The last of them, once one was begun in this life: what an earlier life wrote is not appended to.
    open: Option<Writer<E::Blob>>,
}

impl<E: Storage> Log<E> {
    /// The section that a blob's name stands for. The library has opened it and does not take other names.
    pub fn section(name: Vec<u8>) -> u64 {
        u64::from_be_bytes(name.try_into().expect("eight bytes"))
    }

    /// `sections` are those that were found; nobody else holds any of them.
    pub fn new<C>(
        context: E,
        config: &Config<C>,
        pages: CacheRef,
        sections: BTreeSet<u64>,
    ) -> Self {
        Self {
            context,
            partition: config.partition.clone(),
            pages,
            write_buffer_bytes: config.write_buffer_bytes.get(),
            sections,
            open: None,
        }
    }

    /// Whether there is a section to append to.
    pub const fn is_open(&self) -> bool {
        self.open.is_some()
    }

    /// The content of the section that is appended to, in bytes.
    pub fn size(&self) -> u64 {
        self.open.as_ref().map_or(0, Writer::size)
    }

    /// Begins the next section. What is not durable of the one before is lost to a crash, and no sync may be in flight.
    pub async fn begin(&mut self) -> Result<(), Error> {
        self.open = None;
        let section = self.sections.last().map_or(0, |last| last + 1);
        let (blob, size) = self.context.open(&self.partition, &name(section)).await?;
        self.sections.insert(section);
        let pages = self.pages.clone();
        self.open = Some(Writer::new(blob, size, self.write_buffer_bytes, pages).await?);
        Ok(())
    }

    /// Appends an item and gives its length, in bytes. Nothing is durable yet.
    pub async fn append(&mut self, item: &(impl Write + EncodeSize + Sync)) -> Result<u64, Error> {
        let frame = Frame(item);
        let mut writer = self.take();
        if writer.try_append_value(&frame).is_none() {
            (writer, _) = writer.append_owned(frame.encode_mut().into()).await?;
        }
        self.open = Some(writer);
        Ok(item.encode_size() as u64)
    }

    /// Starts to make durable what was appended so far.
    pub async fn start_sync(&mut self) -> Result<Handle<()>, Error> {
        let (writer, sync) = self.take().start_sync().await?;
        self.open = Some(writer);
        Ok(sync)
    }

    /// Removes all sections but the last.
    pub async fn prune(&mut self) -> Result<(), Error> {
        while self.sections.len() > 1
            && let Some(section) = self.sections.pop_first()
        {
            let name = name(section);
            self.context.remove(&self.partition, Some(&name)).await?;
        }
        Ok(())
    }

    fn take(&mut self) -> Writer<E::Blob> {
        self.open.take().expect("a section was begun")
    }
}

/// What a section's blob is called.
const fn name(section: u64) -> [u8; 8] {
    section.to_be_bytes()
}

/// An item behind its length.
struct Frame<'a, V>(&'a V);

impl<V: EncodeSize> Frame<'_, V> {
    fn len(&self) -> UInt<u32> {
        UInt(u32::try_from(self.0.encode_size()).expect("records are bounded by what a message is"))
    }
}

impl<V: EncodeSize> EncodeSize for Frame<'_, V> {
    fn encode_size(&self) -> usize {
        self.len().encode_size() + self.0.encode_size()
    }
}

impl<V: Write + EncodeSize> Write for Frame<'_, V> {
    fn write(&self, buf: &mut impl BufMut) {
        self.len().write(buf);
        self.0.write(buf);
    }
}
