//! What a client is told of a batch. The mempool's own state answers.

use super::{Brought, Summary, brought};
use crate::{
    chunk::{Chunk, Limits},
    http::{BATCH, Code},
    mempool::{Answer, Client, Effect, Members, Message, Rank, State},
    testing::{
        World,
        payments::{Ledger, Payments, SIZE, Till, bytes, config},
    },
    transaction::Transaction,
};
use axum::body::Bytes;
use commonware_formatting::hex;
use serde_json::{Value, json};
use std::collections::BTreeMap;

const NOW_MS: u64 = 5_000;
const LATER_MS: u64 = 9_000;

/// A mempool that is in step with the chain.
fn mempool() -> State<Payments> {
    let world = World::new();
    let mut state = State::new(config(), world.key(0), Ledger::default(), 1_000, 7);
    let entered = Message::Entered(Members {
        peers: vec![world.key(1)],
        rank: Some(Rank { index: 0, count: 4 }),
    });
    for message in [entered, Message::BlocksOnly(false)] {
        state.apply(NOW_MS, message, &mut Vec::new());
    }
    state
}

/// Submits what came in one message, with an application that has nothing against it.
fn submit(state: &mut State<Payments>, brought: &[Bytes]) -> Vec<Answer> {
    let rules = Till::default();
    let read = |it: &Bytes| Transaction::decode(&rules, it.clone());
    let transactions = brought.iter().map(read).collect();
    let mut messages = vec![Message::Submitted {
        submission: 0,
        transactions,
    }];
    let mut answers = BTreeMap::new();
    while let Some(message) = messages.pop() {
        let mut effects = Vec::new();
        state.apply(NOW_MS, message, &mut effects);
        for effect in effects {
            match effect {
                Effect::Check { transactions, .. } => {
                    messages.push(Message::Checked(vec![Ok(()); transactions.len()]));
                }
                Effect::Answer {
                    client: Client { index, .. },
                    answer,
                } => _ = answers.insert(index, answer),
                _ => {}
            }
        }
    }
    assert_eq!(answers.len(), brought.len(), "each is answered");
    answers.into_values().collect()
}

/// What a client reads.
fn told(parts: &[&[Bytes]]) -> Value {
    let (mut state, mut summary) = (mempool(), Summary::default());
    for part in parts {
        summary.add(submit(&mut state, part));
    }
    serde_json::to_value(summary).expect("JSON")
}

fn payments<const N: usize>(salts: [u64; N]) -> [Bytes; N] {
    salts.map(|salt| bytes(salt as u8, LATER_MS, salt))
}

fn invalid(index: usize, reason: &str) -> Value {
    json!({ "index": index, "answer": "invalid", "reason": reason })
}

#[test]
fn of_a_batch_those_are_listed_that_were_not_accepted() {
    let all = payments([1, 2, 3]);
    assert_eq!(told(&[&all]), json!({ "accepted": 3, "refused": [] }));
}

#[test]
fn one_in_the_middle_that_nobody_can_read_takes_no_other_with_it() {
    let [first, last] = payments([1, 2]);
    let expected = json!({ "accepted": 2, "refused": [invalid(1, "not a payment")] });
    let noise = Bytes::from_static(b"noise");
    assert_eq!(told(&[&[first, noise, last]]), expected);
}

#[test]
fn the_same_twice_is_accepted_once_in_one_batch_or_in_two() {
    let [same, other] = payments([1, 2]);
    let again = [same.clone(), other, same.clone()];
    let duplicate = |index: usize| json!({ "index": index, "answer": "duplicate" });
    let expected = json!({ "accepted": 2, "refused": [duplicate(2)] });
    assert_eq!(told(&[&again]), expected);
    let expected = json!({ "accepted": 2, "refused": [duplicate(2), duplicate(3)] });
    assert_eq!(told(&[&again, &[same]]), expected);
}

#[test]
fn indices_count_through_the_parts_of_a_batch() {
    let [first, second] = payments([1, 2]);
    let noise = Bytes::from_static(b"noise");
    let parts: [&[Bytes]; 3] = [&[first, noise.clone()], &[noise.clone(), second], &[noise]];
    let refused = [1, 2, 4].map(|index| invalid(index, "not a payment"));
    assert_eq!(told(&parts), json!({ "accepted": 2, "refused": refused }));
}

#[test]
fn what_finds_no_room_is_told_when_to_come_back() {
    // An account may have eight waiting.
    let all: Vec<_> = (0..9).map(|salt| bytes(1, LATER_MS, salt)).collect();
    let busy = json!({ "index": 8, "answer": "busy", "retry_after_ms": 77 });
    assert_eq!(told(&[&all]), json!({ "accepted": 8, "refused": [busy] }));
}

#[test]
fn a_batch_is_taken_apart_by_its_media_type() {
    let all = payments([1, 2]).to_vec();
    let limits = Limits {
        bytes_max: 1_000,
        items_max: 9,
    };
    let packed = Chunk::pack(&all, &limits).expect("within the limits");
    let binary = brought(Some(BATCH), packed.body().clone());
    assert_eq!(binary, Ok(Brought::Many(all.clone())));
    let text: Vec<_> = all.iter().map(|it| hex(it)).collect();
    let text = Bytes::from(json!({ "transactions": text }).to_string());
    for kind in ["application/json", "application/json; charset=utf-8"] {
        assert_eq!(
            brought(Some(kind), text.clone()),
            Ok(Brought::Many(all.clone()))
        );
    }
    for kind in [None, Some("application/octet-stream")] {
        assert_eq!(brought(kind, text.clone()), Ok(Brought::One(text.clone())));
    }
}

#[test]
fn a_batch_that_holds_nothing_or_is_none_is_malformed_as_a_whole() {
    let json = "application/json";
    let count_of_none = [0; 4];
    let cases: [(&str, &[u8], &str); 6] = [
        (BATCH, &count_of_none, "at least 1 transaction"),
        (BATCH, b"", "ends early"),
        (json, br#"{"transactions":[]}"#, "at least 1 transaction"),
        (
            json,
            br#"{"transactions":["00","0g"]}"#,
            "transaction 1 is not hexadecimal",
        ),
        (json, br#"{"transactions":["00"],"more":1}"#, "more"),
        (json, b"[", "EOF"),
    ];
    for (kind, body, why) in cases {
        let fault = brought(Some(kind), Bytes::copy_from_slice(body)).expect_err(why);
        assert_eq!(fault.code, Code::Malformed);
        assert!(fault.message.contains(why), "{}", fault.message);
    }
}

#[test]
fn transactions_without_bytes_are_refused_one_by_one() {
    let body = Bytes::from_static(br#"{"transactions":["",""]}"#);
    let Ok(Brought::Many(empty)) = brought(Some("application/json"), body) else {
        panic!("hexadecimal digits, if only none");
    };
    let [payment] = payments([1]);
    assert_eq!(payment.len(), SIZE);
    let reason = "a transaction has at least 1 byte";
    let refused = [invalid(0, reason), invalid(1, reason)];
    let expected = json!({ "accepted": 1, "refused": refused });
    assert_eq!(told(&[&empty, &[payment]]), expected);
}
