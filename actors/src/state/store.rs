//! The database behind a state.

use super::{
    config::Config,
    head::Head,
    key::{self, Key},
    reader::Reader,
    view::{Batch, Unreadable, VALUE_BYTES_MAX, View, Writes},
};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _, Encode as _, RangeCfg};
use commonware_cryptography::{PublicKey, Sha256};
use commonware_parallel::Strategy;
use commonware_runtime::{Clock, Metrics, Spawner, Storage, buffer::paged::CacheRef};
use commonware_storage::{
    journal::contiguous::variable::Config as LogConfig,
    merkle::full::Config as TreeConfig,
    mmr,
    qmdb::{
        any::{ordered::Update, value::VariableEncoding},
        current::{self, VariableConfig},
        floor::Proportional,
    },
    translator::EightCap,
};
use commonware_utils::sync::{AsyncRwLock, AsyncRwLockReadGuard};
use drystone_engine::types::{Digest, Header};
use futures::{TryStreamExt as _, pin_mut};
use std::{collections::BTreeMap, sync::Arc};
use thiserror::Error;

/// The tree over the log.
pub(super) type Family = mmr::Family;
/// Bytes of one chunk of the bitmap of what is current.
pub(super) const CHUNK_SIZE: usize = 32;

/// The database.
pub type Database<E, S> =
    current::ordered::variable::Db<Family, E, Key, Bytes, Sha256, EightCap, CHUNK_SIZE, S>;
type Merkleized<S> = current::batch::MerkleizedBatch<
    Family,
    Digest,
    Update<Key, VariableEncoding<Bytes>>,
    CHUNK_SIZE,
    S,
>;

/// What a state asks of the machine.
pub trait Machine: Storage + Clock + Metrics + Spawner {}

impl<E: Storage + Clock + Metrics + Spawner> Machine for E {}

/// Why a state, and with it the node, stops.
#[derive(Debug, Error)]
pub enum Error {
    /// The disk refused, or what it gave back is damaged.
    #[error("the state cannot be read or written: {0}")]
    Database(#[from] commonware_storage::qmdb::Error<Family>),
    /// What lies there is not what was written.
    #[error("the state is damaged: {0} cannot be read")]
    Damaged(&'static str),
    /// An earlier error took the database away.
    #[error("the state was lost in an earlier error")]
    Lost,
}

impl From<Error> for Unreadable {
    fn from(error: Error) -> Self {
        Self(error.to_string().into())
    }
}

/// What readers share with the writer. The database is gone while it is written, and after an error.
pub(super) struct Shared<E: Machine, S: Strategy> {
    held: AsyncRwLock<Option<Held<E, S>>>,
}

/// The database and how far it has come.
pub(super) struct Held<E: Machine, S: Strategy> {
    pub database: Database<E, S>,
    pub head: Option<Head>,
}

/// The database for as long as somebody reads.
pub(super) type Guard<'a, E, S> = AsyncRwLockReadGuard<'a, Held<E, S>>;

impl<E: Machine, S: Strategy> Shared<E, S> {
    pub async fn read(&self) -> Result<Guard<'_, E, S>, Error> {
        let guard = self.held.read().await;
        AsyncRwLockReadGuard::try_map(guard, Option::as_ref).map_err(|_| Error::Lost)
    }
}

/// What applying a batch will make of the state.
pub struct Prepared<S: Strategy> {
    batch: Arc<Merkleized<S>>,
    head: Head,
    /// Its root then.
    pub root: Digest,
}

/// The state, for the one who writes it. See the [module](super).
pub struct State<E: Machine, S: Strategy> {
    shared: Arc<Shared<E, S>>,
    head: Option<Head>,
    prune_interval_blocks: u64,
}

impl<E: Machine, S: Strategy> State<E, S> {
    /// Opens what is on the disk, as the last commit left it.
    ///
    /// # Errors
    /// If the disk fails or is damaged.
    pub async fn open(context: E, config: Config, strategy: S) -> Result<Self, Error> {
        let prune_interval_blocks = config.prune_interval_blocks.get();
        let database = Database::init(context, layout(config, strategy), None).await?;
        let head = match database.get_metadata().await? {
            Some(bytes) => {
                let head = Head::decode(Copying(&bytes));
                Some(head.map_err(|_| Error::Damaged("the metadata of the last commit"))?)
            }
            None => None,
        };
        let held = AsyncRwLock::new(Some(Held { database, head }));
        Ok(Self {
            shared: Arc::new(Shared { held }),
            head,
            prune_interval_blocks,
        })
    }

    /// The block that made the state. `None` before the genesis was written.
    pub const fn head(&self) -> Option<Head> {
        self.head
    }

    /// The root of the state: the app hash.
    ///
    /// # Errors
    /// If the database was lost.
    pub async fn root(&self) -> Result<Digest, Error> {
        Ok(self.shared.read().await?.database.root())
    }

    /// For those who only read.
    pub fn reader(&self) -> Reader {
        Reader::new(Arc::clone(&self.shared))
    }

    /// A batch over the state as it is.
    ///
    /// # Errors
    /// If the database was lost.
    pub async fn batch(&self) -> Result<Batch<'_>, Error> {
        Ok(Batch::over(View::new(self.shared.read().await?)))
    }

    /// The last included header of each lane.
    ///
    /// # Errors
    /// If the disk fails or is damaged.
    pub async fn lanes<P: PublicKey>(&self) -> Result<BTreeMap<P, Header<P>>, Error> {
        let held = self.shared.read().await?;
        let entries = held.database.stream_range(key::lanes());
        pin_mut!(entries);
        let mut lanes = BTreeMap::new();
        while let Some((_, value)) = entries.try_next().await? {
            let header: Header<P> = Header::decode(Copying(&value))
                .map_err(|_| Error::Damaged("an entry of the lane table"))?;
            lanes.insert(header.sequencer.clone(), header);
        }
        Ok(lanes)
    }

    /// The digest of the results, as the last commit left it.
    ///
    /// # Errors
    /// If the disk fails or is damaged.
    pub async fn results(&self) -> Result<Option<Digest>, Error> {
        let held = self.shared.read().await?;
        let value = held.database.get(&key::results()).await?;
        let digest = value.map(|it| Digest::decode(Copying(&it)));
        digest
            .transpose()
            .map_err(|_| Error::Damaged("the digest of the results"))
    }

    /// Computes the root of what these writes will make of the state. Nothing is written.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn prepare(&self, head: Head, writes: Writes) -> Result<Prepared<S>, Error> {
        let held = self.shared.read().await?;
        let mut batch = held.database.new_batch();
        for (key, value) in writes {
            batch = batch.write(key, value);
        }
        let metadata = Some(head.encode());
        let batch = batch
            .merkleize(&held.database, metadata, &mut Proportional)
            .await?;
        let root = batch.root();
        Ok(Prepared { batch, head, root })
    }

    /// Commits: the one point after which the block is executed. Readers wait for it.
    ///
    /// # Errors
    /// If the disk fails: then the database is gone, and the node must stop.
    pub async fn apply(&mut self, prepared: Prepared<S>) -> Result<(), Error> {
        let mut held = self.shared.held.write().await;
        let Held { database, .. } = held.take().ok_or(Error::Lost)?;
        let database = database.apply_batch(prepared.batch).await?;
        let mut database = database.commit().await?;
        if prepared
            .head
            .height
            .is_multiple_of(self.prune_interval_blocks)
        {
            let boundary = database.sync_boundary();
            database = database.prune(boundary).await?;
        }
        self.head = Some(prepared.head);
        *held = Some(Held {
            database,
            head: self.head,
        });
        drop(held);
        Ok(())
    }
}

fn layout<S: Strategy>(
    config: Config,
    strategy: S,
) -> VariableConfig<EightCap, ((), RangeCfg<usize>), S> {
    let page_cache = CacheRef::new(config.page_bytes, config.page_cache);
    let partition = |part: &str| format!("{}-{part}", config.partition);
    VariableConfig {
        merkle_config: TreeConfig {
            journal_partition: partition("tree"),
            metadata_partition: partition("tree-marks"),
            items_per_blob: config.items_per_file,
            write_buffer: config.write_buffer_bytes,
            replay_buffer: config.replay_buffer_bytes,
            strategy,
            page_cache: page_cache.clone(),
        },
        journal_config: LogConfig {
            partition: partition("log"),
            items_per_section: config.items_per_file,
            compression: None,
            codec_config: ((), (..=VALUE_BYTES_MAX).into()),
            page_cache,
            write_buffer: config.write_buffer_bytes,
            replay_buffer: config.replay_buffer_bytes,
        },
        grafted_metadata_partition: partition("bitmap"),
        translator: EightCap,
        init_cache: Some(config.page_cache),
        init_buffer: config.replay_buffer_bytes,
        init_concurrency: (),
    }
}
