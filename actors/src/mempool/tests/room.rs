//! What there was no room for comes again.

use super::node::{LATER_MS, Node};
use crate::{
    mempool::{Activity, Message, Refusal, Source},
    testing::payments::{config, payment},
};
use drystone_engine::types::Digest;

fn id(salt: u64) -> Digest {
    payment(1, LATER_MS, salt).facts.id
}

// K-28: an id for which a peer's share has no room is not remembered as known, and the peer announces it again.
#[test]
fn an_id_that_was_dropped_from_a_flood_is_fetched_when_it_is_announced_again() {
    let mut node = Node::new();
    let wanted_max = config().gossip.wanted_max as u64;
    for salt in 0..=wanted_max {
        node.announce(1, &[id(salt)]);
    }
    assert_eq!(node.refusals, [(1, Refusal::NoRoom(1))]);
    while let Some((request, ids)) = node.asked(1) {
        assert!(!ids.contains(&id(wanted_max)), "it was dropped");
        node.sent.clear();
        let from = node.world.key(1);
        node.tell(Message::Missed { from, request, ids });
    }
    node.announce(1, &[id(wanted_max)]);
    let (request, ids) = node.asked(1).expect("there is room now");
    assert_eq!(ids, [id(wanted_max)]);
    node.deliver(1, request, &[payment(1, LATER_MS, wanted_max)]);
    assert_eq!(node.state.total().items, 1);
}

// K-28, K-29: nor is content for which the pool has none.
#[test]
fn a_transaction_that_was_dropped_because_the_pool_was_full_is_fetched_when_it_is_announced_again()
{
    let mut node = Node::new();
    let account_max = config().pool.account_max.items as u64;
    let held: Vec<_> = (0..account_max)
        .map(|salt| node.accept(1, LATER_MS, salt))
        .collect();
    let late = payment(1, LATER_MS, account_max);
    node.fetch(2, &late);
    assert_eq!(node.refusals, [(2, Refusal::NoRoom(1))]);
    let (items, wanted) = (node.state.total().items, node.state.wanted());
    assert_eq!((items, wanted), (held.len(), 0));
    // A block makes room, and who has it says so again.
    node.sent.clear();
    node.execute(1, &[(held[0], LATER_MS)], &[]);
    assert_eq!(node.asked(2), None, "not before");
    node.activities.clear();
    node.fetch(2, &late);
    let source = Source::Peer(node.world.key(2));
    let id = late.facts.id;
    assert_eq!(node.activities, [Activity::Accepted { id, source }]);
}
