//! This node's own bodies.

use super::{ME, Message, SLOT, Seen, Store, amount};
use crate::testing::chunk;
use drystone_engine::Verdict;

// D-12
#[test]
fn an_own_body_is_durable_before_any_header_names_it() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let digest = body.payload().digest;
    assert_eq!(store.apply(Message::Packed(body.clone())), []);
    assert_eq!(store.sync(), [Seen::Persisted(digest, true)]);
    assert_eq!(store.held(ME).chunks, 1);
    let reference = store.world.reference(ME, 1, SLOT + 3, &body);
    // The header goes out, and the push reads the body, before the engine asks.
    assert!(store.state.locate(&reference).is_some());
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Valid)]);
    assert_eq!(store.held(ME).chunks, 1);
    assert_eq!(store.produced(ME, SLOT).chunks, 1);
    // Whoever asks for it by its header finds it.
    let location = store.state.locate(&reference).expect("where the draft was");
    let lies = store.disk[&location].clone().into_body();
    assert_eq!(lies.as_ref(), Some(body.body()));
}

// D-08
#[test]
fn a_restart_finds_drafts_and_what_sealed_them() {
    let mut store = Store::new();
    let (sealed, draft) = (chunk(1, 100), chunk(2, 100));
    for body in [&sealed, &draft] {
        store.apply(Message::Packed(body.clone()));
    }
    store.sync();
    let reference = store.world.reference(ME, 1, SLOT, &sealed);
    store.ask(&reference);
    store.sync();
    let (held, produced) = (store.held(ME), store.produced(ME, SLOT));
    store.restart(0);
    assert_eq!(store.held(ME), held);
    assert_eq!(store.produced(ME, SLOT), produced);
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Valid)]);
    // The draft is packed again, as its transactions would be: it is there already.
    let digest = draft.payload().digest;
    let seen = store.apply(Message::Packed(draft));
    assert_eq!(seen, [Seen::Persisted(digest, true)]);
    assert_eq!(store.held(ME), held);
    // A block accepts the sealed one.
    store.keep(1, &[reference]);
    assert_eq!(store.held(ME).chunks, 1);
}

#[test]
fn a_draft_whose_seal_was_lost_is_sealed_again() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    store.apply(Message::Packed(body.clone()));
    store.sync();
    let reference = store.world.reference(ME, 1, SLOT, &body);
    store.ask(&reference);
    // No sync.
    store.restart(0);
    assert!(!store.state.is_held(&reference));
    assert_eq!(store.ask(&reference), [Seen::Answer(1, Verdict::Valid)]);
    assert!(store.state.is_held(&reference));
    assert_eq!(store.held(ME).chunks, 1);
}

//
#[test]
fn an_own_body_that_was_accepted_before_its_header_was_asked_about_is_freed_once() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    store.apply(Message::Packed(body.clone()));
    store.sync();
    let reference = store.world.reference(ME, 1, SLOT, &body);
    store.keep(1, std::slice::from_ref(&reference));
    assert_eq!(store.held(ME), amount(0, 0));
    store.keep(1, &[reference]);
    store.restart(0);
    assert_eq!(store.held(ME), amount(0, 0));
}

#[test]
fn a_draft_sealed_long_after_it_was_packed_is_moved_to_where_it_is_not_pruned_too_early() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    store.apply(Message::Packed(body.clone()));
    store.sync();
    let late = SLOT + 500;
    let reference = store.world.reference(ME, 1, late, &body);
    // It is durable where it must be before the verdict.
    assert_eq!(store.ask(&reference), []);
    assert_eq!(store.sync(), [Seen::Answer(1, Verdict::Valid)]);
    let location = store.state.locate(&reference).expect("here");
    assert_eq!(location.bucket, store.expiry_ms(late) / 100);
    assert_eq!(store.held(ME).chunks, 1);
    store.advance(store.expiry_ms(late), &[]);
    assert!(store.disk.contains_key(&location));
    store.restart(store.expiry_ms(late));
    assert_eq!(store.held(ME).chunks, 1);
}

#[test]
fn a_body_that_two_own_headers_name_is_counted_and_kept_for_each() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    store.apply(Message::Packed(body.clone()));
    store.sync();
    let first = store.world.reference(ME, 1, SLOT, &body);
    let second = store.world.reference(ME, 2, SLOT + 1, &body);
    store.ask(&first);
    assert_eq!(store.ask(&second), []);
    assert_eq!(store.sync(), [Seen::Answer(2, Verdict::Valid)]);
    assert_eq!(
        store.held(ME),
        amount(2, 2 * u64::from(body.payload().bytes))
    );
    store.keep(1, &[first]);
    assert_eq!(store.held(ME).chunks, 1);
}

// D-12
#[test]
fn a_draft_survives_the_end_of_an_earlier_chunk_of_the_same_transactions() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let first = store.world.reference(ME, 1, SLOT, &body);
    store.apply(Message::Packed(body.clone()));
    store.sync();
    store.ask(&first);
    store.sync();
    // The first chunk comes to nothing, and its transactions are packed again.
    store.now_ms = SLOT + 900;
    store.apply(Message::Packed(body.clone()));
    store.sync();
    let second = store.world.reference(ME, 2, store.now_ms, &body);
    assert_eq!(store.ask(&second), [Seen::Answer(2, Verdict::Valid)]);
    // Its seal is lost with the crash, and the first chunk has expired.
    let executed_ms = store.expiry_ms(SLOT) + 1;
    store.restart(executed_ms);
    let location = store
        .state
        .locate(&second)
        .expect("durable before it was named");
    let lies = store.disk[&location].clone().into_body();
    assert_eq!(lies.as_ref(), Some(body.body()));
    assert_eq!(store.ask(&second), [Seen::Answer(2, Verdict::Valid)]);
    assert_eq!(store.held(ME).chunks, 1);
}

// D-10
#[test]
fn the_own_quota_refuses_a_body_before_a_header_is_made_of_it() {
    let mut store = Store::new();
    for salt in 0..8 {
        store.apply(Message::Packed(chunk(salt, 100)));
    }
    assert_eq!(store.sync().len(), 8);
    let ninth = chunk(8, 100);
    let digest = ninth.payload().digest;
    let seen = store.apply(Message::Packed(ninth));
    assert_eq!(seen, [Seen::Persisted(digest, false)]);
    assert_eq!(store.held(ME).chunks, 8);
    // Drafts that no header ever named go with their bucket.
    let seen = store.advance(store.expiry_ms(SLOT) + 200, &[]);
    assert_eq!(seen, [Seen::Prune(112)]);
    assert_eq!(store.held(ME), amount(0, 0));
    assert_eq!(store.produced(ME, SLOT), amount(0, 0));
}

// D-12
#[test]
fn nothing_is_kept_of_a_chunk_packed_by_a_clock_that_is_behind() {
    let mut store = Store::new();
    store.advance(store.expiry_ms(SLOT) + 500, &[]);
    let body = chunk(1, 100);
    let digest = body.payload().digest;
    let seen = store.apply(Message::Packed(body));
    assert_eq!(seen, [Seen::Persisted(digest, false)]);
    assert_eq!(store.held(ME).chunks, 0);
}

// D-12
#[test]
fn a_draft_that_goes_before_a_header_made_now_would_is_written_anew() {
    let mut store = Store::new();
    let body = chunk(1, 100);
    let digest = body.payload().digest;
    store.apply(Message::Packed(body.clone()));
    store.sync();
    store.now_ms += 900;
    assert_eq!(store.apply(Message::Packed(body)), []);
    assert_eq!(store.sync(), [Seen::Persisted(digest, true)]);
    assert_eq!(store.held(ME).chunks, 1);
}
