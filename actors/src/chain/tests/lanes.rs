//! The lanes below a block.

use super::{
    Node, answer, child, empty,
    judging::{known, lane, one, world},
};
use crate::{
    block::{
        Block,
        rules::{Fault, Invalid},
    },
    chain::{Descent, Message, Walk},
    testing::{
        Nouns,
        blocks::{digest, first, included},
    },
};
use std::sync::Arc;

// D-05: the ancestors that nobody decided count as much as those that are final.
#[test]
fn lanes_are_counted_from_the_undecided_ancestors_too() {
    let world = world();
    let mut node = Node::new(&world);
    let lane = lane(&world, 0, 3);
    let first = Arc::new(one(&world, vec![included(&world, 0, &lane[0])]));
    let second = Arc::new(child(&first, vec![included(&world, 0, &lane[1])]));
    let repeat = child(&second, vec![included(&world, 0, &lane[1])]);
    let not_above = Invalid::Tip {
        sequencer: world.key(0),
        fault: Fault::NotAbove { height: 2, base: 2 },
    };
    let ancestors = [first.clone(), second];
    assert_eq!(answer(&node.ask(&ancestors, &repeat)), Some(Err(not_above)));
    // D-32: the same certificate in a chain that left the second block aside is fine.
    let other = child(&first, vec![included(&world, 0, &lane[1])]);
    known(&mut node, &other);
    assert_eq!(
        answer(&node.ask(std::slice::from_ref(&first), &other)),
        Some(Ok(()))
    );
    // Once the first is final, the table says the same.
    node.tell(Message::Finalized(first.clone()));
    assert_eq!(
        node.state.basis().table.lanes.get(&world.key(0)),
        Some(&lane[0].tip())
    );
    assert_eq!(answer(&node.ask(&[first], &other)), Some(Ok(())));
}

// D-32: a block of a chain that was left aside gets no verdict.
#[test]
fn the_table_belongs_to_an_ancestor_or_nothing_is_said() {
    let world = world();
    let node = Node::new(&world);
    let mut walk = Walk::new(world.genesis.clone(), node.state.basis());
    assert!(matches!(
        walk.descend(&*empty(&world, 1)[0]),
        Descent::Further
    ));
    assert!(matches!(walk.descend(&first(&world)), Descent::Known(_)));
    let other = Block::<Nouns>::genesis(digest(7), 0, digest(0));
    assert!(matches!(walk.descend(&other), Descent::Aside));
}

// D-39: however far the table is behind, an executor that does not keep up slows no proposal.
#[test]
fn only_ancestors_since_the_last_question_are_read() {
    let world = world();
    let mut node = Node::new(&world);
    let mut blocks = vec![Arc::new(one(
        &world,
        vec![included(&world, 0, &lane(&world, 0, 1)[0])],
    ))];
    for _ in 0..20 {
        let parents = blocks.clone();
        let next = child(&parents[parents.len() - 1], Vec::new());
        node.ask(&parents, &next);
        blocks.push(Arc::new(next));
    }
    let (read, lanes) = node.walk(&blocks);
    assert_eq!((read, lanes.last(&world.key(0)).height), (1, 1));
    let (read, lanes) = node.walk(&blocks[..2]);
    assert_eq!(
        (read, lanes.last(&world.key(0)).height),
        (3, 1),
        "long forgotten"
    );
}
