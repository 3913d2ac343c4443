//! What may be packed, by whom, and when.

use super::node::{GENESIS_MS, LATER_MS, Node};
use crate::{
    mempool::{Amount, Built, Message, Readiness},
    testing::payments::{SIZE, config, payment},
    transaction::Transaction,
};
use std::sync::Arc;

/// Long after any takeover delay.
const LONG_MS: u64 = 1_000;

/// A transaction that the node of this index takes over in its turn. Its id decides the turns.
fn with_turn(turn: u8) -> Arc<Transaction> {
    let mut all = (0..).map(|salt| payment(1, LATER_MS, salt));
    let found = all.find(|it| it.facts.id[7] % 4 == turn);
    found.expect("one in four")
}

// D-02
#[test]
fn who_took_a_transaction_packs_it_at_once_and_others_in_turn() {
    let mut node = Node::new();
    let own = node.accept(2, LATER_MS, 0);
    assert_eq!(node.take(), [own]);
    node.seal(&[own], LATER_MS);
    for (turn, delay_ms) in [(0, 100), (3, 130)] {
        let fetched = with_turn(turn);
        node.fetch(1, &fetched);
        node.wait(delay_ms - 1);
        assert_eq!(node.take(), []);
        node.wait(1);
        assert_eq!(node.take(), [fetched.facts.id]);
        node.seal(&[fetched.facts.id], LATER_MS);
    }
}

// D-02
#[test]
fn a_transaction_in_a_live_chunk_of_this_node_is_not_packed_again() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    assert_eq!(node.take(), [id]);
    node.seal(&[id], GENESIS_MS + 50);
    node.wait(LONG_MS);
    assert_eq!(node.take(), []);
    // The header got a later slot than was thought.
    let mut later = node.chunk(0, &[id], GENESIS_MS + 60);
    (later.height, later.digest) = (1, drystone_engine::types::Digest::from([1; 32]));
    node.tell(Message::Sighted(later));
    node.execute(50, &[], &[]);
    assert_eq!(node.take(), []);
    node.execute(10, &[], &[]);
    assert_eq!(node.take(), [id], "its chunk expired");
}

// D-02
#[test]
fn what_a_failed_build_took_comes_back() {
    let mut node = Node::new();
    let ids = [node.accept(1, LATER_MS, 0), node.accept(2, LATER_MS, 0)];
    assert_eq!(node.take(), ids);
    assert_eq!((node.readiness, node.charged()), (Readiness::Nothing, 2));
    node.tell(Message::Built(Built::Failed));
    assert_eq!((node.readiness, node.charged()), (Readiness::Some, 0));
    assert_eq!(node.take(), ids);
}

// D-02
#[test]
fn who_is_no_sequencer_packs_nothing() {
    let mut node = Node::new();
    node.enter(None);
    let id = node.accept(1, LATER_MS, 0);
    assert_eq!((node.readiness, node.take()), (Readiness::Nothing, vec![]));
    node.enter(Some(0));
    assert_eq!((node.readiness, node.take()), (Readiness::Some, vec![id]));
}

#[test]
fn anothers_uncertified_chunk_delays_by_the_takeover_delay_only() {
    let mut node = Node::new();
    let transaction = with_turn(1);
    node.submit(&transaction);
    node.sight(2, &[transaction.facts.id], LATER_MS);
    node.wait(109);
    assert_eq!(node.take(), []);
    node.wait(1);
    assert_eq!(node.take(), [transaction.facts.id]);
}

#[test]
fn one_uncertified_chunk_after_the_other_delays_no_longer_than_the_first() {
    let mut node = Node::new();
    let transaction = with_turn(1);
    node.submit(&transaction);
    node.sight(2, &[transaction.facts.id], LATER_MS);
    node.wait(60);
    node.sight(3, &[transaction.facts.id], LATER_MS);
    node.wait(50);
    assert_eq!(node.take(), [transaction.facts.id]);
}

// K-34
#[test]
fn a_certified_chunk_is_waited_for_until_half_the_time_has_passed() {
    let mut node = Node::new();
    let id = node.accept(1, GENESIS_MS + 1_000, 0);
    node.sight(2, &[id], LATER_MS);
    node.certify(2);
    node.wait(LONG_MS);
    node.execute(499, &[], &[]);
    assert_eq!(node.take(), []);
    node.execute(1, &[], &[]);
    assert_eq!(node.take(), [id]);
}

// K-34: blocks came meanwhile, and nobody has looked at what they made of it.
#[test]
fn what_a_certified_chunk_of_another_held_for_long_is_looked_at_before_it_is_packed() {
    let mut node = Node::new();
    let ids = [1, 2].map(|account| node.accept(account, GENESIS_MS + 1_000, 0));
    node.sight(2, &ids, LATER_MS);
    node.certify(2);
    // No round of checks includes them: what a certified chunk carries is looked at with the chunk.
    node.refused.insert(ids[0]);
    node.execute(400, &[], &[]);
    assert_eq!((node.state.total().items, node.take()), (2, vec![]));
    node.hold_checks = true;
    node.execute(100, &[], &[]);
    assert_eq!((node.readiness, node.take()), (Readiness::Nothing, vec![]));
    assert_eq!(node.check(), 2);
    assert_eq!(node.take(), ids[1..]);
    assert_eq!(node.state.total().items, 1, "the other was made invalid");
}

// A certificate that is known before the body counts as well.
#[test]
fn a_body_below_a_certificate_is_certified() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    let sighting = node.chunk(2, &[id], LATER_MS);
    node.certify(2);
    node.tell(Message::Sighted(sighting));
    node.wait(LONG_MS);
    assert_eq!(node.take(), []);
}

#[test]
fn a_transaction_whose_chunk_expired_or_skipped_it_is_a_candidate_again() {
    let mut node = Node::new();
    let (expired, skipped) = (node.accept(1, LATER_MS, 0), node.accept(2, LATER_MS, 0));
    node.sight(2, &[expired], GENESIS_MS + 10);
    node.sight(3, &[skipped], LATER_MS);
    node.certify(2);
    node.certify(3);
    node.execute(9, &[], &[]);
    assert_eq!(node.take(), []);
    node.execute(1, &[], &[3]);
    assert_eq!(node.take(), [expired, skipped]);
}

// A chunk that comes after its inclusion was executed marks nothing.
#[test]
fn an_included_or_expired_chunk_marks_nothing() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    let included = node.chunk(2, &[id], LATER_MS);
    node.execute(5, &[], &[2]);
    node.tell(Message::Sighted(included));
    node.sight(3, &[id], GENESIS_MS + 5);
    assert_eq!((node.state.marks(), node.take()), (0, vec![id]));
}

// D-19: what is beyond may travel twice, and no lane uses up what another may.
#[test]
fn what_is_remembered_of_a_lanes_chunks_is_bounded() {
    let mut node = Node::new();
    let strange: Vec<_> = (0..16)
        .map(|it| payment(9, LATER_MS, it).facts.id)
        .collect();
    node.sight(2, &strange, LATER_MS);
    let id = node.accept(1, LATER_MS, 99);
    node.sight(2, &[id], LATER_MS);
    assert_eq!(node.state.marks(), 16);
    assert_eq!(node.take(), [id], "not remembered");
    node.tell(Message::Built(Built::Failed));
    node.sight(3, &[id], LATER_MS);
    assert_eq!((node.state.marks(), node.take()), (17, vec![]));
    node.execute(LATER_MS - GENESIS_MS, &[], &[]);
    assert_eq!(node.state.marks(), 0);
}

// D-27
#[test]
fn the_builder_is_told_of_each_change_of_what_may_be_packed() {
    let mut node = Node::new();
    assert_eq!(node.readiness, Readiness::Nothing);
    for (salt, readiness) in [(0, Readiness::Some), (1, Readiness::Some)] {
        node.accept(1, LATER_MS, salt);
        assert_eq!(node.readiness, readiness);
    }
    for salt in 2..7 {
        node.accept(1, LATER_MS, salt);
    }
    assert_eq!(node.readiness, Readiness::Full);
    assert_eq!(node.take().len(), 6, "no more than fits a chunk");
    assert_eq!(node.readiness, Readiness::Some);
}

// D-27: by number or by bytes, whichever is enough first.
#[test]
fn a_chunk_is_due_as_soon_as_its_transactions_or_their_bytes_are_enough() {
    let (items, bytes) = (100, 100 * SIZE);
    for (seal, enough) in [
        (
            Amount {
                items,
                bytes: 3 * SIZE,
            },
            3,
        ),
        (Amount { items: 4, bytes }, 4),
    ] {
        let mut config = config();
        config.pool.seal = seal;
        let mut node = Node::with(config);
        for salt in 1..enough {
            node.accept(1, LATER_MS, salt);
            assert_eq!(node.readiness, Readiness::Some, "{salt} of {enough}");
        }
        node.accept(1, LATER_MS, enough);
        assert_eq!(node.readiness, Readiness::Full);
    }
}

// D-40
#[test]
fn admission_leaves_a_transaction_out_until_the_next_block() {
    let mut node = Node::new();
    let (poor, rich) = (node.accept(1, LATER_MS, 0), node.accept(2, LATER_MS, 0));
    node.ledger.refused.lock().insert(poor);
    assert_eq!(node.take(), [rich]);
    node.seal(&[rich], LATER_MS);
    node.wait(LONG_MS);
    assert_eq!((node.readiness, node.take()), (Readiness::Nothing, vec![]));
    node.ledger.refused.lock().clear();
    node.execute(1, &[], &[]);
    assert_eq!(node.take(), [poor]);
}

// D-40: the ledger panics at a second release.
#[test]
fn what_admission_charged_is_released_once_however_it_ends() {
    let mut node = Node::new();
    let pack = |node: &mut Node, expiry_ms, salt| {
        let id = node.accept(1, LATER_MS, salt);
        assert_eq!(node.take(), [id]);
        node.seal(&[id], expiry_ms);
        assert_eq!(node.charged(), 1);
        id
    };
    let executed = pack(&mut node, LATER_MS, 0);
    node.execute(1, &[(executed, LATER_MS)], &[0]);
    assert_eq!(node.charged(), 0, "executed");

    let invalid = pack(&mut node, LATER_MS, 1);
    node.refused.insert(invalid);
    node.execute(1, &[], &[]);
    assert_eq!(node.charged(), 1, "a chunk carries it still");
    node.execute(1, &[], &[0]);
    assert_eq!(
        node.charged(),
        0,
        "skipped with its chunk, and made invalid"
    );
    assert_eq!(node.state.total().items, 0);

    pack(&mut node, GENESIS_MS + 10, 2);
    node.execute(10, &[], &[]);
    assert_eq!(node.charged(), 0, "its chunk expired");
    node.execute(LATER_MS, &[], &[]);
    assert_eq!(node.charged(), 0, "it expired as well");
}

// K-34: a block may have made it invalid, and nobody has looked at it yet.
#[test]
fn what_comes_back_from_a_chunk_is_looked_at_before_it_is_packed_again() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    assert_eq!(node.take(), [id]);
    node.seal(&[id], LATER_MS);
    node.hold_checks = true;
    node.execute(1, &[], &[0]);
    assert_eq!((node.readiness, node.take()), (Readiness::Nothing, vec![]));
    assert_eq!(node.check(), 1);
    assert_eq!((node.readiness, node.take()), (Readiness::Some, vec![id]));
}

// K-34
#[test]
fn a_check_that_began_before_a_chunk_gave_it_back_does_not_count() {
    let mut node = Node::new();
    let id = node.accept(1, LATER_MS, 0);
    node.hold_checks = true;
    node.execute(1, &[], &[]);
    assert_eq!(node.take(), [id]);
    node.seal(&[id], LATER_MS);
    node.execute(1, &[], &[0]);
    assert_eq!(node.check(), 1, "of the block before");
    assert_eq!((node.readiness, node.take()), (Readiness::Nothing, vec![]));
    assert_eq!(node.check(), 1);
    assert_eq!((node.readiness, node.take()), (Readiness::Some, vec![id]));
}

// A transaction that is executed while it is being packed, in another's chunk.
#[test]
fn a_transaction_may_leave_during_its_build() {
    let mut node = Node::new();
    let ids = [node.accept(1, LATER_MS, 0), node.accept(2, LATER_MS, 0)];
    assert_eq!(node.take(), ids);
    node.execute(1, &[(ids[0], LATER_MS)], &[]);
    assert_eq!(node.charged(), 1);
    node.tell(Message::Built(Built::Failed));
    assert_eq!((node.charged(), node.take()), (0, vec![ids[1]]));
}

// Two transactions of an account may depend on each other.
#[test]
fn transactions_are_packed_in_the_order_of_their_arrival() {
    let mut config = config();
    config.pool.chunk.bytes_max = 70;
    let mut node = Node::with(config);
    let ids: Vec<_> = (0..6).map(|it| node.accept(1, LATER_MS, it)).collect();
    for chunk in ids.chunks(3) {
        assert_eq!(node.take(), chunk);
        node.seal(chunk, LATER_MS);
    }
}
