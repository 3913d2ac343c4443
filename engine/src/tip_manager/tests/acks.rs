use crate::{
    activity::Verdict,
    refusal::{Class, Refusal},
    testing::{NOW_MS, Node, World, ack_bytes, acked, judged, locked, refused},
    tip_manager::Message,
};

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

// L-02, L-10, D-12, R-03
#[test]
fn an_ack_waits_for_its_sync_and_for_its_verdict_whichever_is_last() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let envelope = || world.envelope(&lane, None);

    let mut node = Node::new(&world, ME);
    assert_eq!(acked(&node.hear(&world, SEQUENCER, envelope())), []);
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), []);
    assert_eq!(acked(&node.sync()), [(0, vec![1])]);

    let mut node = Node::new(&world, ME);
    assert_eq!(acked(&node.hear(&world, SEQUENCER, envelope())), []);
    assert_eq!(acked(&node.sync()), []);
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), [(0, vec![1])]);
}

// L-04: an ack stands for everything below it.
#[test]
fn no_ack_overtakes_a_lower_one() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    node.hear(&world, SEQUENCER, world.envelope(&lane, None));
    node.sync();
    assert_eq!(acked(&node.judge(&lane[2], Verdict::Valid)), []);
    assert_eq!(acked(&node.judge(&lane[1], Verdict::Valid)), []);
    assert_eq!(
        acked(&node.judge(&lane[0], Verdict::Valid)),
        [(0, vec![1, 2, 3])]
    );
}

// L-02, R-14
#[test]
fn a_chunk_judged_invalid_is_never_acked_until_chain_time_has_expired_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    node.verdict = Some(Verdict::Invalid);
    let effects = node.receive(&world, &lane);
    let refusal = Refusal::Verdict(1);
    assert_eq!(
        refused(&effects)[0],
        (world.key(SEQUENCER), refusal.clone())
    );
    assert_eq!(
        (refusal.class(), refusal.is_attributable()),
        (Class::Application, false)
    );
    assert_eq!(acked(&effects), []);

    node.verdict = Some(Verdict::Valid);
    for message in [Message::Stirred, Message::Ticked] {
        assert_eq!(judged(&node.settle(message)), [0; 0], "false is for ever");
    }
    assert_eq!(
        acked(&node.receive(&world, &lane)),
        [],
        "a resend changes nothing"
    );
    let expiry_ms = world.genesis.expiry_ms(lane[0].tip().slot).unwrap();
    assert_eq!(
        acked(&node.at_chain_time(expiry_ms)),
        [],
        "still includable at its last millisecond"
    );
    assert_eq!(acked(&node.at_chain_time(expiry_ms + 1)), [(0, vec![1])]);
    assert_eq!(acked(&node.at_chain_time(expiry_ms + 2)), [(0, vec![2])]);
}

// L-02
#[test]
fn a_local_clock_expires_nothing() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    node.verdict = Some(Verdict::Pending);
    node.receive(&world, &world.lane(SEQUENCER, 1));
    node.now_ms = NOW_MS * 1_000;
    assert_eq!(acked(&node.settle(Message::Ticked)), []);
}

// L-02, L-09, R-14: a dropped verdict reaches the state as a pending one.
#[test]
fn a_pending_verdict_is_asked_again_when_something_moves() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.receive(&world, &lane);
    assert_eq!(
        judged(&node.tell(Message::Stirred)),
        [0; 0],
        "it is being asked"
    );
    node.judge(&lane[0], Verdict::Pending);
    assert_eq!(judged(&node.tell(Message::Stirred)), [1]);
    assert_eq!(judged(&node.tell(Message::Stirred)), [0; 0], "once");
    node.judge(&lane[0], Verdict::Pending);
    assert_eq!(judged(&node.tell(Message::Ticked)), [1]);
    node.judge(&lane[0], Verdict::Pending);
    assert_eq!(judged(&node.at_chain_time(1)), [1]);
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), [(0, vec![1])]);
    assert_eq!(judged(&node.tell(Message::Stirred)), [0; 0], "it is known");
}

// L-15, R-06
#[test]
fn a_resend_gets_the_same_ack_and_the_application_is_not_asked() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let given: Vec<_> = ack_bytes(&node.receive(&world, &lane));
    for _ in 0..100 {
        let effects = node.receive(&world, &lane);
        assert_eq!((judged(&effects), locked(&effects)), (vec![], vec![]));
        assert_eq!(ack_bytes(&effects), given, "in one message, byte for byte");
    }
    assert_eq!(node.written.len(), 4, "nothing was journaled again");
    let relayed = node.hear(&world, PEER, world.envelope(&lane, None));
    assert!(relayed.is_empty(), "only the sequencer asks for acks");
}

// L-16
#[test]
fn a_verdict_after_the_lane_moved_on_still_leads_to_the_ack_unless_the_base_has_passed_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[1]));
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), []);
    assert_eq!(acked(&node.judge(&lane[1], Verdict::Valid)), []);
    assert_eq!(acked(&node.judge(&lane[2], Verdict::Valid)), [(0, vec![3])]);
    assert_eq!(acked(&node.judge(&lane[3], Verdict::Valid)), [(0, vec![4])]);
}

// L-02, L-16: what a verdict is about is the header, not the height.
#[test]
fn a_verdict_after_a_jump_to_another_branch_is_for_nothing() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 3, 1);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &fork[1]));
    assert_eq!(acked(&node.judge(&lane[1], Verdict::Valid)), []);
    assert_eq!(
        acked(&node.judge(&lane[2], Verdict::Valid)),
        [],
        "locked, but off the certified lane"
    );
    assert_eq!(
        acked(&node.judge(&fork[2], Verdict::Valid)),
        [],
        "never locked"
    );
}

// L-16
#[test]
fn a_verdict_after_an_epoch_change_finds_no_lock_and_the_resend_asks_again() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.receive(&world, &lane);
    node.settle(Message::Entered(1));
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), []);
    assert_eq!(judged(&node.receive(&world, &lane)), [1]);
    assert_eq!(acked(&node.judge(&lane[0], Verdict::Valid)), [(1, vec![1])]);
}

// L-02: an expired chunk needs no body, so nobody is asked for one.
#[test]
fn a_header_that_chain_time_has_expired_is_acked_without_a_verdict() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.at_chain_time(2 * NOW_MS);
    let effects = node.receive(&world, &lane);
    assert_eq!(
        (judged(&effects), acked(&effects)),
        (vec![], vec![(0, vec![1])])
    );
}

// L-01, L-13
#[test]
fn whoever_is_not_a_validator_follows_certificates_and_acks_nothing() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, 4);
    let effects = node.receive(&world, &lane);
    assert!(effects.is_empty() && node.state.headers_held() == 0);
    let effects = node.learn(&world, PEER, &world.certificate(0, &lane[1]));
    assert_eq!(crate::testing::certified(&effects), [(2, 0)]);
    assert_eq!(acked(&node.settle(Message::Entered(1))), []);
}
