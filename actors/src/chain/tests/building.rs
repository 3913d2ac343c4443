use super::{GAP_MS, INTERVAL_MS, Node, empty, executed, naming, proposal};
use crate::{
    Canary,
    block::Block,
    certificate_pool::{self, Candidate, Selection},
    chain::{Effect, Id, Message},
    testing::{
        Key, Nouns, World,
        blocks::{GENESIS_MS, included},
    },
};
use commonware_utils::NZUsize;
use drystone_engine::types::{Limits, Signed};
use std::sync::Arc;

/// What a pool says of a lane's tip above its root.
fn candidate(world: &World, lane: &[Arc<Signed<Nouns>>]) -> Candidate<Nouns> {
    let header = lane.last().expect("some").clone();
    let headers = lane.len() as u64;
    Candidate {
        certificate: world.certificate(0, &header),
        header,
        oldest_expiry_ms: 0,
        headers,
        live: Limits {
            chunks: headers,
            bytes: 100 * headers,
            items: 10 * headers,
        },
    }
}

fn asked(effects: &[Effect<Nouns>]) -> Option<(Id, Selection<Key>)> {
    effects.iter().find_map(|it| match it {
        Effect::Select(id, selection) => Some((*id, selection.clone())),
        _ => None,
    })
}

/// Orders a block after the genesis block, when its interval has passed, and answers with candidates.
fn offered(node: &mut Node, candidates: Vec<Candidate<Nouns>>) -> Option<Block<Nouns>> {
    let (id, selection) = asked(&node.order(&[], false)).expect("the interval passed");
    proposal(node.tell(Message::Selected(id, selection.at_ms, candidates)))
}

fn world() -> Arc<World> {
    Arc::new(World::new())
}

// D-29: built of what was certified, at the leader's time.
#[test]
fn a_block_takes_the_tips_it_is_offered() {
    let world = world();
    let mut node = Node::new(&world);
    let (one, two) = (world.lane(0, 1_900, 2), world.lane(1, 1_900, 1));
    let block = offered(
        &mut node,
        vec![candidate(&world, &one), candidate(&world, &two)],
    );
    let block = block.expect("there is work");
    assert_eq!((block.height, block.timestamp_ms), (1, node.now_ms));
    let tips: Vec<_> = block.tips.iter().map(|it| it.tip()).collect();
    assert!(tips.contains(&one[1].tip()) && tips.contains(&two[0].tip()));
    assert_eq!(node.state.open(), 0);
}

// D-29: ts == parent, ts < parent.
#[test]
fn a_leader_whose_clock_is_behind_builds_right_after_its_parent() {
    let world = world();
    let mut node = Node::new(&world);
    node.now_ms = GENESIS_MS - 500;
    let effects = node.order(&[], false);
    assert!(asked(&effects).is_none());
    let effects = node.wake(node.now_ms + INTERVAL_MS);
    let (_, selection) = asked(&effects).expect("a parent from the future holds nobody up");
    assert_eq!(selection.at_ms, GENESIS_MS + 1);
}

#[test]
fn a_proposal_keeps_the_interval() {
    let world = world();
    let mut node = Node::new(&world);
    node.now_ms = GENESIS_MS + 10;
    assert!(asked(&node.order(&[], false)).is_none());
    let ready_ms = GENESIS_MS + INTERVAL_MS;
    assert_eq!(node.state.wake_ms(node.now_ms), Some(ready_ms));
    assert!(asked(&node.wake(ready_ms - 1)).is_none());
    assert!(asked(&node.wake(ready_ms)).is_some());
}

// D-05: zero certificates. Idle, a proposal stays pending until a tip arrives.
#[test]
fn without_a_tip_a_proposal_waits_for_one() {
    let world = world();
    let mut node = Node::new(&world);
    let lane = world.lane(0, 1_900, 1);
    assert_eq!(offered(&mut node, Vec::new()), None);
    assert_eq!(node.state.wake_ms(node.now_ms), Some(node.now_ms + GAP_MS));
    let certificate = world.certificate(0, &lane[0]);
    let effects = node.tell(Message::Certified(certificate));
    let (id, selection) = asked(&effects).expect("there may be something now");
    let candidates = vec![candidate(&world, &lane)];
    let block = proposal(node.tell(Message::Selected(id, selection.at_ms, candidates)));
    assert_eq!(block.expect("there is work").tips.len(), 1);
}

#[test]
fn what_is_certified_while_the_pool_is_asked_makes_it_be_asked_again() {
    let world = world();
    let mut node = Node::new(&world);
    let (id, selection) = asked(&node.order(&[], false)).expect("the interval passed");
    let certificate = world.certificate(0, &world.lane(0, 1_900, 1)[0]);
    assert!(
        node.tell(Message::Certified(certificate)).is_empty(),
        "one answer at a time"
    );
    let effects = node.tell(Message::Selected(id, selection.at_ms, Vec::new()));
    assert!(asked(&effects).is_some());
}

// D-05: zero certificates, after the gap: it moves chain time and carries `executed` forward.
#[test]
fn an_empty_block_is_proposed_after_the_gap() {
    let world = world();
    let mut node = Node::new(&world);
    assert_eq!(offered(&mut node, Vec::new()), None);
    let deadline_ms = node.now_ms + GAP_MS;
    assert!(node.wake(deadline_ms - 1).is_empty());
    let (id, selection) = asked(&node.wake(deadline_ms)).expect("a last look");
    let block = proposal(node.tell(Message::Selected(id, selection.at_ms, Vec::new())));
    let block = block.expect("the gap is over");
    assert!(block.tips.is_empty());
    assert_eq!(block.timestamp_ms, deadline_ms);
}

// D-10: what does not fit is left to the next block, and smaller ones take its place.
#[test]
fn what_does_not_fit_is_left_out() {
    let world = world();
    let mut node = Node::new(&world);
    let lanes: Vec<_> = [3, 2, 1]
        .into_iter()
        .enumerate()
        .map(|(who, count)| world.lane(who, 1_900, count))
        .collect();
    let candidates = lanes.iter().map(|it| candidate(&world, it)).collect();
    let block = offered(&mut node, candidates).expect("there is work");
    let mut heights: Vec<_> = block.tips.iter().map(|it| it.tip().height).collect();
    heights.sort_unstable();
    assert_eq!(heights, [1, 3], "four chunks fit");
}

// D-21: its oldest chunk expires before those of lanes that are full again, so the pool offers it first.
#[test]
fn a_lane_that_was_left_out_is_in_the_next_block_before_fresh_ones() {
    let world = world();
    let mut node = Node::new(&world);
    let mut pool = certificate_pool::State::<Nouns>::new(certificate_pool::Config {
        genesis: world.genesis.clone(),
        certificates_max: 2,
        mailbox_size: NZUsize!(4),
        canary: Canary::None,
    });
    let certify = |pool: &mut certificate_pool::State<Nouns>, who, slot, count| {
        let lane = world.lane(who, slot, count);
        let tip = lane.last().expect("some");
        let certificate = world.certificate(0, tip);
        let seen = lane.iter().cloned().map(certificate_pool::Message::Seen);
        seen.for_each(|it| pool.apply(it));
        pool.apply(certificate_pool::Message::Certified(certificate));
        tip.tip()
    };
    let mut build = |pool: &certificate_pool::State<Nouns>, ancestors: &[Arc<Block<Nouns>>]| {
        node.now_ms += INTERVAL_MS;
        let (id, selection) = asked(&node.order(ancestors, false)).expect("the interval passed");
        let candidates = pool.select(&selection);
        let block = proposal(node.tell(Message::Selected(id, selection.at_ms, candidates)));
        let block = block.expect("there is work");
        let tips: Vec<_> = block.tips.iter().map(|it| it.tip()).collect();
        (Arc::new(block), tips)
    };
    let first = certify(&mut pool, 0, 1_900, 3);
    let left_out = certify(&mut pool, 1, 1_901, 2);
    let last = certify(&mut pool, 2, 1_902, 1);
    let (block, tips) = build(&pool, &[]);
    assert!(tips.len() == 2 && tips.contains(&first) && tips.contains(&last));
    for fresh in [3, 4] {
        certify(&mut pool, fresh, 1_950, 4);
    }
    assert_eq!(build(&pool, &[block]).1, [left_out]);
}

// D-05, R-05: the builder applies every voter's check first.
#[test]
fn what_no_voter_would_take_is_left_out() {
    let world = world();
    let mut node = Node::new(&world);
    let now_ms = node.now_ms;
    let good = world.lane(0, now_ms, 1);
    let expired = world.lane(1, now_ms - 1_002, 1);
    let ahead = world.lane(2, now_ms + 101, 1);
    let late = Candidate {
        certificate: world.certificate(1, &world.lane(3, now_ms, 1)[0]),
        ..candidate(&world, &world.lane(3, now_ms, 1))
    };
    // The pool counts from another inclusion than the order does.
    let counted = Candidate {
        headers: 1,
        ..candidate(&world, &world.lane(4, now_ms, 2))
    };
    let mut candidates: Vec<_> = [&expired, &ahead].map(|it| candidate(&world, it)).into();
    candidates.extend([late, counted, candidate(&world, &good)]);
    let block = offered(&mut node, candidates).expect("there is work");
    let tips: Vec<_> = block.tips.iter().map(|it| it.tip()).collect();
    assert_eq!(tips, [good[0].tip()]);
}

// D-29: all expired, and all of what an ancestor includes already: as if there were none.
#[test]
fn of_expired_and_repeated_tips_alone_no_block_is_made_before_the_gap() {
    let world = world();
    let mut node = Node::new(&world);
    let now_ms = node.now_ms;
    let expired = || -> Vec<_> {
        let lanes = [0, 1].map(|who| world.lane(who, now_ms - 1_002, 1));
        lanes.iter().map(|it| candidate(&world, it)).collect()
    };
    assert_eq!(offered(&mut node, expired()), None);
    let (id, selection) = asked(&node.wake(now_ms + GAP_MS)).expect("a last look");
    let block = proposal(node.tell(Message::Selected(id, selection.at_ms, expired())));
    assert!(block.expect("the gap is over").tips.is_empty());

    let mut node = Node::new(&world);
    let lane = world.lane(0, 1_000, 1);
    let genesis = crate::testing::blocks::first(&world);
    let parent = super::child(&genesis, vec![included(&world, 0, &lane[0])]);
    let (id, selection) = asked(&node.order(&[Arc::new(parent)], false)).expect("asked");
    let repeated = vec![candidate(&world, &lane)];
    assert_eq!(
        proposal(node.tell(Message::Selected(id, selection.at_ms, repeated))),
        None
    );
}

// D-32: what an undecided ancestor includes is not offered again.
#[test]
fn the_pool_is_told_what_the_undecided_ancestors_include() {
    let world = world();
    let mut node = Node::new(&world);
    let lane = world.lane(0, 1_000, 1);
    let parent = super::child(
        &crate::testing::blocks::first(&world),
        vec![included(&world, 0, &lane[0])],
    );
    let (_, selection) = asked(&node.order(&[Arc::new(parent)], false)).expect("asked");
    assert_eq!(selection.ancestors, [(world.key(0), lane[0].tip())].into());
    assert_eq!(selection.epoch, 0);
}

// D-39: with more than f slow executors the chain slows: too far behind, a block carries no tip, and waits for the gap.
#[test]
fn a_chain_that_outran_execution_carries_no_work() {
    let world = world();
    let mut node = Node::new(&world);
    let ancestors = empty(&world, 5);
    node.now_ms = ancestors[4].timestamp_ms + INTERVAL_MS;
    assert!(
        node.order(&ancestors, false).is_empty(),
        "the pool is not asked"
    );
    let certificate = world.certificate(0, &world.lane(0, 1_900, 1)[0]);
    assert!(node.tell(Message::Certified(certificate)).is_empty());
    let effects = node.wake(node.now_ms + GAP_MS);
    let block = proposal(effects).expect("the gap is over");
    assert_eq!((block.height, block.executed), (6, executed(0)));
    assert!(block.tips.is_empty());
    // One below the limit it does carry some.
    let named = Arc::new(naming(&ancestors[3], executed(1), Vec::new()));
    let ancestors = [&ancestors[..4], &[named]].concat();
    node.now_ms += 1_000;
    assert!(asked(&node.order(&ancestors, false)).is_some());
}
