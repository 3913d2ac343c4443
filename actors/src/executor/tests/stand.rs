//! Stands in for the actors around an executor.

use super::{doors::Doors, kit::Chain};
use crate::{
    application::Application as _,
    block,
    chunk::Chunk,
    chunk_store::{self, Absence, Found, Stored},
    executor::{Fetcher, Lanes, Outlets, Store},
    mempool,
    reference::Reference,
    relay,
    testing::{Key, LIMITS, Nouns},
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_utils::{channel::oneshot, sync::Mutex};
use drystone_engine::{
    Horizon,
    types::{Digest, Signed, Tip},
};
use std::{collections::BTreeMap, sync::Arc};

/// Headers of one lane.
pub type Run = Vec<Arc<Signed<Nouns>>>;
/// What a block's acceptance names.
pub type Kept = Vec<(Reference<Key>, Option<Bytes>)>;

/// What the actors around an executor have, and what they were told.
#[derive(Default)]
pub struct Desk {
    pub headers: BTreeMap<Key, Run>,
    /// What the store has.
    pub stored: BTreeMap<Digest, Bytes>,
    /// Whether the store gives chunks that were opened and read when they came.
    pub opened: bool,
    /// What others have.
    pub elsewhere: BTreeMap<Digest, Bytes>,
    /// Requests that are dropped without an answer before any is answered.
    pub dropped: usize,
    pub asked: Vec<Reference<Key>>,
    /// Fetches that wait.
    pub fetches: Vec<(Reference<Key>, oneshot::Sender<relay::Fetched>)>,
    pub fetched: usize,
    /// Whether runs wait, and those that do.
    pub runs_wait: bool,
    pub runs: Vec<(Key, Tip, Tip, oneshot::Sender<Run>)>,
    pub accepted: BTreeMap<u64, Kept>,
    /// Acceptances until the store ends.
    pub accepts_left: Option<usize>,
    pub horizon: Horizon<Key>,
    pub executed: Vec<mempool::Executed<Key>>,
    pub roots: BTreeMap<u64, Digest>,
}

impl Desk {
    fn drops(&mut self) -> bool {
        let drops = self.dropped > 0;
        self.dropped = self.dropped.saturating_sub(1);
        drops
    }

    pub fn run(&self, sequencer: &Key, above: Tip, to: Tip) -> Run {
        let within =
            |it: &&Arc<Signed<Nouns>>| above.height < it.height() && it.height() <= to.height;
        let run = self.headers[sequencer].iter().filter(within);
        run.cloned().collect()
    }
}

/// Stands in for all of them. It outlives a crash.
#[derive(Clone, Default)]
pub struct Stand(pub Arc<Mutex<Desk>>);

impl Stand {
    /// Everything of a chain is in the store.
    pub fn stocked(chain: &Chain) -> Self {
        let stand = Self::default();
        {
            let mut desk = stand.0.lock();
            for (who, lane) in &chain.lanes {
                let headers = lane.iter().map(|(header, _)| Arc::clone(header)).collect();
                desk.headers.insert(chain.world.key(*who), headers);
                for (_, chunk) in lane {
                    let body = chunk.body().clone();
                    desk.stored.insert(chunk.payload().digest, body);
                }
            }
        }
        stand
    }

    /// Takes a body out of the store, and gives it back.
    pub fn lose(&self, digest: &Digest) -> Bytes {
        self.0.lock().stored.remove(digest).expect("stored")
    }

    /// Answers a fetch that waits.
    pub fn arrive(&self, body: &Bytes) {
        let mut desk = self.0.lock();
        let digest = Sha256::hash(&[body]);
        for (reference, responder) in std::mem::take(&mut desk.fetches) {
            if reference.place.digest == digest {
                let _ = responder.send(Chunk::open(body.clone(), &reference.payload(), &LIMITS));
            } else {
                desk.fetches.push((reference, responder));
            }
        }
    }
}

/// What a chunk store keeps in memory of a body that came here.
fn read(body: Bytes) -> Chunk {
    let chunk = Chunk::decode(body, &LIMITS).expect("it was packed");
    let facts = chunk
        .transactions()
        .iter()
        .map(|it| Doors::default().decode(it));
    match facts.collect::<Result<_, _>>() {
        Ok(facts) => chunk.with_facts(facts),
        Err(_) => chunk,
    }
}

impl Lanes<Nouns> for Stand {
    fn run(&self, _: u64, sequencer: &Key, above: Tip, to: Tip) -> oneshot::Receiver<Run> {
        let (responder, run) = oneshot::channel();
        let mut desk = self.0.lock();
        if desk.drops() {
            return run;
        }
        if desk.runs_wait {
            desk.runs.push((sequencer.clone(), above, to, responder));
        } else {
            let _ = responder.send(desk.run(sequencer, above, to));
        }
        run
    }
}

impl Store<Key> for Stand {
    fn get(&self, reference: Reference<Key>, _: u64) -> oneshot::Receiver<Found<Stored>> {
        let (responder, found) = oneshot::channel();
        let mut desk = self.0.lock();
        if desk.drops() {
            return found;
        }
        let body = desk.stored.get(&reference.place.digest).cloned();
        let stored = |body| match desk.opened {
            true => Stored::Chunk(read(body)),
            false => Stored::Body(body),
        };
        let answer = body.map_or(Found::Absent(Absence::Unknown), |it| {
            Found::Body(stored(it))
        });
        let _ = responder.send(answer);
        desk.asked.push(reference);
        found
    }

    fn accept(&self, height: u64, chunks: Kept) -> oneshot::Receiver<chunk_store::Accepted<Key>> {
        let (responder, accepted) = oneshot::channel();
        let mut desk = self.0.lock();
        if let Some(left) = &mut desk.accepts_left {
            let Some(less) = left.checked_sub(1) else {
                return accepted;
            };
            *left = less;
        }
        if let Some(before) = desk.accepted.insert(height, chunks.clone()) {
            assert_eq!(before, chunks, "a block has one content");
        }
        let _ = responder.send(Ok(()));
        accepted
    }

    fn lacking(
        &self,
        height: u64,
        references: Vec<Reference<Key>>,
    ) -> oneshot::Receiver<Vec<Reference<Key>>> {
        let (responder, lacking) = oneshot::channel();
        let desk = self.0.lock();
        let kept = desk.accepted.get(&height).into_iter().flatten();
        let kept: Vec<_> = kept.map(|(reference, _)| reference).collect();
        let mut references = references;
        references.retain(|it| !kept.contains(&it));
        let _ = responder.send(references);
        lacking
    }
}

impl Fetcher<Key> for Stand {
    fn fetch(&self, reference: Reference<Key>, _: u64) -> oneshot::Receiver<relay::Fetched> {
        let (responder, fetched) = oneshot::channel();
        let mut desk = self.0.lock();
        if desk.drops() {
            return fetched;
        }
        desk.fetched += 1;
        match desk.elsewhere.get(&reference.place.digest).cloned() {
            Some(body) => {
                let _ = responder.send(Chunk::open(body, &reference.payload(), &LIMITS));
            }
            None => desk.fetches.push((reference, responder)),
        }
        fetched
    }
}

impl Outlets<Key> for Stand {
    fn advanced(&mut self, horizon: Horizon<Key>) {
        self.0.lock().horizon.merge(horizon);
    }

    fn executed(&mut self, state: block::Executed, transactions: mempool::Executed<Key>) {
        let mut desk = self.0.lock();
        let before = desk.roots.insert(state.height, state.root);
        assert!(
            before.is_none_or(|it| it == state.root),
            "one root a height"
        );
        desk.executed.push(transactions);
    }
}
