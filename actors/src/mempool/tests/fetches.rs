//! Who is asked for what is announced, and what is made of the answers.

use super::node::{LATER_MS, Node};
use crate::{
    mempool::{Answer, Message, Refusal, wire},
    testing::payments::{config, payment},
    transaction::Invalid,
};
use drystone_engine::{Class, types::Digest};

fn id(salt: u64) -> Digest {
    payment(1, LATER_MS, salt).facts.id
}

fn missed(node: &mut Node, from: usize, request: u64, ids: &[Digest]) {
    let (from, ids) = (node.world.key(from), ids.to_vec());
    node.tell(Message::Missed { from, request, ids });
}

/// Everybody that was asked for anything since the last time.
fn everybody_asked(node: &mut Node) -> Vec<usize> {
    node.wait(3);
    let sent = std::mem::take(&mut node.sent).into_iter();
    let asked = sent.filter(|(_, it)| matches!(it, wire::Message::Get { .. }));
    asked.flat_map(|(to, _)| to).collect()
}

// K-08
#[test]
fn an_id_is_fetched_once_however_many_announce_it() {
    let mut node = Node::new();
    for from in [3, 1, 2] {
        node.announce(from, &[id(0)]);
    }
    assert_eq!(everybody_asked(&mut node), [3]);
    node.announce(4, &[id(0)]);
    assert!(everybody_asked(&mut node).is_empty(), "it is on its way");
    node.deliver(3, 7, &[payment(1, LATER_MS, 0)]);
    node.announce(5, &[id(0)]);
    assert!(everybody_asked(&mut node).is_empty(), "it is here");
    assert_eq!((node.state.total().items, node.state.wanted()), (1, 0));
}

// K-08: ids that come together are asked for together, in their order.
#[test]
fn a_request_asks_for_many() {
    let mut node = Node::new();
    node.announce(1, &[id(0)]);
    node.announce(1, &[id(1), id(0), id(2)]);
    assert!(node.sent.is_empty(), "it waits for others");
    assert_eq!(node.asked(1), Some((7, vec![id(0), id(1), id(2)])));
}

// K-08, K-02
#[test]
fn what_is_here_was_executed_or_is_in_a_chunk_is_not_asked_for() {
    let mut node = Node::new();
    let held = node.accept(1, LATER_MS, 0);
    node.execute(1, &[(id(1), LATER_MS)], &[]);
    node.sight(2, &[id(2)], LATER_MS);
    node.announce(1, &[held, id(1), id(2)]);
    assert_eq!((node.asked(1), node.state.wanted()), (None, 0));
}

// A chunk or a client brings what is still wanted: nothing is asked, and what comes late is no fault.
#[test]
fn what_comes_some_other_way_is_not_fetched() {
    let mut node = Node::new();
    node.announce(1, &[id(0), id(1)]);
    node.sight(2, &[id(0)], LATER_MS);
    node.accept(1, LATER_MS, 1);
    assert_eq!((node.asked(1), node.state.wanted()), (None, 0));
    node.announce(1, &[id(2)]);
    let (request, _) = node.asked(1).expect("wanted");
    node.accept(1, LATER_MS, 2);
    node.deliver(1, request, &[payment(1, LATER_MS, 2)]);
    assert!(node.refusals.is_empty());
    assert_eq!(node.state.total().items, 2);
}

// K-02
#[test]
fn when_an_announcer_hangs_another_is_asked() {
    let mut node = Node::new();
    for from in [1, 2] {
        node.announce(from, &[id(0)]);
    }
    assert_eq!(everybody_asked(&mut node), [1]);
    node.wait(46);
    assert!(node.sent.is_empty(), "it has its time");
    node.wait(1);
    assert_eq!(everybody_asked(&mut node), [2]);
    // The first answers after all: too late, and no fault.
    node.deliver(1, 7, &[payment(1, LATER_MS, 0)]);
    assert_eq!(node.refusals, [(1, Refusal::Late(7))]);
    assert!(!Refusal::Late(7).is_attributable());
    node.deliver(2, 8, &[payment(1, LATER_MS, 0)]);
    assert_eq!(node.state.total().items, 1);
}

// K-02
#[test]
fn who_hangs_is_asked_after_those_who_answer() {
    let mut node = Node::new();
    node.announce(1, &[id(0)]);
    assert_eq!(everybody_asked(&mut node), [1]);
    node.wait(60);
    for from in [1, 2] {
        node.announce(from, &[id(1)]);
    }
    assert_eq!(everybody_asked(&mut node), [2]);
}

// K-02
#[test]
fn when_every_announcer_failed_the_id_is_forgotten_until_announced_again() {
    let mut node = Node::new();
    node.announce(1, &[id(0)]);
    assert_eq!(everybody_asked(&mut node), [1]);
    node.wait(60);
    assert_eq!(node.state.wanted(), 0);
    node.announce(1, &[id(0)]);
    assert_eq!(everybody_asked(&mut node), [1]);
}

// K-07
#[test]
fn when_an_announcer_has_it_no_more_another_is_asked_at_once() {
    let mut node = Node::new();
    for from in [1, 2] {
        node.announce(from, &[id(0), id(1)]);
    }
    node.wait(3);
    node.sent.clear();
    missed(&mut node, 1, 7, &[id(0)]);
    let [(to, wire::Message::Get { ids, .. })] = &node.sent[..] else {
        panic!("one request")
    };
    assert_eq!((&to[..], &ids[..]), (&[2][..], &[id(0)][..]));
}

// K-02, K-28: the hash does not match.
#[test]
fn content_that_was_not_asked_for_proves_its_sender_faulty() {
    let mut node = Node::new();
    for from in [1, 2] {
        node.announce(from, &[id(0), id(1)]);
    }
    let (request, ids) = node.asked(1).expect("one of the two is asked");
    assert_eq!(ids.len(), 1, "the load is shared");
    let lie = payment(1, LATER_MS, 9);
    node.deliver(1, request, std::slice::from_ref(&lie));
    let refusal = Refusal::Unasked(lie.facts.id);
    let of = (refusal.class(), refusal.is_attributable());
    assert_eq!(of, (Class::Broadcast, true));
    assert_eq!(node.refusals, [(1, refusal)]);
    assert_eq!(node.state.total().items, 0, "nothing of it is kept");
    let (request, again) = node.asked(2).expect("the other announcer");
    assert_eq!(again, ids);
    let salt = u64::from(ids[0] == id(1));
    node.deliver(2, request, &[payment(1, LATER_MS, salt)]);
    assert_eq!(node.state.total().items, 1);
}

// K-08: garbage.
#[test]
fn content_that_cannot_be_read_proves_its_sender_faulty() {
    let mut node = Node::new();
    for from in [1, 2] {
        node.announce(from, &[id(0)]);
    }
    let (request, _) = node.asked(1).expect("the first announcer");
    let invalid = Invalid::because("not a payment");
    let from = node.world.key(1);
    node.tell(Message::Delivered {
        from,
        request,
        transactions: vec![Err(invalid.clone())],
    });
    let refusal = Refusal::Undecodable(invalid);
    assert!(refusal.is_attributable());
    assert_eq!(node.refusals, [(1, refusal)]);
    assert!(node.asked(2).is_some());
}

// The network may deliver a part of an answer twice.
#[test]
fn an_answer_that_comes_twice_is_no_lie() {
    let mut node = Node::new();
    node.announce(1, &[id(0), id(1)]);
    let (request, _) = node.asked(1).expect("the announcer");
    for _ in 0..2 {
        node.deliver(1, request, &[payment(1, LATER_MS, 0)]);
    }
    assert!(node.refusals.is_empty());
    node.deliver(1, request, &[payment(1, LATER_MS, 1)]);
    assert_eq!((node.state.total().items, node.state.wanted()), (2, 0));
}

// K-17: this node's state may be behind the announcer's.
#[test]
fn who_brings_what_the_state_refuses_is_not_cut_off_and_it_is_not_fetched_again() {
    let mut node = Node::new();
    let poor = payment(1, LATER_MS, 0);
    node.refused.insert(poor.facts.id);
    node.fetch(1, &poor);
    let [(1, refusal @ Refusal::Rejected { .. })] = &node.refusals[..] else {
        panic!("refused by the application")
    };
    let of = (refusal.class(), refusal.is_attributable());
    assert_eq!(of, (Class::Application, false));
    node.sent.clear();
    node.announce(2, &[poor.facts.id]);
    assert_eq!(node.asked(2), None);
    // After a block it may be valid.
    node.refused.clear();
    node.execute(1, &[], &[]);
    node.fetch(2, &poor);
    assert_eq!(node.state.total().items, 1);
}

// K-28
#[test]
fn a_flood_of_announcements_is_bounded_per_peer() {
    let mut node = Node::new();
    for salt in 0..1_000 {
        node.announce(1, &[id(salt)]);
    }
    let config = config().gossip;
    assert_eq!(node.state.wanted(), config.wanted_max);
    let last = node.refusals.last().cloned();
    assert_eq!(last, Some((1, Refusal::NoRoom(1))));
    assert!(!Refusal::NoRoom(1).is_attributable());
    // One request of a message's size, and no more until it is answered.
    let (request, ids) = node.asked(1).expect("some");
    assert_eq!(ids.len(), config.requested_max);
    node.sent.clear();
    assert_eq!(node.asked(1), None);
    // The others are not affected.
    node.announce(2, &[id(5_000)]);
    assert!(node.asked(2).is_some());
    missed(&mut node, 1, request, &ids);
    assert!(node.asked(1).is_some(), "there is room again");
}

// K-28: an id that many announce costs each of them its share, and gives it back.
#[test]
fn shares_are_given_back_when_the_id_arrives() {
    let mut node = Node::new();
    for round in 0..20 {
        let salts = [2 * round, 2 * round + 1];
        for from in 1..6 {
            node.announce(from, &salts.map(id));
        }
        node.wait(3);
        for (to, message) in std::mem::take(&mut node.sent) {
            let wire::Message::Get { request, ids } = message else {
                continue;
            };
            let asked = salts.iter().filter(|it| ids.contains(&id(**it)));
            let asked: Vec<_> = asked.map(|it| payment(1, LATER_MS, *it)).collect();
            node.deliver(to[0], request, &asked);
            let executed: Vec<_> = ids.iter().map(|it| (*it, LATER_MS)).collect();
            node.execute(1, &executed, &[]);
        }
        assert_eq!(node.state.wanted(), 0);
    }
    assert!(node.refusals.is_empty(), "{:?}", node.refusals);
}

#[test]
fn what_a_peer_that_left_was_asked_for_is_asked_of_another() {
    let mut node = Node::new();
    node.announce(1, &[id(0), id(1)]);
    node.announce(2, &[id(0)]);
    assert!(!everybody_asked(&mut node).is_empty());
    let peers = (2..6).map(|it| node.world.key(it)).collect();
    node.tell(Message::Entered(crate::mempool::Members {
        peers,
        rank: None,
    }));
    assert_eq!(node.state.wanted(), 1, "what it alone had is forgotten");
    let asked = node.sent.iter().map(|(to, _)| to[0]);
    assert_eq!(asked.collect::<Vec<_>>(), [2]);
    let mut reply = node.submit(&payment(1, LATER_MS, 0));
    assert_eq!(reply.try_recv(), Ok(Answer::Accepted));
    assert_eq!(node.state.wanted(), 0);
}
