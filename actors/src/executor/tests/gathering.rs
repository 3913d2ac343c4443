//! Bodies and headers that are not here.

use super::{
    doors::{Doors, open_door},
    kit::{Chain, Node, SPAN_MS, config},
    stand::Stand,
};
use crate::executor::mailbox;
use bytes::Bytes;
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use futures::FutureExt as _;
use std::{sync::atomic::Ordering, time::Duration};

/// Two blocks of two lanes each.
fn chain() -> Chain {
    let mut chain = Chain::new();
    for height in 1..=2 {
        for who in 0..2 {
            let transaction = open_door(who as u8, SPAN_MS, height);
            chain.chunk(who, height, [transaction]);
        }
        chain.block(10 * height, &[0, 1]);
    }
    chain
}

// D-06, D-34
#[test]
fn what_is_missing_is_fetched_and_kept_with_the_rest() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain();
        let stand = Stand::stocked(&chain);
        let missing = chain.reference(1, 0);
        let body = stand.lose(&missing.place.digest);
        stand
            .0
            .lock()
            .elsewhere
            .insert(missing.place.digest, body.clone());
        let node = Node::start(&context, &stand).await;
        node.deliver(&chain.blocks[0]).await.expect("executed");
        let desk = stand.0.lock();
        assert_eq!(desk.fetched, 1);
        // Bodies are given along: what was fetched needs no quota, what is here is not read twice.
        let mut expected: Vec<_> = (0..2)
            .map(|who| {
                (
                    chain.reference(who, 0),
                    Some(chain.lanes[&who][0].1.body().clone()),
                )
            })
            .collect();
        expected.sort_by(|a, b| a.0.sequencer.cmp(&b.0.sequencer));
        assert_eq!(desk.accepted[&1], expected);
    });
}

// D-38, D-42
#[test]
fn a_body_that_nobody_has_is_waited_for_and_nothing_is_skipped() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain();
        let stand = Stand::stocked(&chain);
        let body = stand.lose(&chain.reference(0, 0).place.digest);
        let node = Node::start(&context, &stand).await;
        let mut first = node.deliver(&chain.blocks[0]);
        let mut second = node.deliver(&chain.blocks[1]);
        context.sleep(Duration::from_secs(3600)).await;
        assert!((&mut first).now_or_never().is_none());
        assert!((&mut second).now_or_never().is_none());
        assert!(stand.0.lock().accepted.is_empty());
        // One fetch is enough: the relay retries.
        assert_eq!(stand.0.lock().fetched, 1);
        stand.arrive(&body);
        first.await.expect("executed");
        second.await.expect("executed");
    });
}

// D-06, D-38: whoever dies while it fetches leaves no fetch behind, and fetches again when it is back.
#[test]
fn a_restart_during_a_fetch_fetches_again_and_waits_for_nobody() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain();
        let stand = Stand::stocked(&chain);
        let body = stand.lose(&chain.reference(0, 1).place.digest);
        let node = Node::start(&context, &stand).await;
        node.deliver(&chain.blocks[0]).await.expect("executed");
        let second = node.deliver(&chain.blocks[1]);
        context.sleep(Duration::from_secs(60)).await;
        node.stop(&context).await;
        assert!(second.await.is_err(), "it is handed out again");
        let fetches = std::mem::take(&mut stand.0.lock().fetches);
        assert_eq!(fetches.len(), 1);
        assert!(fetches.iter().all(|(_, responder)| responder.is_closed()));

        let node = Node::start(&context, &stand).await;
        let second = node.deliver(&chain.blocks[1]);
        context.sleep(Duration::from_secs(1)).await;
        assert_eq!(stand.0.lock().fetched, 2);
        stand.arrive(&body);
        second.await.expect("executed");
        assert!(stand.0.lock().accepted.keys().eq([1, 2].iter()));
    });
}

// D-34
#[test]
fn a_body_that_comes_to_the_store_by_another_way_ends_the_fetch() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain();
        let stand = Stand::stocked(&chain);
        let digest = chain.reference(0, 0).place.digest;
        let body = stand.lose(&digest);
        let node = Node::start(&context, &stand).await;
        let mut waiter = node.deliver(&chain.blocks[0]);
        context.sleep(Duration::from_secs(10)).await;
        assert!((&mut waiter).now_or_never().is_none());
        stand.0.lock().stored.insert(digest, body);
        waiter.await.expect("executed");
        let fetches = std::mem::take(&mut stand.0.lock().fetches);
        assert!(fetches.iter().all(|(_, responder)| responder.is_closed()));
    });
}

// D-38
#[test]
fn whoever_drops_a_request_is_asked_again() {
    for dropped in 1..8 {
        deterministic::Runner::default().start(|context| async move {
            let chain = chain();
            let stand = Stand::stocked(&chain);
            let digest = chain.reference(1, 0).place.digest;
            let body = stand.lose(&digest);
            stand.0.lock().elsewhere.insert(digest, body);
            stand.0.lock().dropped = dropped;
            let node = Node::start(&context, &stand).await;
            node.deliver(&chain.blocks[0]).await.expect("executed");
            assert_eq!(stand.0.lock().dropped, 0);
        });
    }
}

// D-06
#[test]
fn headers_are_waited_for_whatever_order_they_come_in() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain();
        let stand = Stand::stocked(&chain);
        stand.0.lock().runs_wait = true;
        let node = Node::start(&context, &stand).await;
        let first = node.deliver(&chain.blocks[0]);
        let second = node.deliver(&chain.blocks[1]);
        context.sleep(Duration::from_secs(60)).await;
        let runs = std::mem::take(&mut stand.0.lock().runs);
        assert_eq!(runs.len(), 4, "both lanes of both blocks");
        for (sequencer, above, to, responder) in runs.into_iter().rev() {
            assert!(stand.0.lock().accepted.is_empty());
            let run = stand.0.lock().run(&sequencer, above, to);
            responder.send(run).expect("waited for");
            context.sleep(Duration::from_millis(5)).await;
        }
        first.await.expect("executed");
        second.await.expect("executed");
        let desk = stand.0.lock();
        assert!(desk.accepted.keys().eq([1, 2].iter()));
    });
}

// D-05
#[test]
fn a_body_that_is_no_chunk_holds_nothing_for_anybody() {
    deterministic::Runner::default().start(|context| async move {
        let mut chain = chain();
        // A transaction of a length that no application reads, in a chunk that honest validators would not ack.
        let odd = Bytes::from_static(b"odd");
        chain
            .chunk(0, 5, [open_door(1, SPAN_MS, 9), odd])
            .block(30, &[0]);
        let stand = Stand::stocked(&chain);
        let node = Node::start(&context, &stand).await;
        for block in &chain.blocks {
            node.deliver(block).await.expect("executed");
        }
        let record = node.mailbox.record(3).await.expect("answered");
        assert_eq!(record.expect("executed").results.entries, []);
    });
}

// D-22, D-35
#[test]
fn what_was_read_when_it_came_is_not_read_again_and_comes_to_the_same() {
    let mut chain = Chain::new();
    for height in 1..=3 {
        let both = [
            open_door(height as u8, SPAN_MS, height),
            open_door(9, SPAN_MS, 9),
        ];
        chain.chunk(0, height, both);
        // Nobody can read one of these.
        chain.chunk(
            1,
            height,
            [open_door(1, SPAN_MS, 7), Bytes::from_static(b"?")],
        );
        chain.block(10 * height, &[0, 1]);
    }
    let chain = &chain;
    let outcome = |opened| {
        deterministic::Runner::default().start(|context| async move {
            let stand = Stand::stocked(chain);
            stand.0.lock().opened = opened;
            let doors = Doors::default();
            let (mailbox, inbox) = mailbox(context.child("executor"), &config());
            let node = Node::attach(&context, &stand, config(), doors.clone(), mailbox, inbox);
            let node = node.await.expect("the disk is sound");
            for block in &chain.blocks {
                node.deliver(block).await.expect("executed");
            }
            let roots = stand.0.lock().roots.clone();
            (roots, doors.read.load(Ordering::Relaxed))
        })
    };
    let (from_bodies, read) = outcome(false);
    let (from_chunks, read_again) = outcome(true);
    assert_eq!(from_chunks, from_bodies);
    assert_eq!(
        (read, read_again),
        (12, 6),
        "a chunk that cannot be read is tried once more"
    );
}
