use crate::{
    refusal::Refusal,
    testing::{Node, World, acked, locked, proofs, refusals, stolen},
    tip_manager::Message,
    types::Evidence,
};
use commonware_codec::{DecodeExt as _, Encode as _};
use commonware_parallel::Sequential;
use commonware_utils::test_rng;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

fn verifies(world: &World, proof: &Evidence<crate::testing::Nouns>, epoch: Option<u64>) -> bool {
    let committee = epoch.map(|it| world.committee(6, it));
    let namespace = world.genesis.header_namespace();
    proof.verify(
        &namespace,
        committee.as_deref(),
        &mut test_rng(),
        &Sequential,
    )
}

// L-03, L-12, D-09, D-11
#[test]
fn a_second_header_at_a_locked_height_is_evidence_and_gets_no_ack() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let mut seen = Vec::new();
    for (first, second) in [(&lane, &fork), (&fork, &lane)] {
        let mut node = Node::new(&world, ME);
        assert_eq!(acked(&node.receive(&world, first)), [(0, vec![1])]);
        let effects = node.receive(&world, second);
        assert_eq!((acked(&effects), locked(&effects)), (vec![], vec![]));
        let proof = proofs(&effects).pop().expect("evidence");
        assert!(verifies(&world, &proof, None), "it needs no committee");
        assert_eq!(
            (proof.sequencer(), proof.height()),
            (&world.key(SEQUENCER), 1)
        );
        assert_eq!(Evidence::decode(proof.encode()).unwrap(), proof);
        seen.push(proof);
    }
    assert_eq!(seen[0], seen[1], "one proof, whatever came first");
}

// D-11: replayed evidence is no new evidence.
#[test]
fn the_first_proof_of_an_epoch_and_sequencer_is_kept_and_the_rest_only_counted() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    let records = node.written.len();
    let mut found = Vec::new();
    for salt in [1, 1, 2, 3] {
        let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, salt);
        found.push(proofs(&node.receive(&world, &fork)).len());
    }
    assert_eq!(found, [1, 0, 0, 0]);
    assert_eq!(node.written.len(), records + 1);

    let other = world.lane(3, 1);
    node.receive(&world, &other);
    let fork = world.branch(3, world.root(3), 1, 1);
    assert_eq!(
        proofs(&node.receive(&world, &fork)).len(),
        1,
        "another sequencer's is its own"
    );

    node.settle(Message::Entered(1));
    node.receive(&world, &lane);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    assert_eq!(
        proofs(&node.receive(&world, &fork)).len(),
        1,
        "and so is another epoch's"
    );
}

// L-03, D-11
#[test]
fn two_headers_that_wait_above_a_hole_are_evidence_as_well() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let fork = world.branch(SEQUENCER, lane[1].tip(), 1, 1);
    let mut node = Node::new(&world, ME);
    node.hear(&world, PEER, world.envelope(&lane[2..], None));
    let effects = node.hear(&world, PEER, world.envelope(&fork, None));
    assert!(verifies(&world, &proofs(&effects)[0], None));
}

// D-11, L-12: nobody can frame a sequencer.
#[test]
fn a_forged_second_header_is_no_evidence_and_charged_to_who_sent_it() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    let forged = stolen(&fork[0], &lane[0]);
    let effects = node.hear(
        &world,
        PEER,
        world.envelope(std::slice::from_ref(&forged), None),
    );
    assert_eq!(
        (proofs(&effects), refusals(&effects)),
        (vec![], vec![Refusal::HeaderSignature(1)])
    );
    assert!(!verifies(
        &world,
        &Evidence::headers(lane[0].clone(), forged),
        None
    ));
}

// D-11: the second form.
#[test]
fn a_header_beside_a_certificate_over_another_is_evidence_in_either_order() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 2, 1);
    let certificate = world.certificate(0, &fork[1]);

    let mut locked_first = Node::new(&world, ME);
    locked_first.receive(&world, &lane);
    let one = proofs(&locked_first.learn(&world, PEER, &certificate));
    let mut certified_first = Node::new(&world, ME);
    certified_first.learn(&world, PEER, &certificate);
    let two = proofs(&certified_first.receive(&world, &lane[1..]));

    assert_eq!(one, two);
    assert!(verifies(&world, &one[0], Some(0)));
    assert!(
        !verifies(&world, &one[0], None),
        "nothing is proven without the committee"
    );
    assert!(
        !verifies(&world, &one[0], Some(1)),
        "or with another epoch's"
    );
    assert_eq!(Evidence::decode(one[0].encode()).unwrap(), one[0]);
}

// D-11
#[test]
fn what_conflicts_with_nothing_is_no_evidence() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let others = world.lane(3, 1);
    let pair = |a: usize, b: &std::sync::Arc<crate::types::Signed<crate::testing::Nouns>>| {
        Evidence::Headers(lane[a].clone(), b.clone())
    };
    assert!(
        !verifies(&world, &pair(0, &lane[0]), None),
        "the same header twice"
    );
    assert!(!verifies(&world, &pair(0, &lane[1]), None), "two heights");
    assert!(!verifies(&world, &pair(1, &lane[0]), None));
    assert!(!verifies(&world, &pair(0, &others[0]), None), "two lanes");
    let own = Evidence::Certified(lane[0].clone(), world.certificate(0, &lane[0]));
    assert!(!verifies(&world, &own, Some(0)));
    let higher = Evidence::Certified(lane[0].clone(), world.certificate(0, &lane[1]));
    assert!(!verifies(&world, &higher, Some(0)));
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let forged = world.forged(0, &fork[0], &lane[1]);
    assert!(!verifies(
        &world,
        &Evidence::Certified(lane[0].clone(), forged),
        Some(0)
    ));
}
