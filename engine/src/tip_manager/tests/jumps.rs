use crate::{
    horizon::Horizon,
    record::Key,
    refusal::Refusal,
    testing::{Node, Nouns, World, acked, answers, fetches, heights, locked, refusals, told},
    tip_manager::{Effect, Message, To},
    types::Signed,
    wire::Gossip,
};
use std::sync::Arc;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

fn served(effects: &[Effect<Nouns>]) -> Vec<Arc<Signed<Nouns>>> {
    answers(effects)
        .into_iter()
        .flat_map(|(_, it)| it.headers)
        .collect()
}

// L-16, R-02
#[test]
fn a_validator_that_jumps_fetches_the_headers_below_and_fills_them_downwards() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 8);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..1]);
    let effects = node.learn(&world, PEER, &world.certificate(0, &lane[5]));
    assert_eq!(fetches(&effects), [(To::Peer(world.key(PEER)), 1, 6)]);
    let effects = node.hear(&world, PEER, world.envelope(&lane[3..6], None));
    assert_eq!(refusals(&effects), []);
    assert_eq!(
        served(&node.asked(&world, 3, SEQUENCER, (1, 8))),
        lane[3..6]
    );
    assert_eq!(
        fetches(&node.tell(Message::Ticked)),
        [(To::AnyValidator, 1, 3)]
    );
    node.hear(&world, 3, world.envelope(&lane[1..3], None));
    assert_eq!(
        served(&node.asked(&world, 3, SEQUENCER, (1, 8))),
        lane[..6],
        "1 was locked before"
    );
    assert_eq!(fetches(&node.tell(Message::Ticked)), []);
    assert_eq!(
        acked(&node.receive(&world, &lane[6..])),
        [(0, vec![7, 8])],
        "the lane goes on above"
    );
}

// a true header of the lane, but not the one below.
#[test]
fn a_fetched_header_that_the_certificate_does_not_vouch_for_is_not_accepted() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 4, 1);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    let effects = node.hear(&world, PEER, world.envelope(&fork, None));
    assert_eq!(
        crate::testing::proofs(&effects).len(),
        1,
        "4 beside a certificate over another"
    );
    node.hear(&world, PEER, world.envelope(&lane[1..2], None));
    assert_eq!(
        node.state.headers_held(),
        0,
        "2 links to nothing that is here yet"
    );
    let mixed = [
        fork[0].clone(),
        fork[1].clone(),
        lane[2].clone(),
        lane[3].clone(),
    ];
    let effects = node.hear(&world, PEER, world.envelope(&mixed, None));
    assert_eq!(refusals(&effects).len(), 2, "the fork's 1 and 2");
    assert_eq!(node.state.headers_held(), 2);
}

// L-07, L-16
#[test]
fn headers_that_wait_above_a_certificate_are_locked_when_it_comes() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 5);
    let mut node = Node::new(&world, ME);
    node.hear(&world, PEER, world.envelope(&lane[3..], None));
    let envelope = world.envelope(&[], Some(&world.certificate(0, &lane[2])));
    let effects = node.hear(&world, SEQUENCER, envelope);
    let effects = node.follow(effects);
    assert_eq!(
        (locked(&effects), heights(&effects)),
        (vec![4, 5], vec![4, 5])
    );
}

// D-09, L-10
#[test]
fn locks_of_a_branch_that_a_certificate_overtook_still_bind() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 5, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &fork[2]));
    assert_eq!(
        acked(&node.receive(&world, &fork[3..])),
        [],
        "4 is locked on the other branch"
    );
    node.learn(&world, PEER, &world.certificate(0, &fork[3]));
    assert_eq!(acked(&node.receive(&world, &fork[3..4])), [], "contested");
    assert_eq!(
        acked(&node.receive(&world, &fork[4..])),
        [(0, vec![5])],
        "5 is free"
    );
    node.settle(Message::Entered(1));
    assert_eq!(
        acked(&node.receive(&world, &fork[3..])),
        [(1, vec![4]), (1, vec![5])],
        "a new epoch"
    );
}

// D-39: the headers jumped over are as large as they may be until they are known.
#[test]
fn unknown_headers_count_as_the_largest_until_they_are_fetched() {
    let mut genesis = crate::testing::genesis();
    genesis.lane_ahead_max.bytes = 4_100;
    let world = World::with(genesis);
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(0, &lane[4]));
    let mut deliver = |at: usize| locked(&node.receive(&world, &lane[at..=at]));
    assert_eq!(
        deliver(5),
        [0; 0],
        "five of 1000 bytes are below it already"
    );
    assert_eq!(deliver(4), [0; 0], "four, and one of 100");
    assert_eq!(deliver(3), [6], "three, and two of 100");
}

// L-16, R-15: what was executed is not journaled any more; for others the last of it is kept until it expires.
#[test]
fn execution_forgets_what_is_below_and_moves_a_base_that_is_behind() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 6);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..4]);
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    assert_eq!(node.state.headers_held(), 4);
    let effects = node.executed(&world, SEQUENCER, lane[1].tip());
    assert!(
        effects
            .iter()
            .any(|it| matches!(it, Effect::Forget(keys) if keys.end() == &Key::Lock(world.key(SEQUENCER), 1, u64::MAX)))
    );
    assert_eq!(node.state.headers_held(), 4);
    let above = served(&node.asked(&world, PEER, SEQUENCER, (3, 9)));
    assert_eq!(
        above.iter().map(|it| it.height()).collect::<Vec<_>>(),
        [3, 4]
    );
    node.executed(&world, SEQUENCER, lane[0].tip());
    let effects = node.executed(&world, SEQUENCER, lane[4].tip());
    assert_eq!((node.state.headers_held(), fetches(&effects)), (2, vec![]));
    // What lay between the base and a tip that nobody showed here may not have led to it.
    let shown = served(&node.asked(&world, PEER, SEQUENCER, (1, 4)));
    assert_eq!(
        shown.iter().map(|it| it.height()).collect::<Vec<_>>(),
        [1, 2]
    );
    assert_eq!(
        acked(&node.receive(&world, &lane[4..])).last(),
        Some(&(0, vec![6]))
    );
}

// L-07, L-16: a header once acked is kept and shown, also to its sequencer when that lost its disk.
#[test]
fn headers_whose_locks_an_epoch_dropped_are_still_served_and_told() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    node.learn(&world, PEER, &world.certificate(0, &lane[0]));
    node.settle(Message::Entered(1));
    assert_eq!(
        served(&node.asked(&world, PEER, SEQUENCER, (2, 3))),
        lane[1..3]
    );
    let asked = node.tell(Message::Gossiped {
        from: world.key(SEQUENCER),
        gossip: Gossip::Ask { nonce: 1 },
    });
    assert_eq!(told(&asked)[0].headers, lane);
}

// L-16, R-15: one envelope beyond the window costs one signature check, and a replay of it none.
#[test]
fn a_flood_beyond_the_window_is_looked_at_once() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 14);
    let mut node = Node::new(&world, ME);
    let flood = world.envelope(&lane[8..], None);
    let first = node.hear(&world, PEER, flood.clone());
    assert_eq!(refusals(&first), [Refusal::BeyondWindow(9)]);
    assert_eq!(fetches(&first), [(To::Peer(world.key(PEER)), 1, 8)]);
    let forged = crate::testing::stolen(&lane[9], &lane[8]);
    let again = node.hear(&world, PEER, world.envelope(&[forged], None));
    assert_eq!(
        refusals(&again),
        [Refusal::BeyondWindow(10)],
        "nobody looked at it"
    );
    assert_eq!(fetches(&again), []);
}

// L-05, R-15: a stalled disk holds new locks back; it does not fill the memory, nor end in a panic.
#[test]
fn what_waits_for_a_stalled_disk_is_bounded_and_goes_on_when_it_has_caught_up() {
    const ROUNDS: u64 = 9_000;
    let world = World::new();
    let lane = world.lane(SEQUENCER, ROUNDS + 1);
    let mut node = Node::new(&world, ME);
    node.now_ms += ROUNDS;
    for header in &lane[..ROUNDS as usize] {
        node.hear(
            &world,
            SEQUENCER,
            world.envelope(std::slice::from_ref(header), None),
        );
        let gossip = Gossip::Certificates {
            reply: true,
            certificates: vec![world.certificate(0, header)],
        };
        let shown = node.tell(Message::Gossiped {
            from: world.key(PEER),
            gossip,
        });
        for batch in crate::testing::to_check(&shown) {
            let results = batch.into_iter().map(|it| (it, true)).collect();
            node.tell(Message::Checked(results));
        }
        node.tell(Message::Advanced(Horizon {
            included: [(world.key(SEQUENCER), header.tip())].into(),
            ..Horizon::default()
        }));
    }
    let waiting = node.written.len() - node.durable();
    assert_eq!(waiting, 1 << 14);
    node.sync();
    let last = &lane[ROUNDS as usize];
    node.learn(
        &world,
        PEER,
        &world.certificate(0, &lane[ROUNDS as usize - 1]),
    );
    assert_eq!(
        acked(&node.receive(&world, std::slice::from_ref(last))),
        [(0, vec![ROUNDS + 1])]
    );
}
