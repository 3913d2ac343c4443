use crate::{
    activity::Verdict,
    record::Record,
    testing::{Node, World, ack_bytes, acked, judged, proofs, refusals, told},
    tip_manager::{Message, entered},
    wire::Gossip,
};

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

// L-10, R-01, D-09, D-12, D-15
#[test]
fn a_restarted_validator_acks_no_other_header_at_an_acked_height_and_the_same_one_again() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 3, 1);
    let mut node = Node::new(&world, ME);
    let given = ack_bytes(&node.receive(&world, &lane));
    let mut node = node.restart(&world);
    let effects = node.receive(&world, &fork);
    assert_eq!((acked(&effects), proofs(&effects).len()), (vec![], 1));
    assert_eq!(
        acked(&node.receive(&world, &lane)),
        [],
        "the body is asked for first"
    );
    assert_eq!(judged(&node.settle(Message::Stirred)), [1, 2, 3]);
    assert_eq!(
        ack_bytes(&node.receive(&world, &lane)),
        given,
        "byte for byte"
    );
}

// L-10, R-01
#[test]
fn a_stale_but_valid_message_right_after_a_restart_meets_the_replayed_lane() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 5);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..4]);
    node.learn(&world, PEER, &world.certificate(0, &lane[1]));
    let mut node = node.restart(&world);
    let effects = node.hear(
        &world,
        SEQUENCER,
        world.envelope(&lane[..1], Some(&world.certificate(0, &lane[0]))),
    );
    assert!(
        crate::testing::to_check(&effects).is_empty(),
        "an older certificate is not news"
    );
    assert_eq!(acked(&effects), []);
    node.settle(Message::Stirred);
    assert_eq!(
        acked(&node.receive(&world, &lane[4..])),
        [(0, vec![5])],
        "it goes on from 4"
    );
}

// L-10, R-01: also once the base has moved.
#[test]
fn a_restarted_validator_is_still_bound_below_at_and_above_a_base_that_moved() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 5);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[2]));
    let mut node = node.restart(&world);
    for below in 0..5 {
        let place = if below == 0 {
            world.root(SEQUENCER)
        } else {
            lane[below - 1].tip()
        };
        let fork = world.branch(SEQUENCER, place, 2, 1);
        assert_eq!(
            acked(&node.receive(&world, &fork)),
            [],
            "from height {}",
            below + 1
        );
    }
    node.settle(Message::Entered(1));
    let fork = world.branch(SEQUENCER, lane[1].tip(), 1, 1);
    assert_eq!(
        acked(&node.receive(&world, &fork)),
        [],
        "below and at the base in the new epoch, too"
    );
    assert_eq!(acked(&node.receive(&world, &lane[2..3])), [(1, vec![3])]);
}

// L-10, D-09: a lock at the base's height that the certificate does not cover.
#[test]
fn a_contested_base_is_still_contested_after_a_restart() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 3, 1);
    let mut node = Node::new(&world, ME);
    node.settle(Message::Entered(1));
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &fork[1]));
    for _ in 0..2 {
        assert_eq!(
            acked(&node.receive(&world, &fork[1..])),
            [],
            "2 and 3 are locked otherwise"
        );
        assert_eq!(acked(&node.settle(Message::Stirred)), []);
        node = node.restart(&world);
    }
    assert_eq!(acked(&node.receive(&world, &fork[1..])), []);
}

// L-10: what was never durable was never acked, so it does not bind.
#[test]
fn a_lock_lost_before_its_sync_leaves_the_height_free() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, lane[0].tip(), 1, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..1]);
    let effects = node.hear(&world, SEQUENCER, world.envelope(&lane[1..], None));
    assert_eq!(acked(&effects), []);
    let mut node = node.restart(&world);
    node.settle(Message::Stirred);
    assert_eq!(acked(&node.receive(&world, &fork)), [(0, vec![2])]);
}

// L-06, L-10: whatever the provider says after a restart.
#[test]
fn an_entered_epoch_is_not_left_by_a_restart_and_older_locks_do_not_bind_in_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 2, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.settle(Message::Entered(2));
    assert_eq!(entered(&node.written), Some(2));
    let mut node = node.restart(&world);
    assert!(node.settle(Message::Entered(1)).is_empty());
    assert_eq!(acked(&node.receive(&world, &fork)), [(2, vec![1, 2])]);
}

// L-06: dying between the epoch and its first lock.
#[test]
fn an_epoch_that_was_not_durable_is_entered_again_and_the_locks_of_the_old_one_still_bind() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.tell(Message::Entered(1));
    let mut node = node.restart(&world);
    assert_eq!(node.state.epochs().epoch(), 0);
    assert_eq!(acked(&node.receive(&world, &fork)), []);
}

// D-11
#[test]
fn a_proof_found_before_a_restart_is_not_reported_again() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    node.receive(&world, &world.lane(SEQUENCER, 1));
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    assert_eq!(proofs(&node.receive(&world, &fork)).len(), 1);
    let mut node = node.restart(&world);
    assert_eq!(proofs(&node.receive(&world, &fork)), []);
}

// A lost disk counts towards f, and no further.
#[test]
fn a_node_that_lost_its_disk_acks_nothing_before_the_epoch_it_was_told() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let records = vec![Record::Muted { until: 2 }, Record::Entered { epoch: 0 }];
    let mut node = Node::restored(&world, ME, records);
    for epoch in 0..2 {
        node.settle(Message::Entered(epoch));
        let effects = node.receive(&world, &lane);
        assert_eq!(
            (acked(&effects), refusals(&effects)),
            (vec![], vec![]),
            "epoch {epoch}"
        );
        node = node.restart(&world);
    }
    node.settle(Message::Entered(2));
    assert_eq!(acked(&node.receive(&world, &lane)), [(2, vec![1])]);
}

// L-10, the other side of a lost disk: what a validator tells the node that asks.
#[test]
fn a_node_that_asks_is_told_the_epoch_and_its_lane_as_far_as_it_is_durable() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.settle(Message::Entered(1));
    node.receive(&world, &lane[..3]);
    let certificate = world.certificate(0, &lane[1]);
    node.learn(&world, PEER, &certificate);
    node.verdict = Some(Verdict::Pending);
    node.hear(&world, SEQUENCER, world.envelope(&lane[3..], None));
    let ask = |from| Message::Gossiped {
        from: world.key(from),
        gossip: Gossip::Ask { nonce: 7 },
    };
    let answer = told(&node.tell(ask(SEQUENCER))).remove(0);
    assert_eq!((answer.nonce, answer.epoch), (7, 1));
    assert_eq!(
        answer.headers,
        lane[1..3],
        "from the certified one up; 4 is not durable"
    );
    assert_eq!(answer.certificate, Some(certificate));
    let stranger = told(&node.tell(ask(6))).remove(0);
    assert_eq!((stranger.headers.len(), stranger.certificate), (0, None));
}
