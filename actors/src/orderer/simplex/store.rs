//! Where marshal keeps finalized blocks and what shows that they are final.

use super::{Config, Consensus, Error, Ordered};
use crate::disk::read_through;
use commonware_codec::Codec;
use commonware_consensus::simplex::types::Finalization;
use commonware_cryptography::certificate::Verifier as _;
use commonware_runtime::buffer::paged::CacheRef;
use commonware_storage::{
    archive::prunable::{self, Archive},
    translator::EightCap,
};
use commonware_utils::{NZU16, NZUsize};
use drystone_engine::{Environment, types::Digest};
use std::{
    num::{NonZeroU16, NonZeroUsize},
    sync::Arc,
};
use tracing::info;

/// A page of the cache: a few index entries.
const PAGE_BYTES: NonZeroU16 = NZU16!(4096);
/// Pages in the cache: a megabyte.
const PAGES: NonZeroUsize = NZUsize!(256);
/// Buffered before a write: blocks are a few kilobytes.
pub(super) const WRITE_BUFFER: NonZeroUsize = NZUsize!(1 << 16);
/// Read at once on a restart.
pub(super) const REPLAY_BUFFER: NonZeroUsize = NZUsize!(1 << 16);

pub(super) type Blocks<E, C> = Archive<EightCap, E, Digest, Arc<Ordered<C>>>;
pub(super) type Finalizations<E, C> =
    Archive<EightCap, E, Digest, Finalization<<C as Consensus>::Scheme, Digest>>;

/// Shared by the archives and the journals of the engines.
pub(super) fn cache() -> CacheRef {
    CacheRef::new(PAGE_BYTES, PAGES)
}

async fn archive<E: Environment, C: Consensus, V: Codec + Send + Sync>(
    context: E,
    config: &Config<C>,
    cache: &CacheRef,
    name: &'static str,
    codec_config: V::Cfg,
) -> Result<Archive<EightCap, E, Digest, V>, Error> {
    let partition = |part: &str| format!("{}-{name}-{part}", config.settings.partition);
    let layout = prunable::Config {
        translator: EightCap,
        metadata_partition: partition("metadata"),
        key_partition: partition("keys"),
        key_page_cache: cache.clone(),
        value_partition: partition("values"),
        compression: None,
        codec_config,
        items_per_section: config.settings.section_blocks,
        key_write_buffer: WRITE_BUFFER,
        value_write_buffer: WRITE_BUFFER,
        replay_buffer: REPLAY_BUFFER,
    };
    let failed = |error| Error::Archive { name, error };
    let archive = Archive::init(context, layout).await.map_err(failed)?;
    if config.settings.read_at_start {
        let count = read_through(&archive).await.map_err(failed)?;
        info!(count, "the {name} are sound");
    }
    Ok(archive)
}

/// Opens both. Finalizations are bounded when they come from peers; here they are read back.
///
/// # Errors
/// If the disk fails, or what lies on it is damaged.
pub(super) async fn open<E: Environment, C: Consensus>(
    context: &E,
    config: &Config<C>,
    cache: &CacheRef,
) -> Result<(Finalizations<E, C>, Blocks<E, C>), Error> {
    let unbounded = C::Scheme::certificate_codec_config_unbounded();
    let (name, bounds) = ("finalizations", config.bounds.clone());
    let finalizations = archive(context.child(name), config, cache, name, unbounded).await?;
    let blocks = archive(context.child("blocks"), config, cache, "blocks", bounds).await?;
    Ok((finalizations, blocks))
}
