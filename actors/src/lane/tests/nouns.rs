//! What the nodes of the test are made of.

use crate::{
    Bodies as _, chunk_store,
    lane::{Outlets, Owner, Proposer, Reports, Sightings, Signers},
    mempool::Sighting,
    testing::{Key, Letters, chunk},
};
use commonware_parallel::Sequential;
use commonware_runtime::{Supervisor as _, deterministic::Context};
use commonware_utils::{channel::oneshot, ordered::Quorum as _, sync::Mutex};
use drystone_engine::{
    Next,
    scheme::free,
    types::{Certificate, Committee, Digest, Payload, Provider, Types},
};
use std::{collections::BTreeMap, sync::Arc};

/// The nouns of a whole node over free signatures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nouns;

impl Types for Nouns {
    type PublicKey = Key;
    type PrivateKey = free::PrivateKey;
    type Scheme = free::Scheme<Key>;
    type Strategy = Sequential;
    type Automaton = Owner<Key, Writer>;
    type Reporter = Reports<Self, Book, Bits>;
}

impl chunk_store::Types for Nouns {
    type PublicKey = Key;
    type Rules = Letters;
    type Strategy = Sequential;
    type Outlets = Outlets<Self, Book>;
}

/// Proposes a chunk whenever it is asked: another one each time.
#[derive(Clone)]
pub struct Writer {
    pub store: chunk_store::Mailbox<Key>,
    pub context: Arc<Context>,
    pub who: u64,
}

impl Proposer for Writer {
    fn propose(&mut self, next: Next) -> oneshot::Receiver<Payload> {
        use commonware_runtime::Spawner as _;
        let (responder, payload) = oneshot::channel();
        let body = chunk(self.who << 32 | next.height, 600);
        let made = body.payload();
        let durable = self.store.persist(body);
        self.context.child("writer").spawn(move |_| async move {
            if durable.await.is_ok() {
                let _ = responder.send(made);
            }
        });
        payload
    }
}

/// Keeps what a mempool would be told: transactions sighted, and heights certified.
#[derive(Clone, Default)]
pub struct Book {
    pub sighted: Arc<Mutex<BTreeMap<Digest, u64>>>,
    pub certified: Arc<Mutex<BTreeMap<Key, u64>>>,
}

impl Sightings<Key> for Book {
    fn sighted(&self, sighting: Sighting<Key>) {
        for id in sighting.ids {
            self.sighted.lock().insert(id, sighting.expiry_ms);
        }
    }

    fn certified(&self, sequencer: Key, height: u64) {
        self.certified.lock().insert(sequencer, height);
    }
}

/// Free certificates tell who signed.
#[derive(Clone)]
pub struct Bits(pub Arc<Committee<Nouns>>);

impl Signers<Nouns> for Bits {
    fn of(&self, certificate: &Certificate<Nouns>) -> Vec<Key> {
        let signers = certificate.proof.signers();
        signers
            .filter_map(|it| self.0.validators().key(it).cloned())
            .collect()
    }
}

pub struct Seats(pub Arc<Committee<Nouns>>);

impl Provider<Nouns> for Seats {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        (epoch == self.0.epoch()).then(|| self.0.clone())
    }
}
