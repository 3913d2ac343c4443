//! The double of the chain: blocks of what the nodes' certificate pools hand out, one monotone sequence, of which each
//! node learns with its own delay.
//!
//! A block is asked of one node's pool shortly before it is due; if that node does not answer in time, it is empty.

use super::{
    genesis::{Key, Nouns, World},
    ledger::{Table, merged},
    observation::Seen,
};
use crate::{
    Observer,
    draw::derive,
    lanes::{self, Witness},
    time::millis,
};
use commonware_utils::sync::Mutex;
use drystone_actors::certificate_pool::{Candidate, Selection};
use drystone_engine::{
    scheme::fixture::Free,
    types::{Digest, Header, Signed, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::UNIX_EPOCH,
};

/// One block.
#[derive(Debug, Default)]
pub struct Block {
    pub height: u64,
    pub time_ms: u64,
    pub runs: Vec<Run>,
}

/// What a block includes of one lane, lowest first.
#[derive(Debug)]
pub struct Run {
    pub tip: Tip,
    pub headers: Vec<Header<Key>>,
}

impl Block {
    /// Where it leaves the lanes it moves.
    pub fn tips(&self) -> Table<Key> {
        let tip = |run: &Run| (run.headers[0].sequencer.clone(), run.tip);
        self.runs.iter().map(tip).collect()
    }
}

/// All blocks so far: the one of height 1 first.
pub type Blocks = Arc<Mutex<Vec<Arc<Block>>>>;

/// Every header that any node reported.
#[derive(Default)]
pub struct Headers(BTreeMap<(Key, u64, Digest), Header<Key>>);

impl Headers {
    pub fn add(&mut self, header: &Signed<Nouns>) {
        let it = header.header();
        let key = (it.sequencer.clone(), it.height, header.digest());
        self.0.entry(key).or_insert_with(|| it.clone());
    }

    pub fn get(&self, sequencer: &Key, tip: Tip) -> Option<&Header<Key>> {
        self.0.get(&(sequencer.clone(), tip.height, tip.digest))
    }

    /// The headers above one place of a lane up to another, lowest first; `None` if they do not lead there.
    fn run(&self, sequencer: &Key, above: Tip, tip: Tip) -> Option<Vec<Header<Key>>> {
        let mut headers = Vec::new();
        let (mut height, mut digest) = (tip.height, tip.digest);
        while height > above.height {
            let header = self.0.get(&(sequencer.clone(), height, digest))?;
            (height, digest) = (height - 1, header.previous);
            headers.push(header.clone());
        }
        headers.reverse();
        (digest == above.digest && !headers.is_empty()).then_some(headers)
    }

    /// What a certificate stands for that is above a place.
    pub fn above(&self, sequencer: &Key, above: Tip, tip: Tip) -> Vec<Header<Key>> {
        self.run(sequencer, above, tip).unwrap_or_default()
    }

    /// Forgets a lane up to a height.
    fn forget(&mut self, sequencer: &Key, upto: u64) {
        let zero = Digest::from([0; 32]);
        let range = (sequencer.clone(), 0, zero)..(sequencer.clone(), upto + 1, zero);
        for _ in self.0.extract_if(range, |_, _| true) {}
    }
}

/// What a node is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// The chain is finalized up to a height.
    Finalized(u64),
    /// An epoch.
    Epoch(u64),
}

/// How long before it is due a block is asked for: a node that is up answers at once.
const LEAD_US: u64 = millis(20);

/// A question that a node's pool has not answered.
struct Question {
    height: u64,
    time_ms: u64,
    answer: Option<Vec<Candidate<Nouns>>>,
}

/// The chain, and what is on its way to the nodes.
pub struct Chain {
    world: Arc<World>,
    observer: Observer<Seen>,
    witness: Witness<Free, Nouns>,
    seed: u64,
    start_ms: u64,
    stalled: bool,
    jump_ms: u64,
    next_us: u64,
    epoch: u64,
    blocks: Blocks,
    headers: Arc<Mutex<Headers>>,
    /// The last inclusion of each lane.
    included: Table<Key>,
    question: Option<Question>,
    /// When, to whom, what.
    outbox: BTreeSet<(u64, usize, News)>,
    /// Who may be asked.
    proposers: Vec<usize>,
}

impl Chain {
    pub fn new(
        world: Arc<World>,
        observer: Observer<Seen>,
        seed: u64,
        proposers: Vec<usize>,
        headers: Arc<Mutex<Headers>>,
    ) -> Self {
        let start = world.start.duration_since(UNIX_EPOCH).expect("after 1970");
        Self {
            next_us: world.options.block_every_us,
            start_ms: u64::try_from(start.as_millis()).expect("a near time"),
            witness: Witness::new(world.clone(), Arc::default()),
            world,
            observer,
            seed,
            stalled: false,
            jump_ms: 0,
            epoch: 0,
            blocks: Blocks::default(),
            headers,
            included: BTreeMap::new(),
            question: None,
            outbox: BTreeSet::new(),
            proposers,
        }
    }

    pub fn blocks(&self) -> Blocks {
        self.blocks.clone()
    }

    pub fn included(&self, sequencer: &Key) -> Tip {
        let included = self.included.get(sequencer);
        included.map_or_else(|| self.world.genesis.root(sequencer), |it| *it)
    }

    /// Time of the newest block.
    pub fn time_ms(&self) -> u64 {
        self.blocks.lock().last().map_or(0, |it| it.time_ms)
    }

    pub fn act(&mut self, now_us: u64, action: &lanes::Action) {
        match action {
            lanes::Action::Enter { epoch } => {
                self.epoch = self.epoch.max(*epoch);
                self.tell(now_us, News::Epoch(*epoch), epoch ^ 1 << 32);
            }
            lanes::Action::StallChain => self.stalled = true,
            lanes::Action::ResumeChain => self.stalled = false,
            lanes::Action::JumpChain { ms } => self.jump_ms += ms,
        }
    }

    /// Tells every node, each with its own delay.
    fn tell(&mut self, at_us: u64, news: News, number: u64) {
        for node in 0..self.world.names.len() {
            let seed = derive(derive(self.seed, node as u64), number);
            let delay_us = seed % self.world.options.block_delay_us.max(1);
            self.outbox.insert((at_us + delay_us, node, news));
        }
    }

    /// A node's pool answered.
    pub fn answered(&mut self, height: u64, candidates: Vec<Candidate<Nouns>>) {
        let question = self.question.as_mut().filter(|it| it.height == height);
        if let Some(question) = question {
            question.answer = Some(candidates);
        }
    }

    /// Makes the block that is due, and gives the question for the next: whom, and what for.
    pub fn tick(&mut self, now_us: u64) -> Option<(usize, u64, Selection<Key>)> {
        while self.next_us <= now_us {
            let at_us = self.next_us;
            self.next_us += self.world.options.block_every_us;
            let question = self.question.take();
            if !self.stalled {
                self.block(at_us, question);
            }
        }
        let due = !self.stalled && self.question.is_none() && self.ask_us() <= now_us;
        due.then(|| self.ask())
    }

    /// When the next block is asked for.
    const fn ask_us(&self) -> u64 {
        self.next_us - LEAD_US
    }

    /// What nodes are to be told by now.
    pub fn news(&mut self, now_us: u64) -> Vec<(usize, News)> {
        let mut due = Vec::new();
        while self.outbox.first().is_some_and(|it| it.0 <= now_us) {
            due.extend(self.outbox.pop_first().map(|(_, node, news)| (node, news)));
        }
        due
    }

    pub fn next_us(&self) -> u64 {
        let news = self.outbox.first().map_or(u64::MAX, |it| it.0);
        let asked = self.stalled || self.question.is_some();
        let block = if asked { self.next_us } else { self.ask_us() };
        block.min(news)
    }

    /// Asks the next node in turn for the block after this one.
    fn ask(&mut self) -> (usize, u64, Selection<Key>) {
        let height = self.blocks.lock().len() as u64 + 1;
        let time_ms = self.clock_ms(self.next_us);
        self.question = Some(Question {
            height,
            time_ms,
            answer: None,
        });
        let turn = usize::try_from(height).expect("few blocks") % self.proposers.len();
        let selection = Selection {
            at_ms: time_ms,
            epoch: self.epoch,
            ancestors: self.included.clone(),
        };
        (self.proposers[turn], height, selection)
    }

    fn clock_ms(&self, at_us: u64) -> u64 {
        let clock_ms = self.start_ms + at_us / 1_000 + self.jump_ms;
        clock_ms.max(self.time_ms() + 1)
    }

    fn block(&mut self, at_us: u64, question: Option<Question>) {
        let height = self.blocks.lock().len() as u64 + 1;
        let mut block = Block {
            height,
            time_ms: self.clock_ms(at_us),
            runs: Vec::new(),
        };
        self.jump_ms = 0;
        if let Some(Question {
            time_ms,
            answer: Some(candidates),
            ..
        }) = question
        {
            block.time_ms = time_ms;
            let runs = candidates
                .iter()
                .filter_map(|it| self.include(it, block.time_ms));
            block.runs = runs.collect();
        }
        merged(&mut self.included, &block.tips());
        for run in &block.runs {
            self.headers
                .lock()
                .forget(&run.headers[0].sequencer, run.tip.height);
        }
        let height = block.height;
        self.blocks.lock().push(Arc::new(block));
        self.tell(at_us, News::Finalized(height), height);
    }

    /// What a candidate stands for, if a block may include it. What is wrong with it is the pool's fault.
    fn include(&self, candidate: &Candidate<Nouns>, time_ms: u64) -> Option<Run> {
        let Candidate { certificate, .. } = candidate;
        let (sequencer, tip) = (&certificate.sequencer, certificate.tip);
        let lane = self.world.nodes[sequencer];
        let above = self.included(sequencer);
        let headers = self.headers.lock().run(sequencer, above, tip);
        let genuine = self.witness.is_genuine(certificate);
        self.observer.report(Seen::Selected {
            lane,
            height: tip.height,
            slot: tip.slot,
            at_ms: time_ms,
            headers: headers
                .as_ref()
                .filter(|_| genuine)
                .map(|it| it.len() as u64),
        });
        let headers = headers.filter(|_| genuine)?;
        let expiry = |slot| self.world.genesis.expiry_ms(slot).unwrap_or(0);
        let live = headers.iter().filter(|it| expiry(it.slot) >= time_ms);
        self.observer.report(Seen::Lane(lanes::Seen::Included {
            block_ms: time_ms,
            lane,
            height: tip.height,
            headers: headers.len() as u64,
            live: live.count() as u64,
        }));
        Some(Run { tip, headers })
    }
}
