//! What is built always verifies, whatever the lanes, the clock and the pool's knowledge are.

use super::{Node, child, empty};
use crate::{
    Canary,
    block::Block,
    certificate_pool::{self, Candidate, Selection},
    chain::{Effect, Message, Order, Question},
    testing::{Key, Nouns, World, blocks::included},
};
use commonware_parallel::Sequential;
use commonware_utils::NZUsize;
use drystone_engine::types::{Certificate, Signed};
use proptest::{
    collection::vec,
    prelude::*,
    test_runner::{RngAlgorithm, TestRng, TestRunner},
};
use std::{cell::Cell, sync::Arc};

/// One lane, as it was drawn.
#[derive(Clone, Debug)]
struct Lane {
    /// How many headers it has, one a slot, from this slot on.
    count: u64,
    slot: u64,
    /// Up to which height the parent includes it.
    base: u64,
    /// Heights and epochs that are certified.
    certified: Vec<(u64, u64)>,
    /// A header that the pool did not see.
    unseen: Option<u64>,
    /// Whether what the parent includes is of another branch.
    splits: bool,
}

fn lane() -> impl Strategy<Value = Lane> {
    let epoch = prop_oneof![4 => 1..3u64, 1 => Just(0), 1 => Just(3)];
    (
        2..8u64,
        1_000..3_500u64,
        0..4u64,
        vec((1..8u64, epoch), 1..5),
        prop::option::weighted(0.2, 1..8u64),
        prop::bool::weighted(0.1),
    )
        .prop_map(|(count, slot, base, certified, unseen, splits)| Lane {
            count,
            slot,
            base,
            certified,
            unseen,
            splits,
        })
}

/// The epoch of the block, so that certificates are of it, of the one before, older and later.
const EPOCH: u64 = 2;

fn pool(world: &World) -> certificate_pool::State<Nouns> {
    certificate_pool::State::new(certificate_pool::Config {
        genesis: world.genesis.clone(),
        certificates_max: 4,
        mailbox_size: NZUsize!(1),
        canary: Canary::None,
    })
}

/// Lanes with all their headers.
type Lanes = Vec<(Lane, Vec<Arc<Signed<Nouns>>>)>;

fn lanes(world: &World, drawn: Vec<Lane>) -> Lanes {
    let drawn = drawn.into_iter().enumerate();
    drawn
        .map(|(who, lane)| {
            let headers = world.lane(who, lane.slot, lane.count);
            (lane, headers)
        })
        .collect()
}

/// What a pool that saw these lanes hands out for an order.
fn candidates(world: &World, lanes: &Lanes, selection: &Selection<Key>) -> Vec<Candidate<Nouns>> {
    let mut pool = pool(world);
    for (lane, headers) in lanes {
        let seen = headers.iter().filter(|it| Some(it.height()) != lane.unseen);
        seen.for_each(|it| pool.apply(certificate_pool::Message::Seen(it.clone())));
        for (height, epoch) in &lane.certified {
            if let Some(header) = headers.get(*height as usize - 1) {
                let certificate = world.certificate(*epoch, header);
                pool.apply(certificate_pool::Message::Certified(certificate));
            }
        }
    }
    pool.select(selection)
}

/// The parent: it includes some of the lanes, or another branch of them.
fn parent(world: &World, lanes: &Lanes, below: &Block<Nouns>) -> Arc<Block<Nouns>> {
    let lanes = lanes.iter().enumerate();
    let moved = lanes.filter(|(_, (lane, _))| lane.base > 0 && lane.base <= lane.count);
    let tips = moved.map(|(who, (lane, headers))| {
        let other = world.branch(who, world.root(who), lane.slot, lane.base, 77);
        let branch = if lane.splits { &other } else { headers };
        included(world, 1, &branch[lane.base as usize - 1])
    });
    Arc::new(child(below, tips.collect()))
}

/// What a node builds, whose clock shows this time.
fn built(
    world: &Arc<World>,
    lanes: &Lanes,
    ancestors: &[Arc<Block<Nouns>>],
    now_ms: u64,
) -> Block<Nouns> {
    let mut node = Node::new(world);
    node.now_ms = now_ms;
    let order = Order {
        parent: ancestors[1].clone(),
        epoch: EPOCH,
        nullified: false,
        lanes: node.lanes(ancestors),
    };
    let mut effects = node.tell(Message::Ordered(1, order));
    loop {
        match effects.pop() {
            Some(Effect::Propose(_, block)) => return block,
            Some(Effect::Select(id, selection)) => {
                let offered = candidates(world, lanes, &selection);
                effects = node.tell(Message::Selected(id, selection.at_ms, offered));
            }
            Some(other) => panic!("a builder does not want {other:?}"),
            None => effects = node.wake(node.now_ms + 50),
        }
    }
}

fn checked(world: &World, certificate: Arc<Certificate<Nouns>>) -> (Arc<Certificate<Nouns>>, bool) {
    let committee = world.committee(5, certificate.epoch);
    let holds = certificate.verify(
        &committee,
        &mut commonware_utils::TestRng::new(1),
        &Sequential,
    );
    (certificate, holds)
}

/// The verdict of a voter that has seen nothing yet, and can find all there is.
fn judged(
    world: &Arc<World>,
    lanes: &Lanes,
    ancestors: &[Arc<Block<Nouns>>],
    block: Block<Nouns>,
) -> bool {
    let mut node = Node::new(world);
    node.now_ms = block.timestamp_ms;
    let question = Question {
        block: Arc::new(block),
        parent: ancestors[1].clone(),
        epoch: EPOCH,
        lanes: node.lanes(ancestors),
    };
    let mut effects = node.tell(Message::Asked(1, question));
    loop {
        let message = match effects.pop().expect("nothing is missing") {
            Effect::Answer(_, answer) => return answer == Ok(()),
            Effect::Check(id, certificates) => {
                let results = certificates.into_iter().map(|it| checked(world, it));
                Message::Checked(id, results.collect())
            }
            Effect::Walk {
                id,
                above,
                included,
                ..
            } => {
                let sequencer = included.sequencer().clone();
                let who = (0..6)
                    .find(|it| world.key(*it) == sequencer)
                    .expect("one of them");
                let (from, to) = (above.height as usize, included.tip().height as usize);
                Message::Walked(id, sequencer, lanes[who].1[from..to].to_vec())
            }
            other => panic!("a voter does not want {other:?}"),
        };
        effects.extend(node.tell(message));
    }
}

// D-05, D-29: the builder applies every voter's check first.
#[test]
fn what_is_built_always_verifies() {
    let world = Arc::new(World::new());
    let (cases, with_work) = (Cell::new(0), Cell::new(0));
    let drawn = (vec(lane(), 1..5), 1_500..3_500u64);
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let held = runner.run(&drawn, |(drawn, clock_ms)| {
        let lanes = lanes(&world, drawn);
        let mut ancestors = empty(&world, 1);
        ancestors.push(parent(&world, &lanes, &ancestors[0]));
        let block = built(&world, &lanes, &ancestors, clock_ms);
        cases.set(cases.get() + 1);
        with_work.set(with_work.get() + usize::from(!block.tips.is_empty()));
        prop_assert!(judged(&world, &lanes, &ancestors, block));
        Ok(())
    });
    held.expect("every block that was built is valid");
    let (cases, with_work) = (cases.get(), with_work.get());
    assert!(
        4 * with_work > cases,
        "only {with_work} of {cases} blocks carried work"
    );
}
