use crate::{
    testing::{Node, Nouns, World, acked, answers, fetches, heights, locked, refusals},
    tip_manager::{Effect, Message, To},
    types::Signed,
};
use std::sync::Arc;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

fn served(effects: &[Effect<Nouns>]) -> Vec<Arc<Signed<Nouns>>> {
    answers(effects)
        .into_iter()
        .flat_map(|(_, it)| it.headers)
        .collect()
}

// L-16, R-02
#[test]
fn a_validator_that_jumps_fetches_the_headers_below_and_fills_them_downwards() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 8);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..1]);
    let effects = node.learn(&world, PEER, &world.certificate(0, &lane[5]));
    assert_eq!(fetches(&effects), [(To::Peer(world.key(PEER)), 1, 6)]);
    let effects = node.hear(&world, PEER, world.envelope(&lane[3..6], None));
    assert_eq!(refusals(&effects), []);
    assert_eq!(
        served(&node.asked(&world, 3, SEQUENCER, (1, 8))),
        lane[3..6]
    );
    assert_eq!(
        fetches(&node.tell(Message::Ticked)),
        [(To::AnyValidator, 1, 3)]
    );
    node.hear(&world, 3, world.envelope(&lane[1..3], None));
    assert_eq!(
        served(&node.asked(&world, 3, SEQUENCER, (1, 8))),
        lane[..6],
        "1 was locked before"
    );
    assert_eq!(fetches(&node.tell(Message::Ticked)), []);
    assert_eq!(
        acked(&node.receive(&world, &lane[6..])),
        [(0, vec![7, 8])],
        "the lane goes on above"
    );
}

// a true header of the lane, but not the one below.
#[test]
fn a_fetched_header_that_the_certificate_does_not_vouch_for_is_not_accepted() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 4, 1);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    let effects = node.hear(&world, PEER, world.envelope(&fork, None));
    assert_eq!(
        crate::testing::proofs(&effects).len(),
        1,
        "4 beside a certificate over another"
    );
    node.hear(&world, PEER, world.envelope(&lane[1..2], None));
    assert_eq!(
        node.state.headers_held(),
        0,
        "2 links to nothing that is here yet"
    );
    let mixed = [
        fork[0].clone(),
        fork[1].clone(),
        lane[2].clone(),
        lane[3].clone(),
    ];
    let effects = node.hear(&world, PEER, world.envelope(&mixed, None));
    assert_eq!(refusals(&effects).len(), 2, "the fork's 1 and 2");
    assert_eq!(node.state.headers_held(), 2);
}

// L-07, L-16
#[test]
fn headers_that_wait_above_a_certificate_are_locked_when_it_comes() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 5);
    let mut node = Node::new(&world, ME);
    node.hear(&world, PEER, world.envelope(&lane[3..], None));
    let envelope = world.envelope(&[], Some(&world.certificate(0, &lane[2])));
    let effects = node.hear(&world, SEQUENCER, envelope);
    let effects = node.follow(effects);
    assert_eq!(
        (locked(&effects), heights(&effects)),
        (vec![4, 5], vec![4, 5])
    );
}

// D-09, L-10
#[test]
fn locks_of_a_branch_that_a_certificate_overtook_still_bind() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 5, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &fork[2]));
    assert_eq!(
        acked(&node.receive(&world, &fork[3..])),
        [],
        "4 is locked on the other branch"
    );
    node.learn(&world, PEER, &world.certificate(0, &fork[3]));
    assert_eq!(acked(&node.receive(&world, &fork[3..4])), [], "contested");
    assert_eq!(
        acked(&node.receive(&world, &fork[4..])),
        [(0, vec![5])],
        "5 is free"
    );
    node.settle(Message::Entered(1));
    assert_eq!(
        acked(&node.receive(&world, &fork[3..])),
        [(1, vec![4]), (1, vec![5])],
        "a new epoch"
    );
}

// D-39: the headers jumped over are as large as they may be until they are known.
#[test]
fn unknown_headers_count_as_the_largest_until_they_are_fetched() {
    let mut genesis = crate::testing::genesis();
    genesis.lane_ahead_max.bytes = 4_100;
    let world = World::with(genesis);
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(0, &lane[4]));
    let mut deliver = |at: usize| locked(&node.receive(&world, &lane[at..=at]));
    assert_eq!(
        deliver(5),
        [0; 0],
        "five of 1000 bytes are below it already"
    );
    assert_eq!(deliver(4), [0; 0], "four, and one of 100");
    assert_eq!(deliver(3), [6], "three, and two of 100");
}

// L-16, R-15: what was executed is dropped.
#[test]
fn execution_drops_what_is_below_and_moves_a_base_that_is_behind() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..4]);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    assert_eq!(node.state.headers_held(), 4);
    let effects = node.executed(&world, SEQUENCER, lane[1].tip());
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Forget { below: 2, .. }))
    );
    assert_eq!(node.state.headers_held(), 2);
    node.executed(&world, SEQUENCER, lane[0].tip());
    assert_eq!(node.state.headers_held(), 2, "execution never goes back");
    let effects = node.executed(&world, SEQUENCER, lane[4].tip());
    assert_eq!((node.state.headers_held(), fetches(&effects)), (0, vec![]));
    assert_eq!(
        acked(&node.receive(&world, &lane[4..])).last(),
        Some(&(0, vec![6]))
    );
}
