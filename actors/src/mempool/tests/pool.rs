//! What is kept, for how long, and what clients are told.

use super::node::{GENESIS_MS, LATER_MS, Node};
use crate::{
    mempool::{Activity, Answer, Refusal, Source, Verdict},
    testing::payments::{SIZE, amount, config, payment},
    transaction::Invalid,
};

fn invalid(reason: &'static str) -> Answer {
    Answer::Invalid(Invalid::because(reason))
}

const BUSY: Answer = Answer::Busy { retry_after_ms: 77 };

// K-17
#[test]
fn nothing_is_kept_before_it_is_checked() {
    let mut node = Node::new();
    node.hold_checks = true;
    let transaction = payment(1, LATER_MS, 0);
    let mut reply = node.submit(&transaction);
    assert!(reply.try_recv().is_err(), "not answered yet");
    assert!(node.announced().is_empty() && node.take().is_empty());
    node.check();
    assert_eq!(reply.try_recv(), Ok(Answer::Accepted));
    let (id, source) = (transaction.facts.id, Source::Client);
    assert_eq!(node.activities, [Activity::Accepted { id, source }]);
    assert_eq!(node.announced().len(), 1);
    assert_eq!(node.take(), [id]);
}

// K-17
#[test]
fn a_client_is_told_what_is_wrong() {
    let mut node = Node::new();
    let poor = payment(1, LATER_MS, 0);
    node.refused.insert(poor.facts.id);
    assert_eq!(node.submit(&poor).try_recv(), Ok(invalid("no money")));
    let late = payment(1, GENESIS_MS, 0);
    let expired = invalid("the transaction has expired");
    assert_eq!(node.submit(&late).try_recv(), Ok(expired));
    let early = payment(1, node.now_ms + 10_001, 0);
    let far = invalid("the transaction expires too far in the future");
    assert_eq!(node.submit(&early).try_recv(), Ok(far));
    assert!(node.state.total().items == 0 && node.activities.is_empty());
}

// K-17: chain time that stood still is the node's fault, and passes.
#[test]
fn after_a_stall_a_client_is_told_to_come_back_with_what_the_clock_allows() {
    let mut node = Node::new();
    let (first, second) = (node.now_ms + 9_999, node.now_ms + 10_000);
    for transaction in [payment(1, first, 0), payment(1, second, 0)] {
        assert_eq!(node.submit(&transaction).try_recv(), Ok(BUSY));
    }
    let caught_up_ms = node.now_ms - GENESIS_MS;
    node.execute(caught_up_ms, &[], &[]);
    node.accept(1, first, 0);
    node.accept(1, second, 0);
}

// K-28: nor is it held against a peer, and what it brings is not fetched again before the next block.
#[test]
fn after_a_stall_what_a_peer_brings_is_left_until_the_next_block() {
    let mut node = Node::new();
    let transaction = payment(1, node.now_ms + 9_999, 0);
    node.fetch(1, &transaction);
    assert!(node.refusals.is_empty() && node.state.total().items == 0);
    node.announce(2, &[transaction.facts.id]);
    assert_eq!(node.asked(2), None);
    let caught_up_ms = node.now_ms - GENESIS_MS;
    node.execute(caught_up_ms, &[], &[]);
    node.fetch(2, &transaction);
    assert_eq!(node.state.total(), amount(1));
}

// K-27
#[test]
fn a_transaction_submitted_twice_is_a_duplicate_until_it_expires() {
    let mut node = Node::new();
    node.hold_checks = true;
    let transaction = payment(1, LATER_MS, 0);
    let _first = node.submit(&transaction);
    let again = node.submit(&transaction).try_recv();
    assert_eq!(again, Ok(Answer::Duplicate), "while it is checked");
    node.check();
    let again = node.submit(&transaction).try_recv();
    assert_eq!(again, Ok(Answer::Duplicate), "while it waits");
    node.execute(10, &[(transaction.facts.id, LATER_MS)], &[]);
    let again = node.submit(&transaction).try_recv();
    assert_eq!(again, Ok(Answer::Duplicate), "after it was executed");
}

// K-34
#[test]
fn a_block_takes_out_what_it_executed_and_what_expired_by_its_time() {
    let mut node = Node::new();
    let executed = node.accept(1, LATER_MS, 0);
    let expired = node.accept(1, GENESIS_MS + 100, 1);
    let stays = node.accept(1, GENESIS_MS + 101, 2);
    node.activities.clear();
    // The local clock decides nothing.
    node.wait(1_000_000);
    assert!(node.activities.is_empty());
    node.execute(100, &[(executed, LATER_MS)], &[]);
    let left = |id, verdict| Activity::Left { id, verdict };
    let expected = [
        left(executed, Verdict::Executed),
        left(expired, Verdict::Expired),
    ];
    assert_eq!(node.activities, expected);
    assert_eq!(node.take(), [stays]);
}

// K-34
#[test]
fn the_rest_is_checked_again_after_a_block() {
    let mut node = Node::new();
    // More than one batch.
    let ids: Vec<_> = (0..20).map(|it| node.accept(it, LATER_MS, 0)).collect();
    node.refused.extend([ids[3], ids[19]]);
    node.activities.clear();
    node.wait(1);
    assert!(node.activities.is_empty(), "not without a block");
    node.execute(1, &[], &[]);
    let left = |id| Activity::Left {
        id,
        verdict: Verdict::Invalid(Invalid::because("no money")),
    };
    assert_eq!(node.activities, [left(ids[3]), left(ids[19])]);
    assert_eq!(node.state.total(), amount(18));
}

// K-34
#[test]
fn a_block_during_a_round_of_checks_starts_another_after_it() {
    let mut node = Node::new();
    for account in 0..10 {
        node.accept(account, LATER_MS, 0);
    }
    node.hold_checks = true;
    node.execute(1, &[], &[]);
    node.execute(1, &[], &[]);
    assert_eq!(node.held.len(), 1, "one check at a time");
    let mut batches = Vec::new();
    while !node.held.is_empty() {
        batches.push(node.check());
    }
    assert_eq!(batches, [8, 2, 8, 2]);
}

// K-34: what comes meanwhile does not wait for the whole round.
#[test]
fn a_new_transaction_is_checked_before_the_rest_of_a_round() {
    let mut node = Node::new();
    for account in 0..10 {
        node.accept(account, LATER_MS, 0);
    }
    node.hold_checks = true;
    node.execute(1, &[], &[]);
    let mut reply = node.submit(&payment(11, LATER_MS, 0));
    node.check();
    assert_eq!(node.check(), 1);
    assert_eq!(reply.try_recv(), Ok(Answer::Accepted));
}

// K-34: nor does the round wait until nothing new comes.
#[test]
fn a_flood_of_new_transactions_does_not_keep_a_round_from_happening() {
    let mut node = Node::new();
    let poor = node.accept(1, LATER_MS, 0);
    node.refused.insert(poor);
    node.activities.clear();
    node.hold_checks = true;
    let _first = node.submit(&payment(2, LATER_MS, 0));
    node.execute(1, &[], &[]);
    for salt in 1..=2 {
        let _next = node.submit(&payment(2, LATER_MS, salt));
        node.check();
    }
    let left = Activity::Left {
        id: poor,
        verdict: Verdict::Invalid(Invalid::because("no money")),
    };
    assert!(node.activities.contains(&left));
}

#[test]
fn a_new_transaction_does_not_wait_for_a_round_that_finds_nothing() {
    let mut node = Node::new();
    node.hold_checks = true;
    node.submit(&payment(1, GENESIS_MS + 5, 0));
    node.execute(5, &[], &[]);
    let mut reply = node.submit(&payment(2, LATER_MS, 0));
    node.check();
    assert_eq!(node.check(), 1, "it is handed to the application at once");
    assert_eq!(reply.try_recv(), Ok(Answer::Accepted));
}

#[test]
fn a_transaction_that_expires_while_it_is_checked_is_refused() {
    let mut node = Node::new();
    node.hold_checks = true;
    let mut reply = node.submit(&payment(1, GENESIS_MS + 5, 0));
    node.execute(5, &[], &[]);
    let expired = invalid("the transaction has expired");
    assert_eq!(reply.try_recv(), Ok(expired));
    node.check();
    assert!(node.activities.is_empty() && node.state.total().items == 0);
}

// K-34: the limit itself is kept, one more is told to come back.
#[test]
fn the_pool_an_account_and_a_transaction_are_limited() {
    let mut node = Node::new();
    for salt in 0..8 {
        node.accept(1, LATER_MS, salt);
    }
    assert_eq!(node.submit(&payment(1, LATER_MS, 8)).try_recv(), Ok(BUSY));
    for salt in 0..24 {
        node.accept(2 + salt as u8 / 8, LATER_MS, salt);
    }
    assert_eq!(node.state.total(), config().pool.pool_max);
    let over = payment(9, LATER_MS, 0);
    assert_eq!(node.submit(&over).try_recv(), Ok(BUSY));
    node.execute(LATER_MS - GENESIS_MS, &[], &[]);
    assert_eq!(node.state.total().items, 0);
    node.accept(9, LATER_MS + 1, 0);

    let mut small = config();
    (
        small.pool.transaction_bytes_max,
        small.wire.transaction_bytes_max,
    ) = (SIZE - 1, SIZE - 1);
    let answer = Node::with(small).submit(&over).try_recv();
    assert_eq!(answer, Ok(invalid("the transaction is too large")));
}

// K-34: bytes as well as numbers.
#[test]
fn the_pool_is_limited_in_bytes() {
    let mut config = config();
    config.pool.pool_max.bytes = 3 * SIZE + SIZE / 2;
    let mut node = Node::with(config);
    for salt in 0..3 {
        node.accept(1, LATER_MS, salt);
    }
    assert_eq!(node.submit(&payment(1, LATER_MS, 3)).try_recv(), Ok(BUSY));
}

// K-34
#[test]
fn an_account_is_limited_in_bytes() {
    let mut config = config();
    config.pool.account_max.bytes = 3 * SIZE + SIZE / 2;
    let mut node = Node::with(config);
    for salt in 0..3 {
        node.accept(1, LATER_MS, salt);
    }
    assert_eq!(node.submit(&payment(1, LATER_MS, 3)).try_recv(), Ok(BUSY));
    node.accept(2, LATER_MS, 0);
}

// K-28, K-34
#[test]
fn what_a_peer_may_fill_is_limited_in_bytes() {
    let mut config = config();
    config.pool.peer_max.bytes = 3 * SIZE + SIZE / 2;
    let mut node = Node::with(config);
    for account in 0..3 {
        node.fetch(1, &payment(account, LATER_MS, 0));
    }
    let fourth = payment(3, LATER_MS, 0);
    node.fetch(1, &fourth);
    assert_eq!(node.state.total(), amount(3));
    assert_eq!(node.refusals, [(1, Refusal::NoRoom(1))]);
    node.fetch(2, &fourth);
    assert_eq!(node.state.total(), amount(4));
}

// K-28, D-19
#[test]
fn one_peer_cannot_fill_the_pool_for_the_others() {
    let mut node = Node::new();
    for salt in 0..16 {
        node.fetch(1, &payment(salt as u8, LATER_MS, salt));
    }
    assert_eq!(node.state.total(), config().pool.peer_max);
    let over = payment(20, LATER_MS, 0);
    node.fetch(1, &over);
    assert_eq!(node.state.total(), config().pool.peer_max);
    node.fetch(2, &over);
    assert_eq!(node.state.total(), amount(17));
    node.accept(21, LATER_MS, 0);
}

// K-29: what is delivered to a full pool is dropped, and that is nobody's fault.
#[test]
fn a_delivery_to_a_full_pool_is_dropped_and_not_held_against_its_sender() {
    let mut node = Node::new();
    for salt in 0..32 {
        node.accept(salt as u8 / 8, LATER_MS, salt);
    }
    node.announced();
    let over = payment(9, LATER_MS, 0);
    node.fetch(1, &over);
    assert_eq!(node.state.total(), config().pool.pool_max);
    let no_room = Refusal::NoRoom(1);
    assert!(!no_room.is_attributable());
    assert_eq!(node.refusals, [(1, no_room)]);
    assert_eq!(node.announced(), [], "nor is it passed on");
}

// K-28, K-34
#[test]
fn all_peers_together_leave_a_quarter_of_the_pool_to_clients() {
    let mut node = Node::new();
    for salt in 0..24 {
        let from = 1 + usize::from(salt % 3);
        node.fetch(from, &payment(salt, LATER_MS, 0));
    }
    assert_eq!(node.state.total(), amount(24));
    node.fetch(4, &payment(24, LATER_MS, 0));
    assert_eq!(node.state.total(), amount(24), "though it has its share");
    for account in 25..33 {
        node.accept(account, LATER_MS, 0);
    }
    assert_eq!(node.state.total(), config().pool.pool_max);
}
