//! The double of the chain: one monotone sequence of blocks, of which each node learns with its own delay.
//!
//! Every block includes, of each lane, the newest certificate that an honest node reported and whose headers link back
//! to the lane's last inclusion. The plan stalls it and makes its time jump.

use super::{
    genesis::{Nouns, World},
    observation::{Seen, Short},
};
use crate::{Observer, draw::derive};
use drystone_engine::{
    Engine, Horizon,
    scheme::fixture::Fixture,
    types::{Digest, Tip},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::UNIX_EPOCH,
};

/// One block: its time and the lanes it moves.
#[derive(Clone, Debug, Default)]
struct Block {
    time_ms: u64,
    tips: BTreeMap<usize, Tip>,
}

/// A link of a lane, as validators reported it.
#[derive(Clone, Copy, Debug)]
struct Link {
    previous: Short,
    slot: u64,
}

/// What one node has learned: a prefix of the blocks, and a shorter one executed.
pub struct Feed<F: Fixture> {
    world: Arc<World<F>>,
    epoch: u64,
    known: Horizon<F::PublicKey>,
}

impl<F: Fixture> Feed<F> {
    pub fn new(world: Arc<World<F>>) -> Self {
        Self {
            world,
            epoch: 0,
            known: Horizon::default(),
        }
    }

    /// The newest epoch the node was told of.
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// Tells a starting engine everything.
    pub fn catch_up(&self, engine: &Engine<Nouns<F>>) {
        enter(engine, self.epoch);
        engine.advanced(self.known.clone());
    }

    fn enter(&mut self, epoch: u64) {
        self.epoch = self.epoch.max(epoch);
    }

    fn learn(
        &mut self,
        finalized: Option<&Block>,
        executed: Option<&Block>,
    ) -> Horizon<F::PublicKey> {
        let named = |tips: &BTreeMap<usize, Tip>| {
            tips.iter()
                .map(|(lane, tip)| (self.world.names[*lane].clone(), *tip))
                .collect()
        };
        let news = Horizon {
            finalized_ms: finalized.map_or(0, |it| it.time_ms),
            executed_ms: executed.map_or(0, |it| it.time_ms),
            included: finalized.map(|it| named(&it.tips)).unwrap_or_default(),
            executed: executed.map(|it| named(&it.tips)).unwrap_or_default(),
        };
        self.known.merge(news.clone());
        news
    }
}

/// The engine enters an epoch.
pub fn enter<F: Fixture>(engine: &Engine<Nouns<F>>, epoch: u64) {
    engine
        .entered(epoch)
        .expect("every epoch of a run has a committee");
}

/// Something that a node is told at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum News {
    /// A block, and the one that is executed by now.
    Block(usize),
    /// An epoch.
    Epoch(u64),
}

/// The chain, and what is on its way to the nodes.
pub struct Chain<F: Fixture> {
    world: Arc<World<F>>,
    observer: Observer<Seen>,
    seed: u64,
    start_ms: u64,
    stalled: bool,
    jump_ms: u64,
    next_us: u64,
    blocks: Vec<Block>,
    /// The last inclusion of each lane.
    included: BTreeMap<usize, Tip>,
    links: BTreeMap<(usize, u64, Short), Link>,
    candidates: BTreeMap<usize, BTreeMap<(u64, Digest), Tip>>,
    /// When, to whom, what.
    outbox: BTreeSet<(u64, usize, News)>,
    nodes: usize,
}

impl<F: Fixture> Chain<F> {
    pub fn new(world: Arc<World<F>>, observer: Observer<Seen>, seed: u64, nodes: usize) -> Self {
        let start = world.start.duration_since(UNIX_EPOCH).expect("after 1970");
        Self {
            next_us: world.options.block_every_us,
            start_ms: u64::try_from(start.as_millis()).expect("a near time"),
            world,
            observer,
            seed,
            stalled: false,
            jump_ms: 0,
            blocks: Vec::new(),
            included: BTreeMap::new(),
            links: BTreeMap::new(),
            candidates: BTreeMap::new(),
            outbox: BTreeSet::new(),
            nodes,
        }
    }

    pub fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    pub fn jump(&mut self, ms: u64) {
        self.jump_ms += ms;
    }

    /// Tells every node of an epoch, each with its own delay.
    pub fn enter(&mut self, now_us: u64, epoch: u64) {
        for node in 0..self.nodes {
            let at_us = now_us + self.delay_us(node, epoch ^ 1 << 32);
            self.outbox.insert((at_us, node, News::Epoch(epoch)));
        }
    }

    fn delay_us(&self, node: usize, of: u64) -> u64 {
        derive(derive(self.seed, node as u64), of) % self.world.options.block_delay_us.max(1)
    }

    pub fn locked(&mut self, lane: usize, height: u64, digest: Short, previous: Short, slot: u64) {
        self.links
            .insert((lane, height, digest), Link { previous, slot });
    }

    /// An honest node reported a certificate.
    pub fn certified(&mut self, lane: usize, tip: Tip) {
        let above = self.included.get(&lane).map_or(0, |it| it.height);
        if tip.height > above {
            let candidates = self.candidates.entry(lane).or_default();
            candidates.insert((tip.height, tip.digest), tip);
            // A few are enough: the newest, and some below it if that does not link.
            while candidates.len() > 8 {
                candidates.pop_first();
            }
        }
    }

    /// Makes the blocks that are due, and gives what nodes are to be told now.
    pub fn tick(&mut self, now_us: u64) -> Vec<(usize, News)> {
        while self.next_us <= now_us {
            let at_us = self.next_us;
            self.next_us += self.world.options.block_every_us;
            if !self.stalled {
                self.block(at_us);
            }
        }
        let mut due = Vec::new();
        while self
            .outbox
            .first()
            .is_some_and(|(at_us, ..)| *at_us <= now_us)
        {
            due.extend(self.outbox.pop_first().map(|(_, node, news)| (node, news)));
        }
        due
    }

    pub fn next_us(&self) -> u64 {
        self.outbox
            .first()
            .map_or(self.next_us, |(at_us, ..)| self.next_us.min(*at_us))
    }

    fn block(&mut self, at_us: u64) {
        let parent_ms = self.blocks.last().map_or(0, |it| it.time_ms);
        let clock_ms = self.start_ms + at_us / 1_000 + std::mem::take(&mut self.jump_ms);
        let time_ms = clock_ms.max(parent_ms + 1);
        let lanes: Vec<_> = self.candidates.keys().copied().collect();
        let tips = lanes
            .into_iter()
            .filter_map(|lane| Some((lane, self.include(lane, time_ms)?)));
        let tips = tips.collect();
        let index = self.blocks.len();
        self.blocks.push(Block { time_ms, tips });
        for node in 0..self.nodes {
            let at_us = at_us + self.delay_us(node, index as u64);
            self.outbox.insert((at_us, node, News::Block(index)));
        }
    }

    /// The newest certificate of a lane that links to its last inclusion and that the block's time allows.
    fn include(&mut self, lane: usize, time_ms: u64) -> Option<Tip> {
        let base = self.included.get(&lane).copied();
        let candidates = self.candidates.get(&lane)?;
        let found = candidates.values().rev().find_map(|tip| {
            let (headers, live) = self.run(lane, tip, base.as_ref(), time_ms)?;
            let expiry_ms = self.world.genesis.expiry_ms(tip.slot)?;
            // An expired tip only moves the lane on, and only when its run is long.
            let fits = expiry_ms >= time_ms || headers >= self.world.options.headers_max / 2;
            fits.then_some((*tip, headers, live))
        });
        let (tip, headers, live) = found?;
        self.included.insert(lane, tip);
        self.candidates.remove(&lane);
        self.links
            .retain(|(of, height, _), _| *of != lane || *height > tip.height);
        self.observer.report(Seen::Included {
            block_ms: time_ms,
            lane,
            height: tip.height,
            headers,
            live,
        });
        Some(tip)
    }

    /// How many headers, and how many live ones, lie between a tip and the last inclusion; `None` if it does not link.
    fn run(&self, lane: usize, tip: &Tip, base: Option<&Tip>, time_ms: u64) -> Option<(u64, u64)> {
        let (stop, root) = match base {
            Some(it) => (it.height, Short::of(&it.digest)),
            None => (
                0,
                Short::of(&self.world.genesis.root(&self.world.names[lane]).digest),
            ),
        };
        let (mut height, mut digest) = (tip.height, Short::of(&tip.digest));
        let (mut headers, mut live) = (0, 0);
        while height > stop {
            let link = self.links.get(&(lane, height, digest))?;
            headers += 1;
            let expiry_ms = self.world.genesis.expiry_ms(link.slot)?;
            live += u64::from(expiry_ms >= time_ms);
            (height, digest) = (height - 1, link.previous);
        }
        (digest == root).then_some((headers, live))
    }

    /// A node is told how far the chain has come.
    pub fn learned(&self, node: usize, finalized_ms: u64) {
        self.observer.report(Seen::Told {
            to: node,
            finalized_ms,
        });
    }

    /// A node is told. Returns what it did not know.
    pub fn tell(&self, feed: &mut Feed<F>, news: News) -> Told<F> {
        match news {
            News::Epoch(epoch) => {
                feed.enter(epoch);
                Told::Epoch(epoch)
            }
            News::Block(index) => {
                let lag = usize::try_from(self.world.options.execution_lag).unwrap_or(usize::MAX);
                let executed = index.checked_sub(lag).map(|it| &self.blocks[it]);
                Told::Horizon(feed.learn(self.blocks.get(index), executed))
            }
        }
    }
}

/// What a node is told.
pub enum Told<F: Fixture> {
    /// The chain moved.
    Horizon(Horizon<F::PublicKey>),
    /// There is a new epoch.
    Epoch(u64),
}
