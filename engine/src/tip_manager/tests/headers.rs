use crate::{
    refusal::{Class, Refusal},
    testing::{
        NOW_MS, Node, World, acked, answers, fetches, heights, locked, payload, refusals, refused,
        stolen,
    },
    tip_manager::{Effect, Message, To},
    types::{Header, Limits, Payload, Signed},
};
use std::sync::Arc;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

/// The header at height 1 with something changed, signed.
fn first(
    world: &World,
    change: impl FnOnce(&mut Header<crate::scheme::free::PublicKey>),
) -> Arc<Signed<crate::testing::Nouns>> {
    let mut header = world.lane(SEQUENCER, 1)[0].header().clone();
    change(&mut header);
    world.sign(header)
}

// L-12, L-23
#[test]
fn each_header_that_no_lane_could_hold_is_refused_and_its_sender_cut_off() {
    let world = World::new();
    let most = Payload {
        bytes: 1_000,
        items: 100,
        ..payload(0)
    };
    let bad = [
        first(&world, |it| it.height = 0),
        first(&world, |it| it.slot = u64::MAX),
        first(&world, |it| it.slot = u64::MAX - 1_000),
        first(&world, |it| it.payload.items = 0),
        first(&world, |it| it.payload.bytes = 0),
        first(&world, |it| {
            it.payload = Payload {
                bytes: 1_001,
                ..most
            }
        }),
        first(&world, |it| it.payload = Payload { items: 101, ..most }),
    ];
    for header in bad {
        let mut node = Node::new(&world, ME);
        let effects = node.hear(
            &world,
            PEER,
            world.envelope(std::slice::from_ref(&header), None),
        );
        let refusal = Refusal::Impossible(header.height());
        assert_eq!(refused(&effects), [(world.key(PEER), refusal.clone())]);
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Broadcast, true)
        );
        assert_eq!(
            (effects.len(), node.state.headers_held()),
            (1, 0),
            "nothing is left behind"
        );
    }
    let mut node = Node::new(&world, ME);
    assert_eq!(
        acked(&node.receive(&world, &[first(&world, |it| it.payload = most)])),
        [(0, vec![1])]
    );
}

// L-12, L-23
#[test]
fn a_header_its_sequencer_did_not_sign_is_refused_and_its_sender_cut_off() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    let forged = stolen(&lane[0], &lane[1]);
    let effects = node.hear(&world, PEER, world.envelope(&[forged], None));
    let refusal = Refusal::HeaderSignature(1);
    assert_eq!(refused(&effects), [(world.key(PEER), refusal.clone())]);
    assert_eq!(
        (refusal.class(), refusal.is_attributable()),
        (Class::Signature, true)
    );
    assert_eq!(
        locked(&node.receive(&world, &lane)),
        [1, 2],
        "the true one is not in its way"
    );
}

// L-11, L-12
#[test]
fn a_header_that_does_not_extend_the_lane_is_charged_to_its_sequencer_and_not_to_who_relayed_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let broken = [
        first(&world, |it| it.previous = lane[1].digest()),
        first(&world, |it| it.slot = 0),
    ];
    for header in broken {
        let mut node = Node::new(&world, ME);
        let effects = node.hear(&world, PEER, world.envelope(&[header], None));
        let refusal = Refusal::BrokenLink(1);
        assert_eq!(refused(&effects), [(world.key(SEQUENCER), refusal.clone())]);
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Broadcast, false)
        );
        assert_eq!(node.state.headers_held(), 0);
        assert_eq!(locked(&node.receive(&world, &lane)), [1, 2]);
    }
}

// D-07: a later slot at the next height is the rule; an equal one breaks it.
#[test]
fn slots_rise_strictly_with_height() {
    let world = World::new();
    let below = world.lane(SEQUENCER, 1)[0].clone();
    for (slot, fits) in [
        (below.tip().slot - 1, false),
        (below.tip().slot, false),
        (below.tip().slot + 1, true),
    ] {
        let mut node = Node::new(&world, ME);
        let next = world.header(SEQUENCER, below.tip(), slot, payload(0));
        let effects = node.receive(&world, &[below.clone(), next]);
        assert_eq!(refusals(&effects).is_empty(), fits, "slot {slot}");
        assert_eq!(locked(&effects).len(), if fits { 2 } else { 1 });
    }
}

// L-07
#[test]
fn the_window_is_exact_at_both_ends() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 13);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..4]);
    node.learn(&world, PEER, &world.certificate(0, &lane[2]));

    let mut deliver = |height: usize| {
        node.hear(
            &world,
            PEER,
            world.envelope(&lane[height - 1..height], None),
        )
    };
    assert_eq!(refusals(&deliver(2)), [Refusal::BelowBase(2)]);
    assert_eq!(refusals(&deliver(3)), [], "the base itself");
    assert_eq!(refusals(&deliver(4)), [], "locked already");
    assert_eq!(refusals(&deliver(11)), [], "base 3, window 8");
    let beyond = deliver(12);
    assert_eq!(refusals(&beyond), [Refusal::BeyondWindow(12)]);
    assert!(
        !Refusal::BeyondWindow(12).is_attributable() && !Refusal::BelowBase(2).is_attributable()
    );
    assert!(
        fetches(&beyond).contains(&(To::Peer(world.key(PEER)), 5, 11)),
        "it starts a fetch"
    );
    assert_eq!(node.state.headers_held(), 5, "1 to 4 and 11");
}

// L-07, R-15
#[test]
fn a_header_at_the_end_of_all_heights_is_beyond_the_window_and_nothing_more() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    let far = first(&world, |it| it.height = u64::MAX);
    let effects = node.hear(&world, PEER, world.envelope(&[far], None));
    assert_eq!(refusals(&effects), [Refusal::BeyondWindow(u64::MAX)]);
    assert_eq!(fetches(&effects), [(To::Peer(world.key(PEER)), 1, 8)]);
    assert_eq!(node.state.headers_held(), 0);
}

// D-07, D-20
#[test]
fn a_future_slot_is_held_and_woken_in_its_time() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    let below = world.root(SEQUENCER);
    let header = world.header(SEQUENCER, below, NOW_MS + 5, payload(0));
    let effects = node.receive(&world, &[header]);
    assert_eq!((locked(&effects), refusals(&effects)), (vec![], vec![]));
    assert_eq!(node.state.wake_ms(), Some(NOW_MS + 5));
    node.now_ms = NOW_MS + 4;
    assert!(node.settle(Message::Woken).is_empty());
    node.now_ms = NOW_MS + 5;
    assert_eq!(acked(&node.settle(Message::Woken)), [(0, vec![1])]);
    assert_eq!(node.state.wake_ms(), None);
}

// L-03: any order of delivery gives the same acks, each height once.
#[test]
fn headers_out_of_order_are_kept_and_the_gap_is_fetched() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let third = node.hear(&world, PEER, world.envelope(&lane[2..], None));
    assert_eq!(fetches(&third), [(To::Peer(world.key(PEER)), 1, 2)]);
    let second = node.hear(&world, PEER, world.envelope(&lane[1..2], None));
    assert_eq!(fetches(&second), [(To::Peer(world.key(PEER)), 1, 1)]);
    let first = node.hear(&world, PEER, world.envelope(&lane[..1], None));
    assert_eq!((locked(&first), fetches(&first)), (vec![1, 2, 3], vec![]));
    assert_eq!(heights(&node.follow(first)), [1, 2, 3]);
}

// L-07: nothing depends on a resend timer alone, and nothing is asked twice within one.
#[test]
fn a_gap_is_fetched_once_a_tick() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let envelope = || world.envelope(&lane[2..], None);
    assert_eq!(fetches(&node.hear(&world, PEER, envelope())).len(), 1);
    assert_eq!(fetches(&node.hear(&world, 3, envelope())), []);
    assert_eq!(
        fetches(&node.tell(Message::Ticked)),
        [(To::AnyValidator, 1, 2)]
    );
    assert_eq!(fetches(&node.hear(&world, 3, envelope())), []);
}

// L-10: what a peer was shown must survive a crash.
#[test]
fn only_durable_headers_are_served() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    node.hear(&world, SEQUENCER, world.envelope(&lane, None));
    assert!(node.asked(&world, PEER, SEQUENCER, (1, 3)).is_empty());
    node.sync_to(3);
    let served = |effects: Vec<Effect<_>>| -> Vec<u64> {
        answers(&effects)
            .iter()
            .flat_map(|(_, it)| &it.headers)
            .map(|it| it.height())
            .collect()
    };
    assert_eq!(
        served(node.asked(&world, PEER, SEQUENCER, (1, 3))),
        [1, 2],
        "one record is the epoch's"
    );
    node.sync();
    assert_eq!(
        served(node.asked(&world, PEER, SEQUENCER, (2, u64::MAX))),
        [2, 3]
    );
    assert!(
        node.asked(&world, PEER, SEQUENCER, (u64::MAX, u64::MAX))
            .is_empty()
    );
}

#[test]
fn the_own_lane_is_the_sequencers_to_serve() {
    let world = World::new();
    let mut node = Node::new(&world, ME);
    let effects = node.asked(&world, PEER, ME, (2, 5));
    assert!(matches!(
        effects[..],
        [Effect::Serve {
            from: 2,
            upto: 5,
            ..
        }]
    ));
}

// D-10, D-39: holding is not refusing.
#[test]
fn a_lane_as_far_ahead_as_a_block_can_take_is_held_until_it_is_included() {
    let limits = |chunks, bytes, items| Limits {
        chunks,
        bytes,
        items,
    };
    // Four chunks of 100 bytes and 10 items: each limit in turn stops the fifth.
    for limit in [
        limits(4, 16_000, 1_600),
        limits(16, 1_000, 1_600),
        limits(16, 16_000, 100),
    ] {
        let mut genesis = crate::testing::genesis();
        genesis.lane_ahead_max = limit;
        let world = World::with(genesis);
        let big = Payload {
            bytes: 250,
            items: 25,
            ..payload(0)
        };
        let mut lane = Vec::new();
        let mut below = world.root(SEQUENCER);
        for slot in NOW_MS - 10..NOW_MS - 4 {
            lane.push(world.header(SEQUENCER, below, slot, big));
            below = lane.last().unwrap().tip();
        }
        let mut node = Node::new(&world, ME);
        let effects = node.receive(&world, &lane);
        assert_eq!(
            (locked(&effects), refusals(&effects)),
            (vec![1, 2, 3, 4], vec![])
        );
        let effects = node.executed(&world, SEQUENCER, lane[0].tip());
        assert_eq!(
            locked(&effects),
            [5],
            "one chunk included makes room for one"
        );
    }
}
