//! What is announced to whom, and what is served.

use super::node::{LATER_MS, ME, Node};
use crate::{
    mempool::{Message, Refusal, wire},
    testing::payments::{SIZE, bytes, config, payment},
};
use drystone_engine::{Class, types::Digest};

fn request(node: &mut Node, from: usize, ids: &[Digest]) -> Vec<wire::Message> {
    node.sent.clear();
    let message = Message::Requested {
        from: node.world.key(from),
        request: 42,
        ids: ids.to_vec(),
    };
    node.tell(message);
    let sent = std::mem::take(&mut node.sent).into_iter();
    let sent = sent.map(|(to, message)| {
        assert_eq!(to, [from]);
        message
    });
    sent.collect()
}

/// How many transactions are in the answers, and which ids are said to be missing.
fn served(messages: &[wire::Message]) -> (usize, Vec<Digest>) {
    let (mut found, mut absent) = (0, Vec::new());
    for message in messages {
        match message {
            wire::Message::Contents { request, contents } => {
                assert_eq!(*request, 42);
                found += contents.len();
            }
            wire::Message::Missing { request, ids } => {
                assert_eq!(*request, 42);
                absent.extend(ids);
            }
            other => panic!("not an answer: {other:?}"),
        }
    }
    (found, absent)
}

// K-27
#[test]
fn what_a_client_submits_is_announced_to_all_in_one_message() {
    let mut node = Node::new();
    let ids: Vec<_> = (0..3).map(|it| node.accept(1, LATER_MS, it)).collect();
    node.wait(4);
    assert!(node.sent.is_empty(), "it waits for others");
    let announced = node.announced();
    let [(to, of)] = &announced[..] else {
        panic!("one message, not {announced:?}")
    };
    let mut to = to.clone();
    to.sort_unstable();
    assert_eq!((to, of), (vec![1, 2, 3, 4, 5], &ids));
}

// Its chunk is on its way to everybody.
#[test]
fn what_is_packed_before_it_was_announced_is_not_announced() {
    let mut node = Node::new();
    let (packed, other) = (node.accept(1, LATER_MS, 0), node.accept(2, LATER_MS, 1));
    node.ledger.refused.lock().insert(other);
    assert_eq!(node.take(), [packed]);
    node.seal(&[packed], LATER_MS);
    let announced = node.announced();
    let [(_, ids)] = &announced[..] else {
        panic!("one message")
    };
    assert_eq!(ids, &[other]);
}

// One message a turn, whatever the rate: what bounds the channel counts messages.
#[test]
fn what_comes_within_one_turn_is_announced_in_one_message() {
    let mut node = Node::new();
    let mut ids = vec![node.accept(1, LATER_MS, 0)];
    for salt in 1..4 {
        node.wait(1);
        ids.push(node.accept(1, LATER_MS, salt));
    }
    assert!(node.sent.is_empty(), "the turn is not over");
    node.wait(2);
    let (_, message) = node.sent.pop().expect("it is due");
    assert_eq!(message, wire::Message::Announce(ids));
    assert!(node.sent.is_empty());
}

// K-11, K-27
#[test]
fn only_who_packs_waits_for_a_chunk_before_it_announces() {
    let mut config = config();
    config.gossip.pack_linger_ms = 100;
    let mut node = Node::with(config);
    node.accept(1, LATER_MS, 0);
    assert_eq!(node.announced(), []);
    node.wait(100);
    assert_eq!(node.announced().len(), 1, "there was no chunk");
    node.enter(None);
    let id = node.accept(2, LATER_MS, 1);
    let announced = node.announced();
    assert!(matches!(&announced[..], [(_, ids)] if *ids == [id]));
}

// K-27: its chunk may never be certified, and this node may die with it.
#[test]
fn what_nobody_certifies_in_time_is_announced() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    assert_eq!(node.take(), [id]);
    node.seal(&[id], LATER_MS);
    node.wait(1_000);
    let announced = node.announced();
    assert!(matches!(&announced[..], [(_, ids)] if *ids == [id]));
    node.tell(Message::Certified {
        sequencer: node.world.key(ME),
        height: 1,
    });
    node.wait(1_000);
    assert_eq!(node.announced(), []);
}

// K-27
#[test]
fn what_nobody_certifies_is_not_announced_once_another_chunk_executed_it() {
    let mut node = Node::new();
    let ids = [0, 1].map(|salt| node.accept(1, LATER_MS, salt));
    assert_eq!(node.take(), ids);
    node.seal(&ids, LATER_MS);
    node.execute(1, &[(ids[0], LATER_MS)], &[]);
    node.wait(1_000);
    let announced = node.announced();
    assert!(matches!(&announced[..], [(_, left)] if *left == ids[1..]));
}

// K-02, K-29: not to its source, and not to all, or every id would travel n times n times.
#[test]
fn what_was_fetched_and_checked_is_announced_to_a_few_but_not_to_its_source() {
    let mut node = Node::new();
    let (good, bad) = (payment(1, LATER_MS, 0), payment(2, LATER_MS, 0));
    node.refused.insert(bad.facts.id);
    let mut told = vec![0; 6];
    for _ in 0..10 {
        let salt = node.now_ms;
        node.fetch(2, &payment(1, LATER_MS, salt));
        for (to, ids) in node.announced() {
            assert_eq!(ids.len(), 1);
            to.iter().for_each(|it| told[*it] += 1);
        }
        node.execute(1, &[(payment(1, LATER_MS, salt).facts.id, LATER_MS)], &[]);
    }
    // Two of five in turn, of which one round in five each meets the source.
    assert_eq!(told, [0, 4, 0, 4, 4, 4]);
    node.fetch(2, &bad);
    assert!(node.announced().is_empty(), "refused");
    node.fetch(2, &good);
    assert_eq!(node.announced().len(), 1);
}

// K-30
#[test]
fn what_is_still_pending_is_announced_again_in_rounds() {
    let mut config = config();
    config.gossip.reannounce_max = 3;
    let mut node = Node::with(config);
    let ids: Vec<_> = (0..5).map(|it| node.accept(1, LATER_MS, it)).collect();
    node.announced();
    let mut round = || {
        node.wait(1_000);
        let announced = node.announced();
        let to: usize = announced.iter().map(|(to, _)| to.len()).sum();
        assert_eq!(to, 2, "a few at a time");
        announced[0].1.clone()
    };
    assert_eq!([round(), round()].concat(), [&ids[..], &ids[..1]].concat());
}

// K-30
#[test]
fn what_expired_was_executed_or_is_carried_by_a_chunk_is_not_announced_again() {
    let mut node = Node::new();
    let expired = node.accept(1, node.chain_ms + 10, 0);
    let executed = node.accept(1, LATER_MS, 1);
    let packed = node.accept(1, LATER_MS, 2);
    let certified = node.accept(1, LATER_MS, 3);
    let withheld = node.accept(1, LATER_MS, 4);
    assert!(node.take().contains(&packed));
    node.seal(&[packed], LATER_MS);
    node.certify(ME);
    node.sight(2, &[certified], LATER_MS);
    node.certify(2);
    node.sight(3, &[withheld], LATER_MS);
    node.announced();
    node.execute(10, &[(executed, LATER_MS)], &[]);
    node.wait(1_000);
    let announced = node.announced().into_iter().flat_map(|(_, ids)| ids);
    let announced: Vec<_> = announced.collect();
    assert_eq!(
        announced,
        [withheld],
        "its chunk may be seen by nobody else"
    );
    assert!(!announced.contains(&expired));
}

// K-02, K-29: what was served may have been lost on the way.
#[test]
fn nobody_is_told_at_first_what_he_announced() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    node.announce(1, &[id]);
    request(&mut node, 2, &[id]);
    let announced = node.announced();
    let [(to, _)] = &announced[..] else {
        panic!("one message")
    };
    assert!(!to.contains(&1) && to.contains(&2), "{to:?}");
}

// K-30, K-29: a peer that crashed has lost what it announced before; but who brought it is not told.
#[test]
fn in_the_rounds_only_the_source_is_left_out() {
    let mut node = Node::new();
    node.fetch(1, &payment(1, LATER_MS, 0));
    node.announce(2, &[payment(1, LATER_MS, 0).facts.id]);
    node.announced();
    let mut told = [0; 6];
    for _ in 0..5 {
        node.wait(1_000);
        for (to, _) in node.announced() {
            to.iter().for_each(|it| told[*it] += 1);
        }
    }
    assert_eq!(told, [0, 0, 2, 2, 2, 2]);
}

// K-07
#[test]
fn what_is_here_is_served_and_the_rest_is_said_to_be_missing() {
    let mut node = Node::new();
    let (first, second) = (node.accept(1, LATER_MS, 0), node.accept(1, LATER_MS, 1));
    let executed = node.accept(1, LATER_MS, 2);
    node.execute(1, &[(executed, LATER_MS)], &[]);
    let unknown = payment(1, LATER_MS, 3).facts.id;
    let answers = request(&mut node, 1, &[second, unknown, first, executed]);
    let contents = vec![bytes(1, LATER_MS, 1), bytes(1, LATER_MS, 0)];
    let request = 42;
    let ids = vec![unknown, executed];
    let expected = [
        wire::Message::Contents { request, contents },
        wire::Message::Missing { request, ids },
    ];
    assert_eq!(answers, expected, "in the order asked");
}

// K-07
#[test]
fn what_is_not_checked_yet_is_not_served() {
    let mut node = Node::new();
    node.hold_checks = true;
    let transaction = payment(1, LATER_MS, 0);
    let _reply = node.submit(&transaction);
    let id = transaction.facts.id;
    assert_eq!(served(&request(&mut node, 1, &[id])), (0, vec![id]));
}

// K-07: an answer over the size of a message takes several.
#[test]
fn an_answer_is_split_into_messages() {
    let mut node = Node::new();
    let ids: Vec<_> = (0..4).map(|it| node.accept(1, LATER_MS, it)).collect();
    let answers = request(&mut node, 1, &ids);
    assert_eq!((answers.len(), served(&answers).0), (2, 4));
    let max = config().wire.message_bytes_max;
    assert!(answers.iter().all(|it| it.encode().len() <= max));
}

// K-08, K-28: asked twice he is served twice, but not for ever.
#[test]
fn what_one_peer_is_served_is_limited_per_period() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    for _ in 0..10 {
        assert_eq!(served(&request(&mut node, 1, &[id])), (1, vec![]));
    }
    assert_eq!(served(&request(&mut node, 1, &[id])), (0, vec![id]));
    assert_eq!(node.refusals, [(1, Refusal::Greedy(1))]);
    assert_eq!(
        served(&request(&mut node, 2, &[id])),
        (1, vec![]),
        "others are"
    );
    node.wait(1_000);
    assert_eq!(served(&request(&mut node, 1, &[id])), (1, vec![]));
    assert_eq!(config().gossip.served_bytes_max, 10 * SIZE);
}

#[test]
#[should_panic(expected = "the largest transaction can be served")]
fn what_one_peer_is_served_holds_the_largest_transaction() {
    let mut config = config();
    config.gossip.served_bytes_max = config.pool.transaction_bytes_max - 1;
    Node::with(config);
}

#[test]
fn a_stranger_is_neither_listened_to_nor_served() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    let unknown = payment(1, LATER_MS, 1).facts.id;
    // Node 0 is this node itself: no peer of its own.
    assert!(request(&mut node, 0, &[id]).is_empty());
    node.announce(0, &[unknown]);
    assert_eq!(node.state.wanted(), 0);
    assert_eq!(
        node.refusals,
        [(0, Refusal::Stranger), (0, Refusal::Stranger)]
    );
    let refusal = Refusal::Stranger;
    let of = (refusal.class(), refusal.is_attributable());
    assert_eq!(of, (Class::Peer, false));
}
