use super::{Node, child, empty, executed, idle, naming};
use crate::{
    block::{Block, Executed},
    chain::{Divergence, Effect, Message},
    testing::{Nouns, World, blocks::digest},
};
use std::sync::Arc;

/// A node that finalized and executed up to a height, and blocks that far and more.
fn after(height: u64) -> (Node, Vec<Arc<Block<Nouns>>>) {
    let world = Arc::new(World::new());
    let mut node = Node::new(&world);
    let blocks = empty(&world, 10);
    for block in &blocks[..height as usize] {
        node.tell(Message::Finalized(block.clone()));
        node.tell(Message::Executed(executed(block.height)));
    }
    (node, blocks)
}

fn claims(node: &mut Node, claims: &[(usize, u64)]) {
    for (who, height) in claims {
        let who = node.world.key(*who);
        node.tell(Message::Claimed(who, *height));
    }
}

/// What the next block after `ancestors` names.
fn named(node: &mut Node, ancestors: &[Arc<Block<Nouns>>], nullified: bool) -> Executed {
    let effects = node.order(ancestors, nullified);
    idle(node, effects).executed
}

// D-39: with f slow executors nothing slows.
#[test]
fn the_proposer_names_what_it_and_two_others_had_executed() {
    let (mut node, blocks) = after(5);
    let ancestors = &blocks[..6];
    assert_eq!(
        named(&mut node, ancestors, false),
        executed(0),
        "nobody claimed anything"
    );
    claims(&mut node, &[(1, 4)]);
    assert_eq!(
        named(&mut node, &blocks[..7], false),
        executed(0),
        "one is not enough"
    );
    claims(&mut node, &[(2, 3)]);
    assert_eq!(named(&mut node, &blocks[..8], false), executed(3));
    claims(&mut node, &[(3, 9), (2, 2)]);
    assert_eq!(
        named(&mut node, &blocks[..9], false),
        executed(4),
        "a claim never goes back"
    );
    claims(&mut node, &[(1, 9), (2, 9)]);
    assert_eq!(
        named(&mut node, &blocks, false),
        executed(5),
        "this node has not come further"
    );
}

// D-39, K-03: of a forged origin: a stranger and the node itself have no say, and one liar does not move it.
#[test]
fn claims_count_for_other_validators_only() {
    let (mut node, blocks) = after(5);
    claims(&mut node, &[(0, 5), (4, 5), (5, 5), (1, u64::MAX), (2, 2)]);
    assert_eq!(named(&mut node, &blocks[..6], false), executed(2));
}

#[test]
fn after_a_nullified_view_the_parents_state_is_named() {
    let (mut node, blocks) = after(5);
    claims(&mut node, &[(1, 5), (2, 5)]);
    let parent = naming(&blocks[5], executed(2), Vec::new());
    let ancestors = [&blocks[..6], &[Arc::new(parent)]].concat();
    assert_eq!(named(&mut node, &ancestors, true), executed(2));
    assert_eq!(named(&mut node, &ancestors, false), executed(5));
}

#[test]
fn what_was_claimed_after_the_parent_arrived_is_left_to_the_next_block() {
    let (mut node, blocks) = after(5);
    claims(&mut node, &[(1, 3), (2, 3)]);
    node.ask(&blocks[..6], &blocks[6]);
    claims(&mut node, &[(1, 5), (2, 5)]);
    assert_eq!(named(&mut node, &blocks[..7], false), executed(3));
    assert_eq!(named(&mut node, &blocks[..8], false), executed(5));
}

#[test]
fn the_parents_state_is_never_gone_back_behind() {
    let (mut node, blocks) = after(2);
    claims(&mut node, &[(1, 1), (2, 1)]);
    let parent = naming(&blocks[5], executed(4), Vec::new());
    let ancestors = [&blocks[..6], &[Arc::new(parent)]].concat();
    assert_eq!(
        named(&mut node, &ancestors, false),
        executed(4),
        "though it is not known here"
    );
}

fn diverged(effects: &[Effect<Nouns>]) -> Option<Divergence> {
    effects.iter().find_map(|it| match it {
        Effect::Diverged(divergence) => Some(*divergence),
        _ => None,
    })
}

// S-18, K-40: another state is named by a finalized block, before or after this node reached it.
#[test]
fn a_finalized_block_that_names_another_state_stops_the_node() {
    let wrong = Divergence {
        height: 2,
        own: digest(2),
        named: digest(9),
    };
    let other = Executed {
        height: 2,
        root: digest(9),
    };
    let (mut node, blocks) = after(3);
    let naming_it = Arc::new(naming(&blocks[2], other, Vec::new()));
    assert_eq!(
        diverged(&node.tell(Message::Finalized(naming_it))),
        Some(wrong)
    );

    let (mut node, blocks) = after(1);
    for block in &blocks[1..3] {
        assert_eq!(
            diverged(&node.tell(Message::Finalized(block.clone()))),
            None
        );
    }
    let naming_it = Arc::new(naming(&blocks[2], other, Vec::new()));
    assert_eq!(diverged(&node.tell(Message::Finalized(naming_it))), None);
    let reached = node.tell(Message::Executed(executed(2)));
    assert_eq!(diverged(&reached), Some(wrong));
    assert!(wrong.to_string().contains(&wrong.own.to_string()));
    assert!(wrong.to_string().contains(&wrong.named.to_string()));
}

#[test]
fn a_finalized_block_that_names_this_nodes_state_does_not() {
    let (mut node, blocks) = after(3);
    let fourth = Arc::new(naming(&blocks[2], executed(2), Vec::new()));
    assert_eq!(
        diverged(&node.tell(Message::Finalized(fourth.clone()))),
        None
    );
    let fifth = Arc::new(naming(&fourth, executed(4), Vec::new()));
    assert_eq!(diverged(&node.tell(Message::Finalized(fifth))), None);
    assert_eq!(diverged(&node.tell(Message::Executed(executed(4)))), None);
}

// D-33: finalized blocks come again after a restart.
#[test]
fn a_block_that_comes_again_changes_nothing() {
    let (mut node, blocks) = after(3);
    let table = node.state.basis().table;
    assert!(node.tell(Message::Finalized(blocks[1].clone())).is_empty());
    assert_eq!(node.state.basis().table, table);
}

#[test]
#[should_panic(expected = "finalized block 5 does not follow block 3")]
fn a_block_that_is_left_out_is_the_orderers_fault() {
    let (mut node, blocks) = after(3);
    let fifth = child(&blocks[3], Vec::new());
    node.tell(Message::Finalized(Arc::new(fifth)));
}
