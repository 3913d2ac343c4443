use crate::{
    activity::Activity,
    record::Key,
    refusal::{Class, Refusal},
    testing::{Node, Nouns, World, acked, certified, fetches, heights, locked},
    tip_manager::{Effect, Message},
};

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

fn entered(effects: &[Effect<Nouns>]) -> Vec<u64> {
    let entered = effects.iter().filter_map(|it| match it {
        Effect::Report(Activity::Entered(epoch)) => Some(*epoch),
        _ => None,
    });
    entered.collect()
}

// L-06, L-21, L-23
#[test]
fn an_epoch_is_resolved_within_the_bounds_and_refused_beyond_them() {
    let mut world = World::new();
    world.bounds = crate::types::Bounds { past: 2, future: 1 };
    let epochs = world.epochs(ME, 4);
    for epoch in [2, 3, 4, 5] {
        assert_eq!(epochs.resolve(epoch).unwrap().epoch(), epoch);
    }
    for epoch in [0, 1, 6, 9, u64::MAX] {
        let refusal = Refusal::EpochOutOfBounds { epoch, current: 4 };
        assert_eq!(epochs.resolve(epoch).unwrap_err(), refusal);
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Epoch, false)
        );
    }
    let last = world.epochs(ME, 9);
    assert_eq!(last.resolve(10).unwrap_err(), Refusal::EpochUnknown(10));
    assert!(
        !Refusal::EpochUnknown(10).is_attributable(),
        "the peer may be ahead"
    );
}

// L-06
#[test]
fn an_epoch_never_goes_back_and_an_unknown_one_is_not_entered() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    assert_eq!(entered(&node.settle(Message::Entered(3))), [3]);
    for epoch in [0, 2, 3, 10, u64::MAX] {
        assert!(node.settle(Message::Entered(epoch)).is_empty(), "{epoch}");
    }
    assert_eq!(node.state.epochs().epoch(), 3);
}

// L-06, L-14: what lies outside the bounds costs no signature check.
#[test]
fn a_certificate_is_checked_at_the_bound_and_ignored_one_beyond() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    for (epoch, taken) in [
        (2, false),
        (3, true),
        (4, true),
        (5, true),
        (6, false),
        (9, false),
    ] {
        let mut node = Node::new(&world, ME);
        node.settle(Message::Entered(4));
        let effects = node.learn(&world, PEER, &world.certificate(epoch, &lane[1]));
        assert_eq!(
            certified(&effects).len(),
            usize::from(taken),
            "epoch {epoch}"
        );
        assert_eq!(effects.is_empty(), !taken);
    }
}

// L-06: an epoch that is not durable could be forgotten, and the locks of the last one with it.
#[test]
fn locks_are_dropped_only_once_the_epoch_is_durable_and_nothing_is_acked_meanwhile() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 2, 1);
    let mut node = Node::new(&world, ME);
    node.verdict = None;
    node.receive(&world, &lane[..1]);
    let mut effects = node.tell(Message::Entered(1));
    effects.extend(node.judge(&lane[0], crate::activity::Verdict::Valid));
    effects.extend(node.hear(&world, SEQUENCER, world.envelope(&lane, None)));
    effects.extend(node.hear(&world, SEQUENCER, world.envelope(&fork, None)));
    assert_eq!((acked(&effects), locked(&effects)), (vec![], vec![]));
    assert_eq!(
        crate::testing::proofs(&effects).len(),
        1,
        "the lock still stands"
    );
    assert_eq!(entered(&node.sync()), [1]);
    node.verdict = Some(crate::activity::Verdict::Valid);
    assert_eq!(
        acked(&node.receive(&world, &fork)),
        [(1, vec![1, 2])],
        "locks are scoped to an epoch"
    );
}

// L-06
#[test]
fn the_base_is_kept_and_acked_in_the_new_epoch_and_the_suffix_comes_from_the_resend() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[0]));
    let effects = node.settle(Message::Entered(1));
    assert_eq!(acked(&effects), [(1, vec![1])], "the base alone");
    assert_eq!(
        acked(&node.receive(&world, &lane)),
        [(1, vec![1]), (1, vec![2, 3])]
    );
    node.learn(&world, PEER, &world.certificate(1, &lane[0]));
    assert_eq!(
        acked(&node.receive(&world, &lane[..1])),
        [],
        "certified in this epoch"
    );
}

// L-06
#[test]
fn a_lane_that_idles_for_several_epochs_is_certified_anew_in_each() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..1]);
    node.learn(&world, PEER, &world.certificate(0, &lane[0]));
    for epoch in 1..=5 {
        let mut given = acked(&node.settle(Message::Entered(epoch)));
        let bare = world.envelope(&[], Some(&world.certificate(epoch - 1, &lane[0])));
        given.extend(acked(&node.hear(&world, SEQUENCER, bare)));
        assert_eq!(
            given,
            [(epoch, vec![1]), (epoch, vec![1])],
            "on entering, and when asked again"
        );
        node.learn(&world, PEER, &world.certificate(epoch, &lane[0]));
    }
    assert_eq!(acked(&node.receive(&world, &lane[1..])), [(5, vec![2])]);
}

// L-06
#[test]
fn a_base_out_of_bounds_is_replaced_by_the_executed_entry() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[2]));
    node.executed(&world, SEQUENCER, lane[0].tip());
    let effects = node.settle(Message::Entered(2));
    assert_eq!(
        acked(&effects),
        [(2, vec![1])],
        "the executed header, not the certified one"
    );
    assert_eq!(
        acked(&node.receive(&world, &lane[1..])),
        [(2, vec![2, 3, 4])]
    );
    let mut node = node.restart(&world);
    let again = node.settle(Message::Stirred);
    assert_eq!(heights(&again), [2, 3, 4], "and so it is after a restart");
}

// L-06, D-09
#[test]
fn a_base_that_departs_from_the_executed_entry_is_replaced_by_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, lane[0].tip(), 3, 1);
    // The chain executed the fork's 2: first with the base at that height, then above it.
    for base in [1, 2] {
        let mut node = Node::new(&world, ME);
        node.receive(&world, &lane);
        node.learn(&world, PEER, &world.certificate(0, &lane[base]));
        node.executed(&world, SEQUENCER, fork[0].tip());
        let effects = node.settle(Message::Entered(1));
        assert_eq!(acked(&effects), [(1, vec![2])]);
        assert_eq!(acked(&node.receive(&world, &fork[1..])), [(1, vec![3, 4])]);
    }
}

// L-01, L-06
#[test]
fn a_sequencer_that_left_the_set_gets_no_acks_and_its_headers_are_served_for_an_epoch_more() {
    let mut world = World::new();
    for epoch in 1..=2 {
        world.seat(epoch, &[0, 1, 2, 3], &[0, 2, 3]);
    }
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..2]);
    node.learn(&world, PEER, &world.certificate(0, &lane[0]));
    assert_eq!(acked(&node.settle(Message::Entered(1))), []);
    assert_eq!(acked(&node.receive(&world, &lane)), []);
    assert_eq!(fetches(&node.tell(Message::Ticked)), []);
    // A block of this epoch may include what the last one certified.
    assert_eq!(node.asked(&world, PEER, SEQUENCER, (1, 3)).len(), 1);
    node.settle(Message::Entered(2));
    assert!(node.asked(&world, PEER, SEQUENCER, (1, 3)).is_empty());
}

// D-46, L-06
#[test]
fn a_validator_that_left_acks_nothing_and_one_that_joined_acks_from_its_first_epoch_on() {
    let mut world = World::new();
    world.seat(1, &[1, 2, 3, 5], &[1]);
    let lane = world.lane(SEQUENCER, 1);
    let mut leaver = Node::new(&world, ME);
    leaver.receive(&world, &lane);
    leaver.settle(Message::Entered(1));
    assert_eq!(acked(&leaver.receive(&world, &lane)), []);
    let mut joiner = Node::new(&world, 5);
    assert_eq!(acked(&joiner.receive(&world, &lane)), []);
    joiner.settle(Message::Entered(1));
    assert_eq!(acked(&joiner.receive(&world, &lane)), [(1, vec![1])]);
}

// L-06, R-15: the sets are the chain's choice, so the lanes that ever were are few; headers are what takes memory.
#[test]
fn a_lane_whose_sequencer_left_keeps_no_headers_and_its_place() {
    let mut world = World::new();
    for epoch in 1..=3 {
        world.seat(epoch, &[0, 1, 2, 3], &[0, 2, 3]);
    }
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 2, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[1]));
    node.executed(&world, SEQUENCER, lane[0].tip());
    for epoch in 1..=3 {
        node.settle(Message::Entered(epoch));
    }
    assert_eq!(
        node.state.headers_held(),
        4,
        "until they expire somebody may execute them"
    );
    let far_ms = crate::testing::NOW_MS + 10_000;
    node.settle(Message::Advanced(crate::horizon::Horizon {
        finalized_ms: far_ms,
        executed_ms: far_ms,
        ..Default::default()
    }));
    assert_eq!(node.state.headers_held(), 0);
    // It comes back: the lane goes on from its place, and what lies below cannot be signed anew.
    assert_eq!(acked(&node.settle(Message::Entered(4))), [(4, vec![1])]);
    assert_eq!(acked(&node.receive(&world, &fork)), []);
    assert_eq!(
        acked(&node.receive(&world, &lane[1..])),
        [(4, vec![2, 3, 4])]
    );
}

// L-06, L-10: the epoch is durable, but not the bases that take the place of those out of its bounds.
#[test]
fn a_crash_between_an_epoch_and_its_bases_leaves_no_base_out_of_bounds() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    node.tell(Message::Entered(2));
    node.sync();
    assert_eq!(
        node.written.len(),
        node.durable() + 1,
        "the base is not durable"
    );
    let mut node = node.restart(&world);
    node.settle(Message::Started);
    node.executed(&world, SEQUENCER, lane[1].tip());
    assert_eq!(acked(&node.receive(&world, &lane[2..])), [(2, vec![3, 4])]);
}

// L-06, L-15: what waits for the epoch being entered must not wait for the sync of a later record.
#[test]
fn the_newest_epoch_is_the_one_being_entered() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    node.tell(Message::Entered(1));
    assert_eq!(
        (node.state.epochs().epoch(), node.state.newest_epoch()),
        (0, 1)
    );
    node.sync();
    assert_eq!(
        (node.state.epochs().epoch(), node.state.newest_epoch()),
        (1, 1)
    );
}

// the journal holds what is live, however many epochs an equivocator lives through.
#[test]
fn the_journal_forgets_dropped_locks_that_expired_and_proofs_out_of_bounds() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.receive(&world, &fork);
    let forgotten = |effects: &[Effect<Nouns>]| -> Vec<_> {
        let ranges = effects.iter().filter_map(|it| match it {
            Effect::Forget(keys) => Some(keys.clone()),
            _ => None,
        });
        ranges.collect()
    };
    assert_eq!(forgotten(&node.settle(Message::Entered(1))), []);
    let horizon = crate::horizon::Horizon {
        executed_ms: crate::testing::NOW_MS + 10_000,
        ..Default::default()
    };
    let lock = |height, epoch| Key::Lock(world.key(SEQUENCER), height, epoch);
    assert_eq!(
        forgotten(&node.settle(Message::Advanced(horizon))),
        [lock(1, 0)..=lock(1, 0), lock(2, 0)..=lock(2, 0)]
    );
    let proof = Key::Evidence(world.key(SEQUENCER), 0);
    assert_eq!(
        forgotten(&node.settle(Message::Entered(2))),
        [proof.clone()..=proof]
    );
}
