//! Blocks only, for a while or for good.

use super::node::{LATER_MS, Node};
use crate::{
    mempool::{Answer, Message, Refusal, wire},
    testing::payments::{config, payment},
};

/// Everybody that was asked for anything since the last time.
fn asked(node: &mut Node) -> Vec<usize> {
    node.wait(3);
    let sent = std::mem::take(&mut node.sent).into_iter();
    let asked = sent.filter(|(_, it)| matches!(it, wire::Message::Get { .. }));
    asked.flat_map(|(to, _)| to).collect()
}

// K-33
#[test]
fn while_it_follows_blocks_only_a_node_takes_no_transactions() {
    let mut node = Node::new();
    node.tell(Message::BlocksOnly(true));
    let transaction = payment(1, LATER_MS, 0);
    assert_eq!(
        node.submit(&transaction).try_recv(),
        Ok(Answer::Busy { retry_after_ms: 77 })
    );
    node.announce(1, &[transaction.facts.id]);
    assert_eq!(node.asked(1), None);
    let silent = node.refusals.is_empty() && node.state.wanted() == 0;
    assert!(silent, "nobody is told, nothing is remembered");
    node.tell(Message::BlocksOnly(false));
    node.announce(1, &[transaction.facts.id]);
    assert!(node.asked(1).is_some());
    node.tell(Message::BlocksOnly(true));
    assert_eq!(node.state.wanted(), 0);
}

// K-33: what the chain says does not move an archive.
#[test]
fn who_follows_blocks_only_for_good_takes_no_transactions_however_well_it_is_in_step() {
    let mut config = config();
    config.blocks_only = true;
    let mut node = Node::with(config);
    let transaction = payment(1, LATER_MS, 0);
    for on in [false, true, false] {
        node.tell(Message::BlocksOnly(on));
        node.execute(1, &[], &[]);
        let reply = node.submit(&transaction).try_recv();
        assert_eq!(reply, Ok(Answer::Closed), "not to come back");
        node.announce(1, &[transaction.facts.id]);
        assert_eq!((node.asked(1), node.state.wanted()), (None, 0));
        node.deliver(1, 7, std::slice::from_ref(&transaction));
    }
    assert_eq!(node.state.total().items, 0);
    assert!(node.refusals.is_empty(), "nobody is told");
}

// K-33: this node asked, and did not listen.
#[test]
fn who_is_asked_when_a_node_begins_to_follow_blocks_only_is_not_blamed() {
    let mut node = Node::new();
    node.announce(1, &[payment(1, LATER_MS, 0).facts.id]);
    assert_eq!(asked(&mut node), [1]);
    node.tell(Message::BlocksOnly(true));
    node.deliver(1, 7, &[payment(1, LATER_MS, 0)]);
    node.wait(60);
    node.tell(Message::BlocksOnly(false));
    node.deliver(1, 7, &[payment(1, LATER_MS, 0)]);
    assert_eq!(node.refusals, [(1, Refusal::Late(7))]);
    for from in [1, 2] {
        node.announce(from, &[payment(1, LATER_MS, 1).facts.id]);
    }
    assert_eq!(asked(&mut node), [1]);
}
