use super::{Effect, LINGER_MS, ME, Message, Owner, asked, resent};
use crate::{
    testing::{Nouns, World},
    types::Signed,
};
use std::sync::Arc;

// L-08
#[test]
fn what_is_uncertified_is_sent_again_lowest_first_and_byte_for_byte_when_nothing_moved() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    assert!(
        resent(&owner.tell(Message::Ticked)).is_empty(),
        "they went out since the last tick"
    );
    for _ in 0..3 {
        let envelopes = resent(&owner.tell(Message::Ticked));
        let expected = world.envelope(&headers, None);
        let committee = world.committee(ME, 0);
        assert_eq!(envelopes.len(), 1);
        assert_eq!(envelopes[0].encode(&committee), expected.encode(&committee));
    }
    let certificate = world.certificate(0, &headers[1]);
    owner.certified(certificate.clone());
    assert!(resent(&owner.tell(Message::Ticked)).is_empty(), "it moved");
    let envelopes = resent(&owner.tell(Message::Ticked));
    assert_eq!(
        envelopes,
        [world.envelope(&headers[2..], Some(&certificate))]
    );
}

// L-08: idle time costs nothing.
#[test]
fn nothing_is_sent_again_once_all_is_certified() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    assert!(
        resent(&owner.tell(Message::Ticked)).is_empty(),
        "nor before there is anything"
    );
    let headers = owner.run();
    owner.certified(world.certificate(0, &headers[3]));
    owner.tell(Message::Declined);
    for _ in 0..3 {
        assert!(resent(&owner.tell(Message::Ticked)).is_empty());
    }
}

// L-11, D-04
#[test]
fn a_new_certificate_travels_with_the_next_header_or_alone_after_a_while() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    let first = world.certificate(0, &headers[0]);
    owner.certified(first.clone());
    owner.seal(9);
    let effects = owner.sync();
    let [Effect::Publish { envelope, .. }] = &effects[..] else {
        panic!("one envelope")
    };
    assert_eq!(envelope.certificate, Some(first));
    assert!(
        resent(&owner.pass(LINGER_MS)).is_empty(),
        "it went with the header"
    );

    let second = world.certificate(0, &headers[1]);
    owner.certified(second.clone());
    assert!(resent(&owner.pass(LINGER_MS - 1)).is_empty());
    assert_eq!(resent(&owner.pass(1)), [world.envelope(&[], Some(&second))]);
    assert!(resent(&owner.pass(LINGER_MS)).is_empty(), "once");
}

// L-09
#[test]
fn an_application_without_a_chunk_is_asked_again_at_the_next_tick() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    assert_eq!(asked(&owner.tell(Message::Ticked)).len(), 1);
    assert!(
        asked(&owner.tell(Message::Ticked)).is_empty(),
        "it takes as long as it likes"
    );
    assert!(asked(&owner.tell(Message::Declined)).is_empty());
    assert!(asked(&owner.pass(100)).is_empty());
    assert_eq!(asked(&owner.tell(Message::Ticked)).len(), 1);
}

// L-10
#[test]
fn peers_are_answered_with_durable_headers_and_the_newest_certificate() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    let certificate = world.certificate(0, &headers[1]);
    owner.certified(certificate.clone());
    owner.seal(9);
    let mut ask = |from, upto| {
        owner.tell(Message::Asked {
            to: world.key(2),
            from,
            upto,
        })
    };
    let effects = ask(2, u64::MAX);
    let [Effect::Answer { to, envelope }] = &effects[..] else {
        panic!("one answer")
    };
    assert_eq!(*to, world.key(2));
    assert_eq!(
        *envelope,
        world.envelope(&headers[1..], Some(&certificate)),
        "5 is not durable"
    );
    assert!(ask(3, 2).is_empty());
    // Who asks for what comes next lacks the certificate.
    for height in [5, u64::MAX] {
        let effects = ask(height, height);
        let [Effect::Answer { envelope, .. }] = &effects[..] else {
            panic!("one answer")
        };
        assert_eq!(*envelope, world.envelope(&[], Some(&certificate)));
    }
}

// L-03: what was signed here stays, whoever certifies something else.
#[test]
fn a_certificate_over_another_header_at_an_own_height_is_ignored() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    let fork = world.branch(ME, world.root(ME), 2, 77);
    assert!(owner.certified(world.certificate(0, &fork[1])).is_empty());
    assert!(owner.state.certificate().is_none());
    owner.certified(world.certificate(0, &headers[0]));
    assert_eq!(owner.state.certificate().unwrap().tip, headers[0].tip());
}

// R-15, L-16
#[test]
fn executed_headers_are_let_go_and_their_records_forgotten() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    owner.certified(world.certificate(0, &headers[2]));
    let effects = owner.executed(&world, headers[1].tip());
    assert!(effects.iter().any(|it| matches!(it, Effect::Forget(2))));
    let effects = owner.tell(Message::Asked {
        to: world.key(2),
        from: 1,
        upto: 9,
    });
    let [Effect::Answer { envelope, .. }] = &effects[..] else {
        panic!("one answer")
    };
    assert_eq!(envelope.headers, headers[1..]);
    let again = owner.executed(&world, headers[0].tip());
    assert!(
        !again.iter().any(|it| matches!(it, Effect::Forget(_))),
        "execution never goes back"
    );
}

// L-07: a lost message costs a validator a slot, not the round trip of a fetch.
#[test]
fn a_header_goes_again_with_the_next_one_unless_it_is_certified_by_then() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    let mut sent = |salt, certify: bool| -> (Vec<u64>, Vec<u64>) {
        if !owner.is_asking {
            owner.pass(1);
        }
        owner.seal(salt);
        let effects = owner.sync();
        let [Effect::Publish { headers, envelope }] = &effects[..] else {
            panic!("one envelope")
        };
        if certify {
            owner.certified(world.certificate(0, headers.last().expect("a header")));
        }
        let heights = |it: &[Arc<Signed<Nouns>>]| it.iter().map(|it| it.height()).collect();
        (heights(headers), heights(&envelope.headers))
    };
    assert_eq!(sent(0, false), (vec![1], vec![1]));
    assert_eq!(sent(1, false), (vec![2], vec![1, 2]));
    assert_eq!(sent(2, true), (vec![3], vec![2, 3]));
    assert_eq!(sent(3, false), (vec![4], vec![4]));
}

// L-07, L-08: what is lost is noticed within a few round trips, whatever the rebroadcast interval.
#[test]
fn what_takes_much_longer_than_usual_is_sent_again_before_the_next_tick() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    let headers = owner.run();
    assert!(
        resent(&owner.pass(100_000)).is_empty(),
        "nothing is usual yet"
    );
    owner.certified(world.certificate(0, &headers[2]));
    owner.pass(LINGER_MS);
    // It took a long time: two seconds count, so eight are waited for.
    assert!(resent(&owner.pass(7_999 - LINGER_MS)).is_empty());
    let again = resent(&owner.pass(1));
    assert_eq!(again.len(), 1);
    assert_eq!(again[0].headers, headers[3..]);
    assert!(resent(&owner.pass(15_999)).is_empty(), "twice as long");
    owner.certified(world.certificate(0, &headers[3]));
    owner.pass(LINGER_MS);
    let effects = resent(&owner.pass(1_000_000));
    assert!(effects.is_empty(), "all is certified");
}
