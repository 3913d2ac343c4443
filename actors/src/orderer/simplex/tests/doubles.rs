//! What stands for the lanes' engine and the committees.

use crate::{
    chain::Source,
    executor,
    orderer::simplex::{Consensus, free},
    testing::{Key, Nouns, World, certify},
};
use commonware_consensus::{simplex::elector::RoundRobin, types::Epoch};
use commonware_cryptography::certificate::{Provider as Schemes, Scoped};
use commonware_utils::{
    Participant, TryFromIterator as _,
    channel::oneshot,
    ordered::{Quorum as _, Set},
    sync::Mutex,
};
use drystone_engine::{
    scheme::fixture::{Fixture as _, Free},
    types::{Certificate, Committee, Digest, Provider, Signed, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The nouns: free lanes, free votes, leaders in turn.
#[derive(Clone)]
pub struct Test;

impl Consensus for Test {
    type Types = Nouns;
    type Scheme = free::Scheme<Key>;
    type Schemes = Seats;
    type Elector = RoundRobin;
}

/// Who sits where, as node `me` sees it. Five nodes; in odd epochs node 4 sits in the place of node 0, if they rotate.
#[derive(Clone)]
pub struct Seats {
    pub world: Arc<World>,
    pub ledger: free::Shared,
    pub me: usize,
    pub rotate: bool,
    /// Epochs from here on are not known yet.
    pub known: Arc<Mutex<u64>>,
}

impl Seats {
    pub fn validators(&self, epoch: u64) -> Vec<usize> {
        if self.rotate && epoch % 2 == 1 {
            (1..5).collect()
        } else {
            (0..4).collect()
        }
    }

    fn set(&self, epoch: u64) -> Set<Key> {
        let keys = self
            .validators(epoch)
            .into_iter()
            .map(|it| self.world.key(it));
        Set::try_from_iter(keys).expect("distinct")
    }

    fn seat(&self, me: usize, epoch: u64) -> Committee<Nouns> {
        let validators: Vec<_> = self
            .validators(epoch)
            .into_iter()
            .map(|it| self.world.keys[it].clone())
            .collect();
        let schemes = Free::committee(0, self.world.genesis.ack_namespace(), &validators);
        let sequencers = Set::try_from_iter((0..6).map(|it| self.world.key(it))).expect("distinct");
        Committee::new(epoch, schemes.of(&self.world.key(me)).clone(), sequencers)
    }

    /// What three validators of an epoch certify.
    pub fn certify(&self, epoch: u64, header: &Signed<Nouns>) -> Arc<Certificate<Nouns>> {
        let validators = self.validators(epoch);
        let seats = [0, 1, 2].map(|it| self.seat(validators[it], epoch));
        certify(seats, header)
    }
}

impl Provider<Nouns> for Seats {
    fn committee(&self, epoch: u64) -> Option<Arc<Committee<Nouns>>> {
        let known = epoch < *self.known.lock();
        known.then(|| Arc::new(self.seat(self.me, epoch)))
    }
}

impl Schemes for Seats {
    type Scope = Epoch;
    type Scheme = free::Scheme<Key>;

    fn scoped(&self, epoch: Epoch) -> Option<Scoped<Self::Scheme>> {
        let (set, namespace) = (self.set(epoch.get()), b"votes");
        let me: Option<Participant> = set.index(&self.world.key(self.me));
        let scheme = match me {
            Some(me) => {
                free::Scheme::signer(namespace, set, me, self.ledger.clone()).expect("a validator")
            }
            None => free::Scheme::verifier(namespace, set, self.ledger.clone()),
        };
        Some(Scoped::scheme(Arc::new(scheme)))
    }
}

type Run = Vec<Arc<Signed<Nouns>>>;

#[derive(Default)]
struct Shelves {
    headers: BTreeMap<Digest, Arc<Signed<Nouns>>>,
    withheld: bool,
    waiting: Vec<(Tip, Tip, oneshot::Sender<Run>)>,
    asked: BTreeSet<Tip>,
    times: usize,
    found: BTreeSet<Tip>,
}

impl Shelves {
    fn run(&self, above: Tip, to: Tip) -> Run {
        let mut run = Vec::new();
        let mut digest = to.digest;
        for _ in above.height..to.height {
            let header = self.headers[&digest].clone();
            digest = header.header().previous;
            run.insert(0, header);
        }
        run
    }
}

/// All headers there are, for all nodes.
#[derive(Clone, Default)]
pub struct Lanes(Arc<Mutex<Shelves>>);

impl Lanes {
    pub fn keep(&self, headers: &[Arc<Signed<Nouns>>]) {
        let headers = headers.iter().map(|it| (it.digest(), it.clone()));
        self.0.lock().headers.extend(headers);
    }

    /// From now on nobody finds any, until they are released.
    pub fn withhold(&self) {
        self.0.lock().withheld = true;
    }

    pub fn release(&self) {
        let mut shelves = self.0.lock();
        shelves.withheld = false;
        for (above, to, responder) in std::mem::take(&mut shelves.waiting) {
            let _ = responder.send(shelves.run(above, to));
        }
    }

    /// Questions that wait and were not withdrawn.
    pub fn waiting(&self) -> usize {
        let shelves = self.0.lock();
        let open = shelves.waiting.iter().filter(|(.., it)| !it.is_closed());
        open.count()
    }

    /// How often anybody asked.
    pub fn asked_times(&self) -> usize {
        self.0.lock().times
    }

    /// Whether anybody found a certificate of a tip in a block.
    pub fn was_found(&self, tip: Tip) -> bool {
        self.0.lock().found.contains(&tip)
    }

    /// Whether anybody asked for the headers below a tip.
    pub fn was_asked(&self, tip: Tip) -> bool {
        self.0.lock().asked.contains(&tip)
    }
}

impl executor::Lanes<Nouns> for Lanes {
    fn run(&self, _: u64, _: &Key, above: Tip, to: Tip) -> oneshot::Receiver<Run> {
        let (responder, answer) = oneshot::channel();
        let mut shelves = self.0.lock();
        shelves.asked.insert(to);
        shelves.times += 1;
        if shelves.withheld {
            shelves.waiting.push((above, to, responder));
        } else {
            let _ = responder.send(shelves.run(above, to));
        }
        answer
    }
}

impl Source<Nouns> for Lanes {
    fn certified(&self, certificate: Arc<Certificate<Nouns>>) {
        self.0.lock().found.insert(certificate.tip);
    }
}
