//! What a full mailbox keeps. // K-36

use super::Relay;
use crate::{
    relay::{
        Message,
        ingress::{Ingress, Retained},
    },
    testing::Key,
};
use commonware_actor::mailbox::{Overflow as _, Policy as _};
use commonware_utils::channel::oneshot;

/// As many messages as wait beyond a full mailbox.
const OVERFLOW_MAX: u64 = 1 << 10;

fn drained(mut overflow: Retained<Key>) -> Vec<Ingress<Key>> {
    let mut messages = Vec::new();
    overflow.drain(|message| {
        messages.push(message);
        None
    });
    assert!(overflow.is_empty());
    messages
}

fn told(messages: impl IntoIterator<Item = Message<Key>>) -> Vec<Message<Key>> {
    let mut overflow = Retained::default();
    for message in messages {
        Ingress::handle(&mut overflow, Ingress::Told(message));
    }
    let told = drained(overflow).into_iter().map(|it| match it {
        Ingress::Told(message) => message,
        _ => panic!("nobody fetches"),
    });
    told.collect()
}

#[test]
fn of_the_chunk_stores_wishes_the_last_about_each_body_is_kept() {
    let mut relay = Relay::new(0);
    let (settled, wanted) = (relay.reference(1, 1), relay.reference(1, 2));
    let kept = told([
        Message::Wanted(settled.clone()),
        Message::Settled(wanted.clone()),
        Message::Settled(settled),
        Message::Wanted(wanted.clone()),
    ]);
    assert_eq!(kept.len(), 2);
    for message in kept {
        relay.apply(message);
    }
    assert_eq!(relay.state.wants(), 1);
    relay.apply(Message::Settled(wanted));
    assert_eq!(relay.state.wants(), 0);
}

#[test]
fn the_newest_epoch_and_the_newest_certificate_of_each_lane_are_kept() {
    let relay = Relay::new(0);
    let certified = |height| Message::Certified {
        sequencer: relay.world.key(1),
        height,
        signers: Vec::new(),
    };
    let entered = |count| Message::Entered {
        validators: (0..count).map(|it| relay.world.key(it)).collect(),
        sequencers: Vec::new(),
    };
    let kept = told([
        certified(5),
        entered(3),
        certified(9),
        entered(4),
        certified(7),
    ]);
    let [
        Message::Entered { validators, .. },
        Message::Certified { height, .. },
    ] = &kept[..]
    else {
        panic!("one of each, the epoch first")
    };
    assert_eq!((validators.len(), *height), (4, 9));
}

#[test]
fn who_fetches_beyond_the_bound_sees_the_receiver_end() {
    let relay = Relay::new(0);
    let mut overflow = Retained::default();
    let fetch = |height| {
        let (responder, fetched) = oneshot::channel();
        let fetch = Ingress::Fetch {
            reference: relay.reference(1, 1),
            height,
            responder,
        };
        Ingress::handle(&mut overflow, fetch);
        fetched
    };
    let fetched: Vec<_> = (0..OVERFLOW_MAX + 9).map(fetch).collect();
    let ended = fetched
        .into_iter()
        .map(|mut it| matches!(it.try_recv(), Err(oneshot::error::TryRecvError::Closed)));
    let ended: Vec<_> = ended.collect();
    let (kept, dropped) = ended.split_at(OVERFLOW_MAX as usize);
    assert!(kept.iter().all(|it| !it) && dropped.iter().all(|it| *it));
    assert_eq!(drained(overflow).len(), kept.len());
}
