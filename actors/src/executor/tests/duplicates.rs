//! Which copy of a transaction counts.

use super::{
    doors::{closed, id, open_door, pass},
    kit::{Chain, Node, SPAN_MS},
    stand::Stand,
};
use crate::executor::{Entry, Fate};
use bytes::Bytes;
use commonware_runtime::{Runner as _, deterministic};

/// What a chain's transactions come to, block by block.
fn fates(chain: &Chain) -> Vec<Vec<Fate>> {
    deterministic::Runner::default().start(|context| async move {
        let node = Node::start(&context, &Stand::stocked(chain)).await;
        let mut fates = Vec::new();
        for block in &chain.blocks {
            node.deliver(block).await.expect("executed");
            let record = node.mailbox.record(block.height).await.expect("answered");
            let entries: Vec<Entry> = record.expect("executed").results.entries;
            fates.push(entries.into_iter().map(|it| it.fate).collect());
        }
        fates
    })
}

// D-35
#[test]
fn of_two_copies_in_one_block_the_first_is_executed() {
    let mut chain = Chain::new();
    let open = open_door(1, SPAN_MS, 1);
    chain.chunk(0, 1, [open.clone()]).chunk(1, 2, [open]);
    chain.block(10, &[0, 1]);
    assert_eq!(fates(&chain), [[Fate::Executed, Fate::Duplicate]]);
}

// D-35
#[test]
fn a_copy_in_a_later_block_is_a_duplicate_up_to_its_expiry_and_untimely_after_it() {
    let mut chain = Chain::new();
    let open = open_door(1, SPAN_MS, 1);
    for (slot, time_ms) in [(1, 10), (2, SPAN_MS), (3, SPAN_MS + 1), (4, 900)] {
        chain.chunk(0, slot, [open.clone()]).block(time_ms, &[0]);
    }
    let expected = [
        Fate::Executed,
        Fate::Duplicate,
        Fate::Untimely,
        Fate::Untimely,
    ];
    assert_eq!(fates(&chain).concat(), expected);
}

// D-35
#[test]
fn a_copy_that_was_skipped_shadows_no_later_one() {
    let mut chain = Chain::new();
    let pass = pass(1, SPAN_MS, 1);
    // In one chunk, in one block, in the next block: closed, then opened.
    let open = |salt| open_door(1, SPAN_MS, salt);
    chain
        .chunk(0, 1, [pass.clone(), open(1), pass.clone(), pass.clone()])
        .block(10, &[0]);
    let invalid = || Fate::Invalid(closed());
    let first = vec![invalid(), Fate::Executed, Fate::Executed, Fate::Duplicate];
    assert_eq!(fates(&chain), [first]);

    let mut chain = Chain::new();
    chain
        .chunk(0, 1, [pass.clone()])
        .chunk(1, 2, [open(1), pass.clone()]);
    chain.block(10, &[0, 1]);
    assert_eq!(fates(&chain), [[invalid(), Fate::Executed, Fate::Executed]]);

    let mut chain = Chain::new();
    chain.chunk(0, 1, [pass.clone()]).block(10, &[0]);
    chain.chunk(0, 2, [open(1), pass]).block(20, &[0]);
    let second = vec![Fate::Executed, Fate::Executed];
    assert_eq!(fates(&chain), [vec![invalid()], second]);
}

// D-35
#[test]
fn what_comes_too_early_is_skipped_and_executed_when_its_time_comes() {
    let mut chain = Chain::new();
    let open = open_door(1, SPAN_MS + 11, 1);
    for (slot, time_ms) in [(1, 10), (2, 11)] {
        chain.chunk(0, slot, [open.clone()]).block(time_ms, &[0]);
    }
    assert_eq!(fates(&chain), [[Fate::Untimely], [Fate::Executed]]);
}

// D-35, S-18
#[test]
fn the_window_is_rebuilt_from_the_records_after_a_restart() {
    let mut chain = Chain::new();
    let all: Vec<Bytes> = (0..6).map(|salt| open_door(1, SPAN_MS, salt)).collect();
    for (index, transaction) in all.iter().enumerate() {
        let slot = index as u64 + 1;
        chain
            .chunk(0, slot, [transaction.clone()])
            .block(slot * 10, &[0]);
    }
    chain.chunk(0, 10, all.clone()).block(SPAN_MS, &[0]);
    deterministic::Runner::default().start(|context| async move {
        let stand = Stand::stocked(&chain);
        let node = Node::start(&context, &stand).await;
        for block in &chain.blocks[..6] {
            node.deliver(block).await.expect("executed");
        }
        node.stop(&context).await;
        stand.0.lock().executed.clear();
        let node = Node::start(&context, &stand).await;
        // The mempool is told again: it forgot what was executed.
        let told = stand.0.lock().executed.remove(0);
        let mut ids: Vec<_> = told.transactions.iter().map(|it| it.0).collect();
        let mut expected: Vec<_> = all.iter().map(id).collect();
        ids.sort_unstable();
        expected.sort_unstable();
        assert_eq!(ids, expected);
        node.deliver(&chain.blocks[6]).await.expect("executed");
        let record = node.mailbox.record(7).await.expect("answered");
        let entries = record.expect("executed").results.entries;
        assert_eq!(entries.len(), 6);
        assert!(entries.iter().all(|it| it.fate == Fate::Duplicate));
    });
}
