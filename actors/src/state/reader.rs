//! The state for those who only read it: mempool, queries, proofs.

use super::{
    head::Head,
    key::{self, Key},
    proof::Proof,
    store::{Error, Guard, Machine, Shared},
    view::{Source, Unreadable, View},
};
use bytes::Bytes;
use commonware_parallel::Strategy;
use drystone_engine::types::Digest;
use futures::future::BoxFuture;
use std::sync::Arc;

/// A value, or that there is none, and what a client needs to believe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proven {
    /// The block that made the state.
    pub head: Head,
    /// The state's root.
    pub root: Digest,
    /// The value.
    pub value: Option<Bytes>,
    /// That this is the value under this root.
    pub proof: Proof,
}

/// Reads the newest executed state. It knows neither the machine nor the database.
#[derive(Clone)]
pub struct Reader(Arc<dyn Provider>);

trait Provider: Send + Sync {
    fn view(&self) -> BoxFuture<'_, Result<View<'_>, Unreadable>>;
    fn prove<'a>(&'a self, key: Key) -> BoxFuture<'a, Result<Option<Proven>, Error>>;
}

impl Reader {
    pub(super) fn new<E: Machine, S: Strategy>(shared: Arc<Shared<E, S>>) -> Self {
        Self(shared)
    }

    /// The newest executed state. No block is committed for as long as it is held.
    ///
    /// # Errors
    /// If the database was lost.
    pub async fn view(&self) -> Result<View<'_>, Unreadable> {
        self.0.view().await
    }

    /// The value of a key of the application's, with its proof. `None` before the genesis was written.
    ///
    /// # Errors
    /// If the disk fails.
    pub async fn prove(&self, name: &[u8]) -> Result<Option<Proven>, Error> {
        self.0.prove(key::application(name)).await
    }
}

impl<E: Machine, S: Strategy> Provider for Shared<E, S> {
    fn view(&self) -> BoxFuture<'_, Result<View<'_>, Unreadable>> {
        Box::pin(async { Ok(View::new(self.read().await?)) })
    }

    fn prove<'a>(&'a self, key: Key) -> BoxFuture<'a, Result<Option<Proven>, Error>> {
        Box::pin(async move {
            let held = self.read().await?;
            let Some(head) = held.head else {
                return Ok(None);
            };
            let value = held.database.get(&key).await?;
            let proof = match value {
                Some(_) => Proof::Present(held.database.key_value_proof(key).await?),
                None => Proof::Absent(held.database.exclusion_proof(&key).await?),
            };
            Ok(Some(Proven {
                head,
                root: held.database.root(),
                value,
                proof,
            }))
        })
    }
}

impl<E: Machine, S: Strategy> Source for Guard<'_, E, S> {
    fn get<'a>(&'a self, key: &'a Key) -> BoxFuture<'a, Result<Option<Bytes>, Unreadable>> {
        Box::pin(async {
            let value = self.database.get(key).await;
            value.map_err(|error| Error::from(error).into())
        })
    }
}
