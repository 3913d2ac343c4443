//! From a client to a durable body, through both actors.

use super::cluster::{CHAIN_MS, Cluster, Running};
use crate::{
    mempool::Answer,
    testing::payments::{bytes, config},
};
use bytes::Bytes;
use commonware_runtime::{Clock as _, Runner as _, deterministic};
use drystone_engine::Next;
use std::time::Duration;

const LATER_MS: u64 = CHAIN_MS + 5_000;

fn run<F: Future<Output = ()>>(test: impl FnOnce(Cluster, Running) -> F) {
    let runner = deterministic::Runner::timed(Duration::from_secs(60));
    runner.start(|context| async move {
        let cluster = Cluster::new(context, 1).await;
        let node = cluster.start(0, config()).await;
        test(cluster, node).await;
    });
}

async fn submit(node: &Running, salt: u64) -> Bytes {
    let bytes = bytes(1, LATER_MS, salt);
    let answer = node.mempool.submit(bytes.clone()).await;
    assert_eq!(answer, Answer::Accepted);
    bytes
}

const fn next(height: u64) -> Next {
    Next { height, slot: 0 }
}

// D-01, D-02, D-27
#[test]
fn what_clients_submit_is_in_the_chunk_once_its_body_is_durable() {
    run(async |_, node| {
        let payload = node.builder.propose(next(1));
        let mut submitted = Vec::new();
        for salt in 0..3 {
            submitted.push(submit(&node, salt).await);
        }
        let payload = payload.await.expect("sealed by the timer");
        let chunks = node.shelf.chunks.lock();
        assert_eq!(chunks.len(), 1);
        assert_eq!(
            (chunks[0].payload(), chunks[0].transactions()),
            (payload, &submitted[..])
        );
    });
}

// D-27
#[test]
fn a_full_chunk_waits_for_no_timer_and_the_rest_is_in_the_next() {
    run(async |cluster, node| {
        for salt in 0..8 {
            submit(&node, salt).await;
        }
        let timer = cluster.context.current() + Duration::from_millis(50);
        let first = node.builder.propose(next(1)).await.expect("full");
        assert!(cluster.context.current() < timer);
        let second = node.builder.propose(next(2)).await.expect("by the timer");
        assert!(cluster.context.current() >= timer);
        assert_eq!((first.items, second.items), (6, 2));
    });
}

// D-02
#[test]
fn the_transactions_of_a_failed_build_are_in_the_next() {
    run(async |_, node| {
        *node.shelf.failures.lock() = 3;
        let submitted = submit(&node, 1).await;
        let payload = node.builder.propose(next(1)).await.expect("the fourth");
        let chunks = node.shelf.chunks.lock();
        assert_eq!(chunks[0].payload(), payload);
        assert_eq!(chunks[0].transactions(), [submitted]);
        assert_eq!(chunks.len(), 1);
    });
}

// D-02: while its chunk lives, a transaction is in no other.
#[test]
fn a_transaction_is_packed_once() {
    run(async |cluster, node| {
        submit(&node, 1).await;
        node.builder.propose(next(1)).await.expect("sealed");
        let mut second = node.builder.propose(next(2));
        cluster.sleep(500).await;
        assert!(second.try_recv().is_err(), "nothing to pack");
        submit(&node, 2).await;
        assert_eq!(second.await.expect("sealed").items, 1);
    });
}
