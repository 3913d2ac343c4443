//! Bringing a journal up: the mark, the replay, and the search for what was lost.

use super::{
    Actor, Config, Error, Record,
    entry::{Entry, Header, search},
    live::Live,
    log::Log,
    metrics::Metrics,
    state::State,
};
use commonware_codec::FixedSize as _;
use commonware_runtime::{
    Blob as _, Error as RuntimeError, Metrics as Registry, ReadOptions, Spawner, Storage,
    WriteOptions, buffer::paged::CacheRef,
};
use commonware_storage::journal::segmented::variable;
use commonware_utils::NZUsize;
use rand_core::Rng;
use std::collections::BTreeSet;

/// Name and content of the mark.
const MARK: &[u8] = b"initialised";

/// What was found when a journal was opened.
#[derive(Clone, Debug)]
pub struct Opened<R> {
    /// The newest record of each key, in append order. Some of them may have been forgotten.
    pub records: Vec<R>,
    /// Whether [`init`] was ever completed in this place. If not, and the node's key is already in use, its disk
    /// was lost.
    pub initialised: bool,
}

/// Writes the mark that tells a new or lost disk from one that has served, durably. For whoever creates a node's
/// directory; repeating it changes nothing.
pub async fn init<E: Storage, C>(context: &E, config: &Config<C>) -> Result<(), Error> {
    let (blob, _) = context.open(&config.mark_partition(), MARK).await?;
    blob.write_at(0, MARK.to_vec(), WriteOptions::default())
        .await?;
    blob.sync().await?;
    Ok(())
}

/// Replays the journal, repairing a torn tail, and returns its actor (not started) and what it holds.
///
/// # Errors
///
/// If the disk fails, if an entry cannot be decoded, or if entries that were durable are missing.
pub async fn open<E, R>(
    mut context: E,
    config: Config<R::Cfg>,
) -> Result<(Actor<E, R>, Opened<R>), Error>
where
    E: Spawner + Storage + Registry + Rng,
    R: Record,
{
    config.check();
    let initialised = is_marked(&context, &config).await?;
    let (witnesses, bytes) = witnesses(&context, &config.partition).await?;
    // Only the replay reads, and it reads forward.
    let pages = CacheRef::new(config.page_bytes, NZUsize!(1));
    let found = variable::Journal::<E, Entry<R>>::init(
        context.child("found"),
        variable::Config {
            partition: config.partition.clone(),
            compression: None,
            codec_config: config.codec_config.clone(),
            page_cache: pages.clone(),
            write_buffer: config.write_buffer_bytes,
        },
    )
    .await?;
    let names = names(&context, &config.partition).await?;
    let sections = names.into_iter().map(Log::<E>::section).collect();

    let mut live = Live::<R>::new();
    let mut newest = 0;
    let mut replay = found
        .replay(0, 0, config.write_buffer_bytes, ReadOptions::default())
        .await?;
    while let Some(item) = replay.next().await {
        let (_, _, _, entry) = item?;
        newest = newest.max(entry.header.number);
        let Some(record) = &entry.record else {
            continue;
        };
        let key = record.key();
        let held = live.number(key.clone());
        if held.is_none_or(|it| it <= entry.header.number) {
            live.insert(key, entry);
        }
    }
    // A crash of the process alone leaves what was never synced: it counts as durable from here on. The log begins a section
    // of its own.
    drop(replay.finish()?.sync_all().await?);
    nothing_is_lost(&witnesses, newest, bytes)?;

    // A quarter of the range: numbers never run out, and are never 0.
    let floor = context.next_u64() >> 2 | 1;
    let mut entries: Vec<_> = live.values().collect();
    entries.sort_unstable_by_key(|entry| entry.header.number);
    let records: Vec<_> = entries
        .into_iter()
        .filter_map(|entry| entry.record.clone())
        .collect();
    let metrics = Metrics::new(&context);
    metrics.replayed.inc_by(records.len() as u64);
    let log = Log::new(context.child("log"), &config, pages, sections);
    let actor = Actor::new(
        context,
        config,
        log,
        State::new(live, newest, floor),
        metrics,
    );
    Ok((
        actor,
        Opened {
            records,
            initialised,
        },
    ))
}

async fn is_marked<E: Storage, C>(context: &E, config: &Config<C>) -> Result<bool, Error> {
    let partition = config.mark_partition();
    // Looking must not create it: an unmarked disk stays unmarked.
    if !names(context, &partition)
        .await?
        .iter()
        .any(|name| name == MARK)
    {
        return Ok(false);
    }
    let (blob, size) = context.open(&partition, MARK).await?;
    if size != MARK.len() as u64 {
        return Ok(false);
    }
    let content = blob.read_at(0, MARK.len(), ReadOptions::default()).await?;
    Ok(content.coalesce().as_ref() == MARK)
}

/// What the log's headers say was durable, before anything is repaired, and how many bytes it has.
async fn witnesses<E: Storage>(
    context: &E,
    partition: &str,
) -> Result<(BTreeSet<u64>, u64), Error> {
    let mut witnesses = BTreeSet::new();
    let mut bytes = 0;
    for name in names(context, partition).await? {
        let (blob, size) = context.open(partition, &name).await?;
        let content = blob
            .read_at(0, size as usize, ReadOptions::default())
            .await?;
        search(content.coalesce().as_ref(), &mut witnesses);
        bytes += size;
    }
    Ok((witnesses, bytes))
}

async fn names<E: Storage>(context: &E, partition: &str) -> Result<Vec<Vec<u8>>, Error> {
    match context.scan(partition).await {
        Ok(names) => Ok(names),
        Err(RuntimeError::PartitionMissing(_)) => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Compares what was durable with the newest entry `found`.
///
/// A torn tail passes: what it lost was never durable, so no header says so. Witnesses beyond what `bytes` could hold
/// are no headers but chance, for numbers are consecutive. If nothing is readable there is nothing to compare with:
/// only a log whose first sync was torn looks so, and its headers say 0.
fn nothing_is_lost(witnesses: &BTreeSet<u64>, found: u64, bytes: u64) -> Result<(), Error> {
    let newest = if found == 0 {
        u64::MAX
    } else {
        found.saturating_add(bytes / Header::SIZE as u64)
    };
    match witnesses.range(found + 1..=newest).next_back() {
        Some(&durable) => Err(Error::Lost { durable, found }),
        None => Ok(()),
    }
}
