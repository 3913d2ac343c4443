//! The state as an application sees it: a map that is read, and writes that wait.

use super::key::{self, Key};
use bytes::Bytes;
use commonware_codec::Encode as _;
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Header};
use futures::future::BoxFuture;
use std::{collections::BTreeMap, sync::Arc};
use thiserror::Error;

/// Largest value, in bytes.
pub const VALUE_BYTES_MAX: usize = 1 << 20;

/// The disk failed, or what it gave back is damaged. The node must stop.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the state cannot be read: {0}")]
pub struct Unreadable(pub Arc<str>);

/// What a view reads.
pub trait Source: Send + Sync {
    /// The value of a key.
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Bytes>, Unreadable>>;
}

/// The state at one height. It stays as it is for as long as it is held.
pub struct View<'a>(Box<dyn Source + 'a>);

impl<'a> View<'a> {
    pub(super) fn new(source: impl Source + 'a) -> Self {
        Self(Box::new(source))
    }

    /// The value of a key.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn get(&self, name: &[u8]) -> Result<Option<Bytes>, Unreadable> {
        self.read(&key::application(name)).await
    }

    pub(super) async fn read(&self, key: &Key) -> Result<Option<Bytes>, Unreadable> {
        self.0.get(key).await
    }
}

/// What a batch wrote: the last of each key. `None` deletes.
pub type Writes = BTreeMap<Key, Option<Bytes>>;

/// The state with what was written since. What the writes are applied in is the order of the keys, whatever order they
/// were made in: the root depends on it.
pub struct Batch<'a> {
    view: View<'a>,
    writes: Writes,
}

impl<'a> Batch<'a> {
    /// Starts without writes.
    pub const fn over(view: View<'a>) -> Self {
        Self {
            view,
            writes: Writes::new(),
        }
    }

    /// The value of a key, as written here or else as it was.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn get(&self, name: &[u8]) -> Result<Option<Bytes>, Unreadable> {
        let key = key::application(name);
        match self.writes.get(&key) {
            Some(written) => Ok(written.clone()),
            None => self.view.read(&key).await,
        }
    }

    /// Gives a key a value.
    ///
    /// # Panics
    /// If the value is longer than [`VALUE_BYTES_MAX`].
    pub fn put(&mut self, name: &[u8], value: impl Into<Bytes>) {
        let value = value.into();
        assert!(
            value.len() <= VALUE_BYTES_MAX,
            "a value has {} bytes: at most {VALUE_BYTES_MAX} are allowed",
            value.len()
        );
        self.write(key::application(name), Some(value));
    }

    /// Takes a key's value away.
    pub fn delete(&mut self, name: &[u8]) {
        self.write(key::application(name), None);
    }

    /// Moves a lane on in the lane table. The header alone: two signatures of one header would make two states.
    pub(crate) fn include<P: PublicKey>(&mut self, header: &Header<P>) {
        self.write(key::lane(&header.sequencer), Some(header.encode()));
    }

    /// Notes the digest of the results.
    pub(crate) fn conclude(&mut self, results: &Digest) {
        self.write(key::results(), Some(results.encode()));
    }

    fn write(&mut self, key: Key, value: Option<Bytes>) {
        self.writes.insert(key, value);
    }

    /// What was written.
    pub fn into_writes(self) -> Writes {
        self.writes
    }
}

/// A state in memory: for tests of applications, and for models that replay a chain.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory(BTreeMap<Key, Bytes>);

impl Memory {
    /// The state as it is.
    pub fn view(&self) -> View<'_> {
        View::new(self)
    }

    /// Takes over what a batch wrote.
    pub fn apply(&mut self, writes: Writes) {
        for (key, value) in writes {
            match value {
                Some(value) => self.0.insert(key, value),
                None => self.0.remove(&key),
            };
        }
    }
}

impl Source for &Memory {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Bytes>, Unreadable>> {
        let value = self.0.get(key).cloned();
        Box::pin(async { Ok(value) })
    }
}
