//! More comes than is packed.

use super::node::{LATER_MS, Node};
use crate::testing::payments::config;
use std::collections::BTreeSet;

// K-11, K-27
#[test]
fn while_chunks_are_made_what_waits_for_the_next_is_not_announced() {
    let mut config = config();
    config.gossip.pack_linger_ms = 100;
    let mut node = Node::with(config);
    let first = node.accept(1, LATER_MS, 0);
    assert_eq!(node.take(), [first]);
    // More came than was packed.
    let waiting = node.accept(2, LATER_MS, 1);
    node.wait(90);
    node.seal(&[first], LATER_MS);
    node.wait(90);
    assert_eq!(node.announced(), []);
    let later = node.accept(3, LATER_MS, 2);
    // No chunk was made for as long as an id waits: all of it is announced, if not at once, with what is still pending.
    let mut told = BTreeSet::new();
    for _ in 0..4 {
        node.wait(500);
        told.extend(node.announced().into_iter().flat_map(|(_, ids)| ids));
    }
    assert!(told.is_superset(&[waiting, later].into()));
}
