//! Three honest validators, a fourth that acks whatever the others do, and a sequencer that may equivocate.

use crate::{
    activity::Verdict,
    horizon::Horizon,
    journal::Record as _,
    record::Key,
    scheme::free,
    testing::{Node, Nouns, World},
    tip_manager::{Candidate, Message},
    types::{Certificate, Digest, Signed, Tip},
    wire::Gossip,
};
use commonware_cryptography::certificate::Attestation;
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
};

mod referee;

const HONEST: usize = 3;
const FAULTY: usize = 3;
const SEQUENCER: usize = 4;
const EPOCHS: u64 = 6;
const SEEDS: u64 = 100;

type Votes = BTreeMap<usize, Attestation<free::Scheme<free::PublicKey>>>;

/// One honest validator and what it waits for.
struct Validator {
    node: Node,
    questions: Vec<Arc<Signed<Nouns>>>,
    checks: Vec<Vec<Candidate<Nouns>>>,
    /// Locks below this height may be gone from its journal.
    /// Ranges the journal may forget, with the number of records there were then.
    forgotten: Vec<(usize, RangeInclusive<Key<free::PublicKey>>)>,
}

/// What happened, so that a run in which nothing did is noticed.
#[derive(Default)]
struct Seen {
    acks: usize,
    certificates: usize,
    proofs: usize,
    restarts: usize,
    epochs: usize,
    executed: u64,
}

struct Model {
    world: World,
    rng: StdRng,
    equivocates: bool,
    validators: Vec<Validator>,
    headers: Vec<Arc<Signed<Nouns>>>,
    certificates: Vec<Arc<Certificate<Nouns>>>,
    votes: BTreeMap<(u64, u64, Digest), Votes>,
    /// What each honest validator acked, ever: by validator, epoch and height.
    acked: BTreeMap<(usize, u64, u64), Digest>,
    certified: BTreeMap<(u64, u64), Digest>,
    executed: Tip,
    seen: Seen,
}

impl Model {
    fn new(seed: u64) -> Self {
        let world = World::new();
        let validator = |me| Validator {
            node: Node::new(&world, me),
            questions: Vec::new(),
            checks: Vec::new(),
            forgotten: Vec::new(),
        };
        Self {
            rng: StdRng::seed_from_u64(seed),
            equivocates: !seed.is_multiple_of(4),
            validators: (0..HONEST).map(validator).collect(),
            headers: Vec::new(),
            certificates: Vec::new(),
            votes: BTreeMap::new(),
            acked: BTreeMap::new(),
            certified: BTreeMap::new(),
            executed: world.root(SEQUENCER),
            seen: Seen::default(),
            world,
        }
    }

    fn draw(&mut self, upto: usize) -> usize {
        self.rng.random_range(0..upto)
    }

    fn step(&mut self) {
        let at = self.draw(HONEST);
        match self.draw(24) {
            0..=2 => self.extend(),
            3..=9 => self.deliver(at),
            10..=12 => self.show_certificate(at),
            13..=15 => self.judge(at),
            16..=17 => self.check(at),
            18..=20 => self.sync(at),
            21 => self.restart(at),
            22 if self.draw(3) == 0 => self.enter(at),
            22 => self.tell(at, Message::Stirred),
            _ => self.execute(at),
        }
    }

    /// The sequencer signs a header: above its last one or, if it equivocates, beside a recent one.
    fn extend(&mut self) {
        let back = if self.equivocates { self.draw(4) } else { 0 };
        let index = self.headers.len().checked_sub(1 + back);
        let below = index.map_or(self.world.root(SEQUENCER), |it| self.headers[it].tip());
        let salt = self.headers.len() as u64;
        self.headers
            .extend(self.world.branch(SEQUENCER, below, 1, salt));
    }

    /// Recent headers, most in order and some missing, from the sequencer or relayed.
    fn deliver(&mut self, at: usize) {
        let first = self.headers.len().saturating_sub(1 + self.draw(12));
        let recent = self.headers[first..].to_vec();
        let mut chosen: Vec<_> = recent
            .into_iter()
            .filter(|_| self.rng.random_range(0..5) > 0)
            .collect();
        if self.draw(4) == 0 {
            chosen.reverse();
        }
        if chosen.is_empty() {
            return;
        }
        let from = if self.draw(4) == 0 { FAULTY } else { SEQUENCER };
        let certificate = match self.draw(3) {
            0 => self.any_certificate(),
            _ => None,
        };
        let envelope = self.world.envelope(&chosen, certificate.as_ref());
        let from = self.world.key(from);
        self.tell(at, Message::Delivered { from, envelope });
    }

    fn any_certificate(&mut self) -> Option<Arc<Certificate<Nouns>>> {
        let back = self.draw(8) + 1;
        let index = self.certificates.len().checked_sub(back)?;
        Some(self.certificates[index].clone())
    }

    fn show_certificate(&mut self, at: usize) {
        let certificates = Vec::from_iter(self.any_certificate());
        let from = self.world.key(FAULTY);
        let gossip = Gossip::Certificates {
            reply: true,
            certificates,
        };
        self.tell(at, Message::Gossiped { from, gossip });
    }

    fn judge(&mut self, at: usize) {
        for header in std::mem::take(&mut self.validators[at].questions) {
            let verdict = match self.draw(8) {
                0 => Verdict::Pending,
                1 => Verdict::Invalid,
                _ => Verdict::Valid,
            };
            let effects = self.validators[at].node.judge(&header, verdict);
            self.absorb(at, effects);
        }
    }

    fn check(&mut self, at: usize) {
        for batch in std::mem::take(&mut self.validators[at].checks) {
            let results = batch.into_iter().map(|it| (it, true)).collect();
            self.tell(at, Message::Checked(results));
        }
    }

    fn sync(&mut self, at: usize) {
        let node = &self.validators[at].node;
        let (durable, written) = (node.durable(), node.written.len());
        let upto = durable + self.draw(written - durable + 1);
        let effects = self.validators[at].node.sync_to(upto);
        self.absorb(at, effects);
    }

    /// A crash: some of what was not synced may be there all the same, and the journal may have
    /// rolled, which leaves the last record of each key that was not forgotten.
    fn restart(&mut self, at: usize) {
        self.seen.restarts += 1;
        let node = &self.validators[at].node;
        let (durable, written) = (node.durable(), node.written.len());
        let kept = durable + self.draw(written - durable + 1);
        let mut records = self.validators[at].node.written[..kept].to_vec();
        let mut forgotten = self.validators[at].forgotten.clone();
        forgotten.retain(|(at, _)| *at <= kept);
        if self.draw(2) == 0 {
            let mut keys = BTreeSet::new();
            let mut index = records.len();
            records.reverse();
            records.retain(|it| {
                index -= 1;
                let key = it.key();
                let mut ranges = forgotten.iter().filter(|(at, _)| index < *at);
                !ranges.any(|(_, range)| range.contains(&key)) && keys.insert(key)
            });
            records.reverse();
            // What remains lies elsewhere now.
            forgotten.clear();
        }
        let node = Node::restored(&self.world, at, records);
        self.validators[at] = Validator {
            node,
            questions: Vec::new(),
            checks: Vec::new(),
            forgotten,
        };
        self.tell(at, Message::Started);
    }

    fn enter(&mut self, at: usize) {
        let epoch = self.validators[at].node.state.epochs().epoch() + 1;
        if epoch < EPOCHS {
            self.seen.epochs += 1;
            self.tell(at, Message::Entered(epoch));
        }
    }

    /// The chain takes a certified tip that links to the last one, or a validator hears of it.
    fn execute(&mut self, at: usize) {
        if let Some(certificate) = self.any_certificate()
            && self.draw(2) == 0
            && self.links(&certificate)
        {
            self.executed = certificate.tip;
            self.seen.executed = certificate.tip.height;
        }
        let lane = BTreeMap::from([(self.world.key(SEQUENCER), self.executed)]);
        let horizon = Horizon {
            included: lane.clone(),
            executed: lane,
            ..Horizon::default()
        };
        self.tell(at, Message::Advanced(horizon));
    }

    fn links(&self, certificate: &Certificate<Nouns>) -> bool {
        let mut digest = certificate.tip.digest;
        while digest != self.executed.digest {
            match self.headers.iter().find(|it| it.digest() == digest) {
                Some(header) if header.height() > self.executed.height => {
                    digest = header.header().previous;
                }
                _ => return false,
            }
        }
        certificate.tip.height > self.executed.height
    }

    fn tell(&mut self, at: usize, message: Message<Nouns>) {
        let effects = self.validators[at].node.tell(message);
        self.absorb(at, effects);
    }
}

// L-02, L-04, L-06, L-10, D-09, D-12, R-01
#[test]
fn no_validator_ever_acks_two_headers_at_one_height_of_an_epoch_or_before_its_sync() {
    let mut all = Seen::default();
    for seed in 0..SEEDS {
        let mut model = Model::new(seed);
        for _ in 0..600 {
            model.step();
        }
        let Seen {
            acks,
            certificates,
            proofs,
            restarts,
            epochs,
            executed,
        } = model.seen;
        assert!(
            model.equivocates || proofs == 0,
            "seed {seed}: an honest sequencer is never accused"
        );
        all.acks += acks;
        all.certificates += certificates;
        all.proofs += proofs;
        all.restarts += restarts;
        all.epochs += epochs;
        all.executed += executed;
    }
    // Each on average once a seed or more: the runs are not vacuous.
    let enough = usize::try_from(SEEDS).expect("small");
    assert!(all.acks > 10 * enough && all.certificates > enough && all.proofs > enough);
    assert!(all.restarts > enough && all.epochs > enough && all.executed > SEEDS);
}
