//! A journal and a client that writes locks to it, waits for them, and lets them go.

use super::{EPOCH, Nouns, World};
use commonware_runtime::{Metrics, Spawner, Storage};
use commonware_utils::channel::mpsc;
use drystone_engine::{Key, Record, journal, scheme::fixture::Free, types::Signed};
use rand_core::Rng;
use std::sync::Arc;

type Locks = journal::Writer<Record<Nouns<Free>>>;

/// A client of a journal of its own.
pub struct Client {
    world: World<Free>,
    headers: Vec<Arc<Signed<Nouns<Free>>>>,
    writer: Locks,
    durable: mpsc::UnboundedReceiver<u64>,
}

impl Client {
    /// Opens a journal in `context`'s storage. `batch` is how many locks are written at a time; the log rolls at
    /// `section_bytes_max`.
    pub async fn open<E>(context: E, batch: u64, section_bytes_max: u64) -> Self
    where
        E: Spawner + Storage + Metrics + Rng,
    {
        let mut config = journal::Config::recommended("bench", ());
        config.section_bytes_max = section_bytes_max;
        let opened = journal::open::<E, Record<Nouns<Free>>>(context, config).await;
        let (mut journal, _) = opened.expect("an empty place");
        let (synced, durable) = mpsc::unbounded_channel();
        let writer = journal.subscribe(move |position| {
            // The client is gone when the bench is over.
            let _ = synced.send(position);
        });
        journal.start();
        let world = World::new(4);
        let headers = world.headers(0, world.root(0), 1, batch);
        Self {
            world,
            headers,
            writer,
            durable,
        }
    }

    /// Appends a batch of locks, waits until they are durable, and forgets them: the life of a lane's heights.
    pub async fn round(&mut self) {
        let locks = self.headers.iter().map(|header| Record::Lock {
            epoch: EPOCH,
            header: header.clone(),
        });
        let position = self.writer.append(locks.collect::<Vec<_>>());
        while self.durable.recv().await.expect("the journal runs") < position {}
        let lane = &self.world.names[0];
        let last = self.headers.len() as u64;
        let key = |height| Key::Lock(lane.clone(), height, EPOCH);
        self.writer.forget(key(1)..=key(last));
    }
}
