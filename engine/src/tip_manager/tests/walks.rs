//! Runs of headers for voters and the executor.

use crate::{
    horizon::Horizon,
    testing::{Node, Nouns, World, fetches, refusals, stolen},
    tip_manager::{Effect, Message, Run},
    types::Tip,
};
use commonware_utils::channel::oneshot;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

type Waiting = oneshot::Receiver<Run<Nouns>>;

/// Asks for the headers above a height down from a place.
fn ask(node: &mut Node, world: &World, above: u64, to: Tip) -> (Waiting, Vec<Effect<Nouns>>) {
    let (responder, waiting) = oneshot::channel();
    let mut effects = node.settle(Message::Asked {
        sequencer: world.key(SEQUENCER),
        above,
        to,
        responder,
    });
    give(&mut effects);
    (waiting, effects)
}

/// Carries out what is given.
fn give(effects: &mut Vec<Effect<Nouns>>) {
    for effect in std::mem::take(effects) {
        match effect {
            Effect::Walked(responder, run) => _ = responder.send(run),
            other => effects.push(other),
        }
    }
}

fn heights(waiting: &mut Waiting) -> Option<Vec<u64>> {
    let run = waiting.try_recv().ok()?;
    Some(run.iter().map(|it| it.height()).collect())
}

// D-30, D-34
#[test]
fn a_run_that_is_here_is_given_at_once_locked_certified_or_executed() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    node.settle(Message::Advanced(Horizon {
        executed: [(world.key(SEQUENCER), lane[1].tip())].into(),
        ..Horizon::default()
    }));
    for (above, to) in [(0, 6), (1, 2), (2, 4), (4, 5)] {
        let (mut waiting, _) = ask(&mut node, &world, above, lane[to as usize - 1].tip());
        let expected: Vec<u64> = (above + 1..=to).collect();
        assert_eq!(heights(&mut waiting), Some(expected));
    }
}

// D-34
#[test]
fn what_a_run_lacks_is_fetched_and_given_when_it_came() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..2]);
    let (mut waiting, effects) = ask(&mut node, &world, 0, lane[5].tip());
    assert_eq!(heights(&mut waiting), None);
    let asked: Vec<_> = fetches(&effects)
        .into_iter()
        .map(|it| (it.1, it.2))
        .collect();
    assert_eq!(asked, [(1, 6)]);
    // A part of it, and the rest later.
    let mut effects = node.hear(&world, PEER, world.envelope(&lane[4..], None));
    give(&mut effects);
    assert_eq!(heights(&mut waiting), None);
    let mut effects = node.hear(&world, PEER, world.envelope(&lane[2..4], None));
    give(&mut effects);
    assert_eq!(heights(&mut waiting), Some(vec![1, 2, 3, 4, 5, 6]));
}

// D-30: a block may include a branch that this node's base does not descend from.
#[test]
fn a_run_on_another_branch_than_the_lanes_is_found_and_moves_nothing() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, lane[0].tip(), 3, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    let (mut waiting, _) = ask(&mut node, &world, 1, fork[2].tip());
    let mut effects = node.hear(&world, PEER, world.envelope(&fork, None));
    give(&mut effects);
    assert_eq!(heights(&mut waiting), Some(vec![2, 3, 4]));
    let (mut own, _) = ask(&mut node, &world, 1, lane[3].tip());
    assert_eq!(
        heights(&mut own),
        Some(vec![2, 3, 4]),
        "the lane is as it was"
    );
}

#[test]
fn a_header_that_its_sequencer_did_not_sign_completes_no_run() {
    let world = World::new();
    let (lane, other) = (world.lane(SEQUENCER, 3), world.lane(PEER, 1));
    let mut node = Node::new(&world, ME);
    let (mut waiting, _) = ask(&mut node, &world, 0, lane[2].tip());
    let forged: Vec<_> = lane.iter().map(|it| stolen(it, &other[0])).collect();
    let mut effects = node.hear(&world, PEER, world.envelope(&forged, None));
    give(&mut effects);
    assert!(!refusals(&effects).is_empty());
    assert_eq!(heights(&mut waiting), None);
}

//
#[test]
fn a_run_that_nobody_waits_for_is_sought_no_more() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let (waiting, _) = ask(&mut node, &world, 0, lane[2].tip());
    assert_eq!(fetches(&node.settle(Message::Ticked)).len(), 1);
    drop(waiting);
    assert_eq!(fetches(&node.settle(Message::Ticked)).len(), 0);
}
