//! Who is served, and how much.

use super::{Message, Relay, Seen};

fn served(relay: &mut Relay) -> Vec<Seen> {
    let peer = relay.world.key(1);
    relay.apply(Message::Served {
        peer,
        unpaid_bytes: 0,
    })
}

#[test]
fn an_own_body_is_pushed_to_the_other_validators() {
    let mut relay = Relay::new(1);
    let reference = relay.reference(0, 1);
    let seen = relay.apply(Message::Sealed(reference));
    assert!(matches!(&seen[..], [Seen::Push(1, to)] if to.len() == 3 && !to.contains(&0)));
}

#[test]
fn validators_are_served_first_and_among_equals_in_turns() {
    let mut relay = Relay::new(1);
    // Both reads are taken: what comes now waits.
    assert_eq!(relay.ask(5, 1), [Seen::Read(5, 1)]);
    assert_eq!(relay.ask(4, 1), [Seen::Read(4, 1)]);
    for (who, height) in [(5, 2), (4, 2), (2, 1), (2, 2), (3, 1), (3, 2)] {
        assert_eq!(relay.ask(who, height), []);
    }
    let order: Vec<_> = (0..6).flat_map(|_| served(&mut relay)).collect();
    let who: Vec<_> = order
        .iter()
        .map(|it| match it {
            Seen::Read(who, _) => *who,
            other => panic!("{other:?}"),
        })
        .collect();
    assert!(who[..4].iter().all(|it| [2, 3].contains(it)), "{who:?}");
    assert!(who[0] != who[1] && who[2] != who[3], "{who:?}");
    assert!(
        who[4] != who[5] && who[4..].iter().all(|it| [4, 5].contains(it)),
        "{who:?}"
    );
}

// D-22
#[test]
fn a_peer_has_a_rate_and_a_queue_of_its_own() {
    let mut relay = Relay::new(1);
    let mut read = 0;
    let mut turned_away = 0;
    for height in 1..=20 {
        for seen in relay.ask(5, height) {
            match seen {
                Seen::Read(5, _) => {
                    read += 1;
                    assert_eq!(served(&mut relay), [], "nobody else asked");
                }
                Seen::TurnAway(5, _) => turned_away += 1,
                other => panic!("{other:?}"),
            }
        }
        assert!(relay.state.queued() <= 3);
    }
    // A burst of 3,000 bytes holds two bodies with what they cost beside; three more wait; the rest is turned away.
    assert_eq!((read, turned_away, relay.state.queued()), (2, 15, 3));
    // Another peer does not wait for that.
    assert_eq!(relay.ask(4, 1), [Seen::Read(4, 1)]);
    served(&mut relay);
    // Time brings the rest.
    for _ in 0..3 {
        let seen = relay.wake();
        assert!(matches!(seen[..], [Seen::Read(5, _)]), "{seen:?}");
        served(&mut relay);
    }
    assert_eq!(relay.state.queued(), 0);
    assert_eq!(relay.state.wake_ms(), None);
}

#[test]
fn a_request_that_waits_is_not_queued_again() {
    let mut relay = Relay::new(1);
    relay.ask(5, 1);
    relay.ask(5, 2);
    for _ in 0..10 {
        assert_eq!(relay.ask(5, 3), []);
    }
    assert_eq!(relay.state.queued(), 1);
}

// D-22, K-36
#[test]
fn who_claims_another_length_than_the_body_has_owes_for_what_was_read() {
    let mut relay = Relay::new(1);
    assert_eq!(relay.ask(5, 1), [Seen::Read(5, 1)]);
    let peer = relay.world.key(5);
    // Ten seconds of its rate: until they are over nothing is read for it.
    let seen = relay.apply(Message::Served {
        peer,
        unpaid_bytes: 100_000,
    });
    assert_eq!(seen, []);
    assert_eq!(relay.ask(5, 2), []);
    let ready_ms = relay.state.wake_ms().expect("it waits");
    assert!(ready_ms >= relay.now_ms + 10_000, "{ready_ms}");
    relay.now_ms = ready_ms - 1;
    assert_eq!(relay.apply(Message::Woken), []);
    relay.now_ms = ready_ms;
    assert_eq!(relay.apply(Message::Woken), [Seen::Read(5, 2)]);
}
