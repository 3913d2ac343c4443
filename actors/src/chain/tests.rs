//! A node's state, and blocks to ask it about.

mod building;
mod execution;
mod judging;
mod lanes;
mod orders;
mod property;

use super::{
    Config, Descent, Effect, Id, Judged, Lanes, Message, Order, Question, Start, State, Table,
    Verdict, Walk,
};
use crate::{
    Canary,
    block::{Block, Body, Executed, Included},
    testing::{
        Key, Nouns, World,
        blocks::{GENESIS_MS, Seats, digest, first, parameters, sorted},
    },
};
use commonware_parallel::Sequential;
use commonware_utils::{NZU64, NZUsize};
use drystone_engine::types::{Digest, Tip};
use std::{collections::BTreeMap, sync::Arc};

/// Proposals are not made sooner after one another.
const INTERVAL_MS: u64 = 50;
/// An empty block is not proposed sooner.
const GAP_MS: u64 = 200;

fn config(world: &Arc<World>) -> Config<Nouns> {
    Config {
        me: world.key(0),
        parameters: Arc::new(parameters()),
        provider: Arc::new(Seats {
            world: world.clone(),
            known: u64::MAX,
        }),
        strategy: Sequential,
        interval_ms: INTERVAL_MS,
        empty_gap_ms: GAP_MS,
        retry_ms: NZU64!(100),
        verified_max: 2,
        mailbox_size: NZUsize!(16),
        canary: Canary::None,
    }
}

/// The lanes after the genesis block.
fn table(world: &World) -> Table<Key> {
    Table {
        height: 0,
        digest: first(world).digest(),
        lanes: Arc::default(),
    }
}

struct Node {
    world: Arc<World>,
    state: State<Nouns>,
    now_ms: u64,
    last: Id,
}

impl Node {
    /// A node that executed nothing yet.
    fn new(world: &Arc<World>) -> Self {
        let start = Start {
            table: table(world),
            roots: [(0, digest(0))].into(),
        };
        Self {
            world: world.clone(),
            state: State::new(config(world), start),
            now_ms: GENESIS_MS + 1_000,
            last: 0,
        }
    }

    fn tell(&mut self, message: Message<Nouns>) -> Vec<Effect<Nouns>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        effects
    }

    /// The lanes below a child of the last of these blocks, which follow the genesis block, and how many were read.
    fn walk(&self, ancestors: &[Arc<Block<Nouns>>]) -> (usize, Lanes<Key>) {
        let mut walk = Walk::new(self.world.genesis.clone(), self.state.basis());
        let genesis = Arc::new(first(&self.world));
        let mut read = 0;
        for ancestor in ancestors.iter().rev().chain([&genesis]) {
            read += 1;
            if let Descent::Known(lanes) = walk.descend(ancestor) {
                return (read, lanes);
            }
        }
        panic!("the table belongs to one of them");
    }

    fn lanes(&self, ancestors: &[Arc<Block<Nouns>>]) -> Lanes<Key> {
        self.walk(ancestors).1
    }

    /// Asks about a child of the last of these blocks.
    fn ask(&mut self, ancestors: &[Arc<Block<Nouns>>], block: &Block<Nouns>) -> Vec<Effect<Nouns>> {
        self.last += 1;
        let genesis = || Arc::new(first(&self.world));
        let question = Question {
            block: Arc::new(block.clone()),
            parent: ancestors.last().cloned().unwrap_or_else(genesis),
            epoch: 0,
            lanes: self.lanes(ancestors),
        };
        self.tell(Message::Asked(self.last, question))
    }

    fn order(&mut self, ancestors: &[Arc<Block<Nouns>>], nullified: bool) -> Vec<Effect<Nouns>> {
        self.last += 1;
        let genesis = || Arc::new(first(&self.world));
        let order = Order {
            parent: ancestors.last().cloned().unwrap_or_else(genesis),
            epoch: 0,
            nullified,
            lanes: self.lanes(ancestors),
        };
        self.tell(Message::Ordered(self.last, order))
    }

    fn verdict(&self) -> Option<Verdict<Key>> {
        self.state.verdict(self.last, self.now_ms)
    }

    fn wake(&mut self, now_ms: u64) -> Vec<Effect<Nouns>> {
        self.now_ms = now_ms;
        self.tell(Message::Woken)
    }
}

/// A child of a block, a tenth of a second later, that names what its parent names.
fn child(parent: &Block<Nouns>, tips: Vec<Included<Nouns>>) -> Block<Nouns> {
    naming(parent, parent.executed, tips)
}

fn naming(parent: &Block<Nouns>, executed: Executed, tips: Vec<Included<Nouns>>) -> Block<Nouns> {
    Block::new(Body {
        parent: parent.digest(),
        height: parent.height + 1,
        timestamp_ms: parent.timestamp_ms + 100,
        executed,
        tips: sorted(tips),
    })
}

/// So many empty blocks above the genesis block.
fn empty(world: &World, count: usize) -> Vec<Arc<Block<Nouns>>> {
    let mut blocks: Vec<Arc<Block<Nouns>>> = Vec::new();
    for _ in 0..count {
        let next = match blocks.last() {
            Some(parent) => child(parent, Vec::new()),
            None => child(&first(world), Vec::new()),
        };
        blocks.push(Arc::new(next));
    }
    blocks
}

fn executed(height: u64) -> Executed {
    Executed {
        height,
        root: digest(height),
    }
}

/// The answer among some effects, if there is one.
fn answer(effects: &[Effect<Nouns>]) -> Option<Judged<Nouns>> {
    effects.iter().find_map(|it| match it {
        Effect::Answer(_, answer) => Some(answer.clone()),
        _ => None,
    })
}

/// The certificates that are to be checked, as lanes.
fn checks(effects: &[Effect<Nouns>]) -> Vec<Tip> {
    let mut tips = Vec::new();
    for effect in effects {
        if let Effect::Check(_, certificates) = effect {
            tips.extend(certificates.iter().map(|it| it.tip));
        }
    }
    tips
}

/// The lanes to be walked, down to which height.
fn walks(effects: &[Effect<Nouns>]) -> BTreeMap<Digest, u64> {
    let walks = effects.iter().filter_map(|it| match it {
        Effect::Walk {
            above, included, ..
        } => Some((included.tip().digest, above.height)),
        _ => None,
    });
    walks.collect()
}

fn proposal(effects: Vec<Effect<Nouns>>) -> Option<Block<Nouns>> {
    effects.into_iter().find_map(|it| match it {
        Effect::Propose(_, block) => Some(block),
        _ => None,
    })
}

/// What is proposed when the pool has nothing.
fn idle(node: &mut Node, mut effects: Vec<Effect<Nouns>>) -> Block<Nouns> {
    loop {
        match effects.pop() {
            Some(Effect::Propose(_, block)) => return block,
            Some(Effect::Select(id, selection)) => {
                effects = node.tell(Message::Selected(id, selection.at_ms, Vec::new()));
            }
            Some(other) => panic!("a builder does not want {other:?}"),
            None => {
                let wake_ms = node.state.wake_ms(node.now_ms);
                effects = node.wake(wake_ms.expect("an order is open"));
            }
        }
    }
}
