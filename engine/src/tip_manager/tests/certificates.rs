use crate::{
    refusal::{Class, Refusal},
    testing::{
        Node, World, acked, answers, certified, exchanged, fetches, refused, stolen, to_check,
    },
    tip_manager::{Message, To},
    types::Certificate,
    wire::Gossip,
};
use std::sync::Arc;

const ME: usize = 0;
const SEQUENCER: usize = 1;
const PEER: usize = 2;

fn gossip(
    world: &World,
    from: usize,
    reply: bool,
    certificates: &[Arc<Certificate<crate::testing::Nouns>>],
) -> Message<crate::testing::Nouns> {
    let gossip = Gossip::Certificates {
        reply,
        certificates: certificates.to_vec(),
    };
    Message::Gossiped {
        from: world.key(from),
        gossip,
    }
}

// L-11, L-12, L-23, D-26
#[test]
fn a_certificate_over_another_lane_epoch_height_or_digest_is_refused_and_its_sender_blamed() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let others = world.lane(3, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    let mut later = (*world.certificate(1, &lane[0])).clone();
    later.epoch = 0;
    let bad = [
        world.forged(0, &lane[0], &others[0]),
        world.forged(0, &lane[0], &lane[1]),
        world.forged(0, &lane[0], &fork[0]),
        Arc::new(later),
    ];
    for certificate in bad {
        let mut node = Node::new(&world, ME);
        node.receive(&world, &lane[..1]);
        let effects = node.learn(&world, PEER, &certificate);
        let refusal = Refusal::CertificateSignature {
            height: 1,
            epoch: 0,
        };
        assert_eq!(refused(&effects), [(world.key(PEER), refusal.clone())]);
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Signature, true)
        );
        assert_eq!(certified(&effects), []);
    }
}

// L-05, L-14: each certificate is reported once, however often it comes.
#[test]
fn what_is_known_or_older_is_not_checked_again() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let newest = world.certificate(0, &lane[1]);
    assert_eq!(certified(&node.learn(&world, PEER, &newest)), [(2, 0)]);
    for certificate in [newest, world.certificate(0, &lane[0])] {
        assert!(node.learn(&world, 3, &certificate).is_empty());
    }
    let later = world.certificate(1, &lane[1]);
    assert_eq!(
        certified(&node.learn(&world, PEER, &later)),
        [(2, 1)],
        "a later epoch's is newer"
    );
    assert!(
        node.learn(&world, PEER, &world.certificate(0, &lane[1]))
            .is_empty()
    );
    assert_eq!(
        certified(&node.learn(&world, PEER, &world.certificate(0, &lane[2]))),
        [(3, 0)]
    );
}

// L-22: one check is under way at a time; what arrives meanwhile shares the next one.
#[test]
fn certificates_are_checked_in_batches_and_equal_ones_once() {
    let world = World::new();
    let lanes: Vec<_> = (1..4).map(|it| world.lane(it, 2)).collect();
    let certificate = |lane: usize, height: usize| world.certificate(0, &lanes[lane][height - 1]);
    let mut node = Node::new(&world, ME);
    let first = to_check(&node.tell(gossip(&world, PEER, true, &[certificate(0, 1)])));
    assert_eq!(first.iter().map(Vec::len).collect::<Vec<_>>(), [1]);
    for from in [1, 2, 3] {
        let several = [certificate(0, 1), certificate(1, 1), certificate(2, 2)];
        assert!(
            node.tell(gossip(&world, from, true, &several)).is_empty(),
            "a check is under way"
        );
    }
    let results = first.into_iter().flatten().map(|it| (it, true)).collect();
    let effects = node.tell(Message::Checked(results));
    assert_eq!(certified(&effects), [(1, 0)]);
    let second = to_check(&effects);
    let ranks = |batch: &Vec<crate::tip_manager::Candidate<_>>| -> Vec<_> {
        batch
            .iter()
            .map(|it| (world.who(&it.certificate.sequencer), it.certificate.rank()))
            .collect()
    };
    let mut found = ranks(&second[0]);
    found.sort_unstable();
    assert_eq!((second.len(), found), (1, vec![(2, (1, 0)), (3, (2, 0))]));
    let results = second.into_iter().flatten().map(|it| (it, true)).collect();
    assert_eq!(to_check(&node.tell(Message::Checked(results))).len(), 0);
}

// L-11: a forger cannot keep the true one out.
#[test]
fn a_forged_certificate_of_a_great_height_hides_no_true_one() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    let forged = world.forged(0, &lane[2], &lane[0]);
    let effects = node.tell(gossip(&world, PEER, true, &[forged]));
    assert!(
        node.tell(gossip(&world, 3, true, &[world.certificate(0, &lane[0])]))
            .is_empty()
    );
    let effects = node.follow(effects);
    assert_eq!(certified(&effects), [(1, 0)]);
    assert_eq!(refused(&effects).len(), 1);
}

// one candidate a lane and peer.
#[test]
fn a_flood_of_forged_certificates_leaves_one_candidate_a_peer() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 40);
    let mut node = Node::new(&world, ME);
    let first = node.tell(gossip(
        &world,
        3,
        true,
        &[world.forged(0, &lane[39], &lane[0])],
    ));
    for header in &lane[1..39] {
        assert!(
            node.tell(gossip(
                &world,
                PEER,
                true,
                &[world.forged(0, header, &lane[0])]
            ))
            .is_empty()
        );
    }
    let results = to_check(&first)
        .concat()
        .into_iter()
        .map(|it| (it, false))
        .collect();
    let next = to_check(&node.tell(Message::Checked(results)));
    assert_eq!(next.concat().len(), 1);
}

// L-13, L-14
#[test]
fn a_certificate_assembled_here_is_not_checked_again() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    let effects = node.tell(Message::Assembled(world.certificate(0, &lane[1])));
    assert_eq!(
        (certified(&effects), to_check(&effects).len()),
        (vec![(2, 0)], 0)
    );
}

// D-04, L-14
#[test]
fn newest_certificates_are_spread_each_tick_and_a_peer_that_shows_older_ones_is_told() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let (old, new) = (
        world.certificate(0, &lane[0]),
        world.certificate(0, &lane[1]),
    );
    let mut node = Node::new(&world, ME);
    assert_eq!(exchanged(&node.tell(Message::Ticked)), []);
    node.learn(&world, 3, &new);
    assert_eq!(
        exchanged(&node.tell(Message::Ticked)),
        [(To::AnyValidator, false, vec![(2, 0)])]
    );
    let asked = node.tell(gossip(&world, PEER, false, std::slice::from_ref(&old)));
    assert_eq!(
        exchanged(&asked),
        [(To::Peer(world.key(PEER)), true, vec![(2, 0)])]
    );
    assert!(
        node.tell(gossip(&world, PEER, true, &[old])).is_empty(),
        "a reply is not replied to"
    );
    assert!(node.tell(gossip(&world, PEER, false, &[new])).is_empty());
}

// L-08: the sequencer lost the certificate; without it it would resend for ever.
#[test]
fn a_sequencer_that_resends_what_is_certified_is_shown_the_certificate() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 3);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane);
    let certificate = world.certificate(0, &lane[1]);
    node.learn(&world, PEER, &certificate);
    for resent in [&lane[..1], &lane[1..2]] {
        let answers = answers(&node.receive(&world, resent));
        assert_eq!(
            answers,
            [(
                world.key(SEQUENCER),
                world.envelope(&[], Some(&certificate))
            )]
        );
        let relayed = node.hear(&world, PEER, world.envelope(resent, None));
        assert!(
            crate::testing::answers(&relayed).is_empty(),
            "a relay is not the sequencer"
        );
    }
}

// L-06, L-12: nothing a peer sends panics, not even a sequencer this epoch does not know yet.
#[test]
fn a_sequencer_of_the_next_epoch_only_is_not_answered_in_this_one() {
    let mut world = World::new();
    world.seat(0, &[0, 1, 2, 3], &[0, 2, 3]);
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(1, &lane[1]));
    for resent in [&lane[..1], &lane[1..]] {
        for (_, envelope) in answers(&node.receive(&world, resent)) {
            envelope.encode(node.state.epochs().current());
        }
    }
}

// D-09: two epochs may certify two headers at one height; one epoch's validator signs one of them.
#[test]
fn a_base_that_another_replaces_at_its_height_is_not_acked_twice() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 1);
    let fork = world.branch(SEQUENCER, world.root(SEQUENCER), 1, 1);
    for executed in [false, true] {
        let mut node = Node::new(&world, ME);
        if executed {
            node.executed(&world, SEQUENCER, lane[0].tip());
        } else {
            node.learn(&world, PEER, &world.certificate(0, &lane[0]));
        }
        node.settle(Message::Entered(1));
        let mut given = acked(&node.receive(&world, &lane));
        assert_eq!(given, [(1, vec![1])], "the base header, in the new epoch");
        // The other branch was certified by an epoch before this one as well, but shown only now.
        let other = world.certificate(0, &fork[0]);
        given = acked(&node.learn(&world, PEER, &other));
        given.extend(acked(&node.receive(&world, &fork)));
        let mut node = node.restart(&world);
        given.extend(acked(&node.receive(&world, &fork)));
        assert_eq!(given, [], "executed: {executed}");
    }
}

// L-11: what is kept here is shown to others, who blame whoever shows a bad signature.
#[test]
fn a_certified_header_with_a_bad_signature_is_not_kept() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 2);
    let mut node = Node::new(&world, ME);
    node.learn(&world, PEER, &world.certificate(0, &lane[1]));
    let forged = stolen(&lane[1], &lane[0]);
    let effects = node.hear(&world, PEER, world.envelope(&[forged], None));
    assert_eq!(
        refused(&effects),
        [(world.key(PEER), Refusal::HeaderSignature(2))]
    );
    assert_eq!(node.state.headers_held(), 0);
    node.hear(&world, PEER, world.envelope(&lane[1..], None));
    assert_eq!(node.state.headers_held(), 1);
}

// L-07: a certificate that was lost on its way is asked for, soon and of its sequencer.
#[test]
fn a_certificate_that_takes_much_longer_than_usual_is_asked_for() {
    let world = World::new();
    let lane = world.lane(SEQUENCER, 4);
    let mut node = Node::new(&world, ME);
    node.receive(&world, &lane[..1]);
    node.now_ms += 20;
    node.learn(&world, PEER, &world.certificate(0, &lane[0]));
    assert!(
        node.state.wake_ms().is_none_or(|it| it > node.now_ms),
        "nothing is owed"
    );
    node.receive(&world, &lane[1..]);
    node.now_ms += 79;
    assert_eq!(fetches(&node.tell(Message::Woken)), []);
    node.now_ms += 1;
    let asked = [(To::Peer(world.key(SEQUENCER)), 5, 5)];
    assert_eq!(fetches(&node.tell(Message::Woken)), asked);
    assert_eq!(node.state.wake_ms(), Some(node.now_ms + 160));
    node.learn(&world, PEER, &world.certificate(0, &lane[3]));
    node.now_ms += 100_000;
    assert_eq!(fetches(&node.tell(Message::Woken)), []);
}
