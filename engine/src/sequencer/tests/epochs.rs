use super::{ME, Message, Owner, asked, counted, published, resent};
use crate::testing::World;

// L-06, L-08
#[test]
fn a_tip_is_certified_again_in_every_epoch_idle_or_not() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    let tip = &headers[3..];
    owner.certified(world.certificate(0, &headers[3]));
    owner.tell(Message::Declined);
    for epoch in 1..4 {
        let last = world.certificate(epoch - 1, &headers[3]);
        let effects = owner.tell(Message::Entered(epoch));
        assert_eq!(
            counted(&effects),
            [headers[3].tip()],
            "its acks count again"
        );
        assert_eq!(resent(&effects), [world.envelope(tip, Some(&last))]);
        owner.tell(Message::Ticked);
        owner.tell(Message::Declined);
        assert_eq!(
            resent(&owner.tell(Message::Ticked)),
            [world.envelope(tip, Some(&last))]
        );
        owner.tell(Message::Declined);
        owner.certified(world.certificate(epoch, &headers[3]));
        owner.tell(Message::Ticked);
        owner.tell(Message::Declined);
        assert!(resent(&owner.tell(Message::Ticked)).is_empty());
        owner.tell(Message::Declined);
    }
}

// L-06
#[test]
fn an_epoch_does_not_go_back_and_an_unknown_one_is_not_entered() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Entered(3));
    for epoch in [0, 2, 3, 10, u64::MAX] {
        owner.tell(Message::Entered(epoch));
        assert_eq!(owner.state.epochs().epoch(), 3);
    }
}

// L-06, L-08: a certificate out of bounds vouches for nothing, the executed entry does.
#[test]
fn a_lane_whose_certificate_fell_out_of_bounds_goes_on_from_its_executed_entry() {
    let world = World::new();
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    let headers = owner.run();
    owner.certified(world.certificate(0, &headers[2]));
    owner.executed(&world, headers[1].tip());
    let effects = owner.tell(Message::Entered(2));
    let places: Vec<_> = headers[1..].iter().map(|it| it.tip()).collect();
    assert_eq!(
        counted(&effects),
        places,
        "all of them lack a certificate again"
    );
    assert_eq!(resent(&effects), [world.envelope(&headers[1..], None)]);
}

// L-01, L-13
#[test]
fn a_sequencer_need_not_be_a_validator() {
    let world = World::new();
    let mut owner = Owner::new(&world, 4);
    assert_eq!(asked(&owner.tell(Message::Ticked)).len(), 1);
    let headers = owner.run();
    assert_eq!(headers.len(), 4);
    assert!(
        headers
            .iter()
            .all(|it| it.verify(&world.genesis.header_namespace()))
    );
}

// L-01
#[test]
fn whoever_is_not_in_the_set_proposes_and_sends_nothing() {
    let world = World::new();
    let mut owner = Owner::new(&world, 5);
    assert!(owner.tell(Message::Ticked).is_empty());
    assert!(owner.tell(Message::Entered(1)).is_empty());
    assert!(
        owner
            .tell(Message::Asked {
                to: world.key(0),
                from: 1,
                upto: 9
            })
            .is_empty()
    );
    assert!(owner.pass(100).is_empty());
}

// L-01, L-08: leaving the set in the middle of things loses nothing and panics nowhere.
#[test]
fn a_sequencer_that_leaves_holds_its_header_until_it_is_back_and_drops_its_chunk() {
    let mut world = World::new();
    world.seat(1, &[0, 1, 2, 3], &[0, 2, 3]);
    let mut owner = Owner::new(&world, ME);
    owner.tell(Message::Ticked);
    owner.seal(0);
    owner.pass(1);
    // Height 1 is not durable yet, and a chunk for height 2 is on its way.
    owner.tell(Message::Entered(1));
    for effects in [
        owner.sync(),
        owner.seal(1),
        owner.tell(Message::Ticked),
        owner.pass(10),
    ] {
        assert!(
            effects.is_empty(),
            "nothing can be sent under a name the epoch does not know"
        );
    }
    let effects = owner.tell(Message::Entered(2));
    let sent: Vec<_> = resent(&effects)
        .into_iter()
        .flat_map(|it| it.headers)
        .collect();
    assert_eq!((sent.len(), sent[0].height()), (1, 1));
    assert!(counted(&effects).contains(&sent[0].tip()));
    // The body of what came meanwhile is not kept for a header made so much later.
    assert!(published(&owner.sync()).is_empty());
    owner.seal(2);
    assert!(
        published(&owner.sync())[0].extends(&sent[0].tip()),
        "another chunk"
    );
}
