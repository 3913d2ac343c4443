use super::{Node, answer, checks, child, empty, executed, naming, walks};
use crate::{
    block::{
        Block, Body, Executed, Included,
        rules::{Fault, Invalid},
    },
    chain::{Message, Missing, Verdict},
    testing::{
        Key, Nouns, World,
        blocks::{digest, first, included},
    },
};
use drystone_engine::types::{Certificate, Limits, Signed};
use std::{collections::BTreeSet, sync::Arc};

pub fn world() -> Arc<World> {
    Arc::new(World::new())
}

/// Headers of a lane that are alive in the first blocks.
pub fn lane(world: &World, who: usize, count: u64) -> Vec<Arc<Signed<Nouns>>> {
    world.lane(who, 1_000, count)
}

/// The first block, with these tips.
pub fn one(world: &World, tips: Vec<Included<Nouns>>) -> Block<Nouns> {
    child(&first(world), tips)
}

fn open() -> Missing<Key> {
    Missing {
        certificates: BTreeSet::new(),
        headers: BTreeSet::new(),
        executed: None,
        time_ms: None,
    }
}

pub fn known(node: &mut Node, block: &Block<Nouns>) {
    for it in &block.tips {
        node.tell(Message::Certified(it.certificate().clone()));
    }
}

#[test]
fn a_block_whose_certificates_the_engine_verified_is_judged_at_once() {
    let world = world();
    let mut node = Node::new(&world);
    let block = one(&world, vec![included(&world, 0, &lane(&world, 0, 1)[0])]);
    known(&mut node, &block);
    let effects = node.ask(&[], &block);
    assert_eq!((effects.len(), answer(&effects)), (1, Some(Ok(()))));
    assert_eq!(node.state.open(), 0);
}

// D-31: all at once, and none twice.
#[test]
fn certificates_are_checked_in_one_batch_and_never_again() {
    let world = world();
    let mut node = Node::new(&world);
    let tips: Vec<_> = (0..3)
        .map(|who| included(&world, 0, &lane(&world, who, 1)[0]))
        .collect();
    let block = one(&world, tips.clone());
    node.tell(Message::Certified(tips[1].certificate().clone()));
    let effects = node.ask(&[], &block);
    let wanted: BTreeSet<_> = [tips[0].tip(), tips[2].tip()].into();
    assert_eq!(
        checks(&effects).into_iter().collect::<BTreeSet<_>>(),
        wanted
    );
    let certificates = [&tips[0], &tips[2]].map(|it| it.sequencer().clone()).into();
    let headers = tips.iter().map(|it| it.sequencer().clone()).collect();
    let missing = Missing {
        certificates,
        headers,
        ..open()
    };
    assert_eq!(node.verdict(), Some(Verdict::Open(missing)));

    let results = [&tips[0], &tips[2]].map(|it| (it.certificate().clone(), true));
    let effects = node.tell(Message::Checked(node.last, results.into()));
    assert_eq!(answer(&effects), Some(Ok(())));
    let again = node.ask(&[], &block);
    assert_eq!((checks(&again), answer(&again)), (vec![], Some(Ok(()))));
}

// D-05, D-31: one bad in many is named, the good ones are remembered.
#[test]
fn one_bad_certificate_among_good_ones_is_attributed() {
    let world = world();
    let mut node = Node::new(&world);
    let tips: Vec<_> = (0..3)
        .map(|who| included(&world, 0, &lane(&world, who, 1)[0]))
        .collect();
    node.ask(&[], &one(&world, tips.clone()));
    let results = tips
        .iter()
        .map(|it| (it.certificate().clone(), *it.sequencer() != world.key(1)));
    let effects = node.tell(Message::Checked(node.last, results.collect()));
    let bad = Invalid::Tip {
        sequencer: world.key(1),
        fault: Fault::Certificate,
    };
    assert_eq!(answer(&effects), Some(Err(bad)));
    let again = node.ask(&[], &one(&world, tips.clone()));
    assert_eq!(
        checks(&again),
        vec![tips[1].tip()],
        "only the bad one is checked again"
    );
}

// D-31: a certificate is known by its proof, not by its place.
#[test]
fn another_proof_over_a_known_place_is_another_certificate() {
    let world = world();
    let mut node = Node::new(&world);
    let (ours, theirs) = (lane(&world, 0, 1), lane(&world, 1, 1));
    let good = world.certificate(0, &ours[0]);
    let forged = Certificate {
        proof: world.certificate(0, &theirs[0]).proof.clone(),
        ..Certificate::clone(&good)
    };
    node.tell(Message::Certified(good));
    let tip = Included::new(ours[0].header().clone(), Arc::new(forged));
    assert_eq!(
        checks(&node.ask(&[], &one(&world, vec![tip.clone()]))),
        vec![tip.tip()]
    );
}

// D-32: what is missing is fetched, for certified tips only, and turns into a verdict when it comes.
#[test]
fn an_open_verdict_becomes_a_vote_when_the_headers_arrive() {
    let world = world();
    let mut node = Node::new(&world);
    let lane = lane(&world, 0, 3);
    let tip = included(&world, 0, &lane[2]);
    let block = one(&world, vec![tip.clone()]);
    let effects = node.ask(&[], &block);
    assert!(
        walks(&effects).is_empty(),
        "nothing is fetched for what may be forged"
    );
    let checked = vec![(tip.certificate().clone(), true)];
    let effects = node.tell(Message::Checked(node.last, checked));
    assert_eq!(walks(&effects), [(tip.tip().digest, 0)].into());
    let headers = [tip.sequencer().clone()].into();
    assert_eq!(
        node.verdict(),
        Some(Verdict::Open(Missing { headers, ..open() }))
    );
    let arrived = Message::Walked(node.last, world.key(0), lane.clone());
    assert_eq!(answer(&node.tell(arrived)), Some(Ok(())));
}

// D-32: the lane was included up to another branch.
#[test]
fn headers_that_lead_to_another_branch_make_a_block_invalid() {
    let world = world();
    let mut node = Node::new(&world);
    let (ours, theirs) = (
        world.branch(0, world.root(0), 1_000, 1, 1),
        world.branch(0, world.root(0), 1_000, 3, 2),
    );
    let parent = Arc::new(one(&world, vec![included(&world, 0, &ours[0])]));
    let tip = included(&world, 0, &theirs[2]);
    let block = child(&parent, vec![tip]);
    known(&mut node, &block);
    let effects = node.ask(&[parent], &block);
    assert_eq!(walks(&effects).into_values().collect::<Vec<_>>(), vec![1]);
    let arrived = Message::Walked(node.last, world.key(0), theirs[1..].to_vec());
    let link = Invalid::Tip {
        sequencer: world.key(0),
        fault: Fault::Link,
    };
    assert_eq!(answer(&node.tell(arrived)), Some(Err(link)));
}

// D-05, D-10: each lane fits, all together do not.
#[test]
fn lanes_that_fit_one_by_one_may_be_too_much_together() {
    let world = world();
    let mut node = Node::new(&world);
    let lanes: Vec<_> = (0..2).map(|who| lane(&world, who, 3)).collect();
    let tips = lanes.iter().map(|it| included(&world, 0, &it[2]));
    let block = one(&world, tips.collect());
    known(&mut node, &block);
    node.ask(&[], &block);
    let arrived = |who: usize| Message::Walked(1, world.key(who), lanes[who].clone());
    assert_eq!(answer(&node.tell(arrived(0))), None);
    let live = Limits {
        chunks: 6,
        bytes: 600,
        items: 60,
    };
    assert_eq!(
        answer(&node.tell(arrived(1))),
        Some(Err(Invalid::Live(live)))
    );
}

// D-29: a time ahead of this node's clock passes.
#[test]
fn a_block_from_the_future_waits_for_its_time() {
    let world = world();
    let mut node = Node::new(&world);
    let block = one(&world, Vec::new());
    let allowed = block.timestamp_ms - 100;
    node.now_ms = allowed - 1;
    assert_eq!(answer(&node.ask(&[], &block)), None);
    let missing = Missing {
        time_ms: Some(allowed),
        ..open()
    };
    assert_eq!(node.verdict(), Some(Verdict::Open(missing)));
    assert_eq!(node.state.wake_ms(node.now_ms), Some(allowed));
    assert_eq!(answer(&node.wake(allowed)), Some(Ok(())));
    assert_eq!(node.state.wake_ms(allowed), None);
}

// D-39, S-18
#[test]
fn a_state_that_this_node_has_not_reached_keeps_the_question_open() {
    let world = world();
    for (root, says) in [
        (digest(1), Ok(())),
        (
            digest(9),
            Err(Invalid::ExecutedRoot {
                height: 1,
                named: digest(1),
                other: digest(9),
            }),
        ),
    ] {
        let mut node = Node::new(&world);
        let ancestors = empty(&world, 2);
        let block = naming(&ancestors[1], executed(1), Vec::new());
        assert_eq!(answer(&node.ask(&ancestors, &block)), None);
        let missing = Missing {
            executed: Some(1),
            ..open()
        };
        assert_eq!(node.verdict(), Some(Verdict::Open(missing)));
        let reached = Executed { height: 1, root };
        assert_eq!(answer(&node.tell(Message::Executed(reached))), Some(says));
    }
}

// D-39: a voter that is behind votes all the same for a block that repeats its parent's state.
#[test]
fn what_the_parent_names_needs_no_execution_here() {
    let world = world();
    let mut node = Node::new(&world);
    let mut ancestors = empty(&world, 2);
    ancestors.push(Arc::new(naming(&ancestors[1], executed(1), Vec::new())));
    let repeats = child(&ancestors[2], Vec::new());
    assert_eq!(answer(&node.ask(&ancestors, &repeats)), Some(Ok(())));
}

#[test]
fn an_invalid_form_is_answered_before_anything_is_checked_or_fetched() {
    let world = world();
    let mut node = Node::new(&world);
    let lane = lane(&world, 0, 3);
    let tips = vec![included(&world, 0, &lane[2])];
    let body = Body {
        height: 7,
        ..Body::clone(&one(&world, tips))
    };
    let effects = node.ask(&[], &Block::new(body));
    let height = Invalid::Height {
        height: 7,
        parent: 0,
    };
    assert_eq!((effects.len(), answer(&effects)), (1, Some(Err(height))));
    assert_eq!(node.state.open(), 0);
}

#[test]
fn a_question_that_was_withdrawn_is_forgotten() {
    let world = world();
    let mut node = Node::new(&world);
    let block = one(&world, vec![included(&world, 0, &lane(&world, 0, 1)[0])]);
    let certificate = block.tips[0].certificate().clone();
    node.ask(&[], &block);
    assert_eq!(node.state.open(), 1);
    assert!(node.tell(Message::Withdrawn(node.last)).is_empty());
    assert_eq!((node.state.open(), node.verdict()), (0, None));
    assert!(
        node.tell(Message::Checked(1, vec![(certificate, true)]))
            .is_empty()
    );
    assert_eq!(
        answer(&node.ask(&[], &block)),
        Some(Ok(())),
        "the check was not in vain"
    );
}
