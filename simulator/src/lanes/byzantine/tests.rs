use super::{Tap, misbehave};
use crate::lanes::{
    Options,
    boot::Shared,
    chain::Feed,
    genesis::{Nouns, World},
    options::Role,
};
use commonware_utils::sync::Mutex;
use drystone_engine::{
    scheme::fixture::Free,
    types::{Digest, Header, Payload, Signed},
};
use std::{collections::BTreeMap, sync::Arc, time::UNIX_EPOCH};

/// What was sent for each header shown.
type Sent = Arc<Mutex<Vec<String>>>;

fn world() -> Arc<World<Free>> {
    Arc::new(World::new(Options::all(4), 4, UNIX_EPOCH))
}

/// Node 0 of a cluster, and what it sends beyond its engine.
fn tap(world: &Arc<World<Free>>, role: Role) -> (Tap<Free>, Sent) {
    let feeds = (0..4).map(|_| Feed::new(world.clone())).collect();
    let shared = Shared {
        world: world.clone(),
        library: Arc::default(),
        engines: Arc::default(),
        certified: Arc::default(),
        genuine: Arc::default(),
        feeds: Arc::new(Mutex::new(feeds)),
        initialised: Arc::default(),
        seed: 7,
    };
    let sent = Sent::default();
    let notes = sent.clone();
    let outlet = move |channel: usize, to, bytes: bytes::Bytes| {
        notes.lock().push(format!("{channel} {to:?} {bytes:x}"));
    };
    let tap = misbehave(&shared, 0, role, Box::new(outlet));
    (tap.expect("it misbehaves"), sent)
}

fn header(world: &World<Free>, height: u64) -> Arc<Signed<Nouns<Free>>> {
    let digest = |salt: u64| Digest::from([height as u8 ^ salt as u8; 32]);
    let header = Header {
        sequencer: world.names[0].clone(),
        height,
        slot: height,
        previous: digest(1),
        payload: Payload {
            digest: digest(2),
            bytes: 100,
            items: 1,
        },
    };
    let namespace = world.genesis.header_namespace();
    Arc::new(Signed::sign(header, &world.keys[0], &namespace))
}

/// What a liar sends for each of these heights.
fn lies(role: Role, heights: impl IntoIterator<Item = u64>) -> BTreeMap<u64, Vec<String>> {
    let world = world();
    let (tap, sent) = tap(&world, role);
    let lies = heights.into_iter().map(|height| {
        tap.show(header(&world, height));
        (height, std::mem::take(&mut *sent.lock()))
    });
    lies.collect()
}

#[test]
fn a_liar_lies_about_a_header_in_one_way_whatever_it_lied_about_before() {
    for role in [
        Role::Equivocates,
        Role::ShowsTwins { to: 2 },
        Role::SendsGarbage,
    ] {
        let mut all = lies(role, 1..=100);
        let some = lies(role, (1..=100).step_by(3));
        assert!(some.values().any(|it| !it.is_empty()));
        all.retain(|height, _| some.contains_key(height));
        assert_eq!(all, some, "{role:?}");
        let distinct: std::collections::BTreeSet<_> = some.values().flatten().collect();
        assert!(distinct.len() > 5, "heights differ");
    }
}
