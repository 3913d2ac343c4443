//! One life of a node's reporters: of its engine, of its mempool, of its chunk store.

use super::{
    byzantine::Tap,
    chain::Headers,
    genesis::{Key, Nouns, World},
    observation::{Leaving, Seen},
    payment::Payment,
};
use crate::{
    Observer,
    lanes::{Committees, Short, Witness},
};
use commonware_utils::{channel::oneshot, ordered::Quorum as _, sync::Mutex};
use drystone_actors::{
    Bodies, Reference,
    chunk::Chunk,
    chunk_store,
    lane::{self, Reports, Signers, Unattributed},
    mempool::{self, Activity as Fate, Source, Verdict},
};
use drystone_engine::{
    Activity, Reporter,
    scheme::fixture::Free,
    types::{Certificate, Digest, Provider as _, Tip},
};
use std::{collections::BTreeMap, sync::Arc};

/// Hands what the engine reports to the node's actors, and what is seen of it to the world.
pub struct Report {
    life: Arc<Reporting>,
}

/// What one life's reports go to.
pub struct Reporting {
    pub witness: Witness<Free, Nouns>,
    pub world: Arc<World>,
    pub me: Key,
    pub observer: Observer<Seen>,
    pub headers: Arc<Mutex<Headers>>,
    pub certified: Certified,
    /// What this node locked or made, over its lives.
    pub promises: Arc<Mutex<Promises>>,
    pub inner: Reports<Nouns, mempool::Mailbox<Nouns>, Hints>,
    pub tap: Option<Tap>,
}

/// Chunks by lane, height and header.
pub type Promises = BTreeMap<(Key, u64, Digest), Reference<Key>>;

/// The newest certificate of each lane that a node reported.
pub type Certified = Arc<Mutex<BTreeMap<Key, Arc<Certificate<Nouns>>>>>;

impl Clone for Report {
    fn clone(&self) -> Self {
        Self {
            life: self.life.clone(),
        }
    }
}

impl Reporting {
    fn promise(&self, sequencer: &Key, tip: Tip) {
        if let Some(header) = self.headers.lock().get(sequencer, tip) {
            let key = (sequencer.clone(), tip.height, tip.digest);
            self.promises.lock().insert(key, Reference::from(header));
        }
    }
}

impl Report {
    pub fn new(life: Reporting) -> Self {
        Self {
            life: Arc::new(life),
        }
    }
}

impl Reporter<Nouns> for Report {
    fn report(&self, activity: Activity<Nouns>) {
        let life = &self.life;
        match &activity {
            Activity::Proposed(header) => {
                life.headers.lock().add(header);
                life.promise(&header.header().sequencer, header.tip());
                if let Some(tap) = &life.tap {
                    tap.made(header);
                }
            }
            Activity::Tip(header) => {
                life.headers.lock().add(header);
                // One that an earlier life made and could not report.
                if header.header().sequencer == life.me {
                    life.observer
                        .report(kept(&life.world, &Reference::from(header.header())));
                }
                life.promise(&header.header().sequencer, header.tip());
            }
            Activity::Linked(header) => life.headers.lock().add(header),
            Activity::Certified(certificate) => {
                let mut certified = life.certified.lock();
                let key = certificate.sequencer.clone();
                let newest = certified.entry(key).or_insert_with(|| certificate.clone());
                if newest.rank() < certificate.rank() {
                    *newest = certificate.clone();
                }
            }
            Activity::Acked { .. } | Activity::Evidence(_) | Activity::Entered(_) => {}
        }
        if let Some(seen) = life.witness.seen(&activity) {
            life.observer.report(Seen::Lane(seen));
        }
        life.inner.report(activity);
    }
}

/// Whether a certificate tells who signed.
#[derive(Clone)]
pub enum Hints {
    /// It does, as free ones do.
    Bits(Arc<Committees<Free, Nouns>>),
    /// It does not.
    Nobody(Unattributed),
}

impl Signers<Nouns> for Hints {
    fn of(&self, certificate: &Certificate<Nouns>) -> Vec<Key> {
        let committees = match self {
            Self::Bits(committees) => committees,
            Self::Nobody(nobody) => return nobody.of(certificate),
        };
        let committee = committees.committee(certificate.epoch);
        let committee = committee.expect("it was verified");
        let signers = certificate.proof.signers();
        signers
            .filter_map(|it| committee.validators().key(it).cloned())
            .collect()
    }
}

/// Reports what becomes of payments.
#[derive(Clone)]
pub struct Mempool {
    pub observer: Observer<Seen>,
    /// The workload.
    pub payments: Arc<BTreeMap<Digest, Payment>>,
}

impl mempool::Observer<Key> for Mempool {
    fn report(&self, fate: Fate<Key>) {
        let seen = match fate {
            Fate::Accepted { id, source } => Seen::Accepted {
                id: Short::of(&id),
                expiry_ms: self.payments.get(&id).map_or(u64::MAX, |it| it.expiry_ms),
                client: source == Source::Client,
            },
            Fate::Left { id, verdict } => Seen::Left {
                id: Short::of(&id),
                verdict: match verdict {
                    Verdict::Executed => Leaving::Executed,
                    Verdict::Expired => Leaving::Expired,
                    Verdict::Invalid(_) => Leaving::Invalid,
                },
            },
        };
        self.observer.report(seen);
    }
}

/// Passes on what the chunk store tells, and reports the bodies it keeps.
pub struct Outlets {
    pub world: Arc<World>,
    pub observer: Observer<Seen>,
    pub inner: lane::Outlets<Nouns, mempool::Mailbox<Nouns>>,
}

impl chunk_store::Outlets<Key> for Outlets {
    fn want(&mut self, reference: &Reference<Key>) {
        self.inner.want(reference);
    }

    fn settle(&mut self, reference: &Reference<Key>) {
        self.inner.settle(reference);
    }

    fn sighted(&mut self, reference: &Reference<Key>, ids: Vec<Digest>) {
        self.observer.report(kept(&self.world, reference));
        self.inner.sighted(reference, ids);
    }

    fn stir(&mut self) {
        self.inner.stir();
    }
}

/// Keeps what the builder packs in the chunk store, and reports it.
#[derive(Clone)]
pub struct Shelf {
    pub observer: Observer<Seen>,
    pub store: chunk_store::Mailbox<Key>,
}

impl Bodies for Shelf {
    fn persist(&mut self, chunk: Chunk) -> oneshot::Receiver<()> {
        let ids = chunk.transactions().iter();
        self.observer.report(Seen::Packed {
            payload: Short::of(&chunk.payload().digest),
            ids: ids.map(|it| Short::of(&Payment::id(it))).collect(),
        });
        self.store.persist(chunk)
    }
}

/// A body is at a node.
pub fn kept(world: &World, reference: &Reference<Key>) -> Seen {
    Seen::Kept {
        lane: world.nodes[&reference.sequencer],
        height: reference.place.height,
        slot: reference.place.slot,
        payload: Short::of(&reference.place.digest),
        bytes: reference.bytes,
        items: reference.items,
    }
}
