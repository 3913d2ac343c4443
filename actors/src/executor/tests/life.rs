//! An executor from its genesis to its end.

use super::{
    doors::{Doors, open_door},
    kit::{Chain, Node, SPAN_MS, config, deliver},
    stand::Stand,
};
use crate::{
    application::Failure,
    executor::{self, Broken, Error},
};
use commonware_runtime::{
    Clock as _, Runner as _, Supervisor as _,
    deterministic::{self, Context, FaultConfig},
};
use commonware_utils::probability;
use std::{sync::atomic::Ordering, time::Duration};

/// A block of one chunk every ten milliseconds.
fn chain(blocks: u64) -> Chain {
    let mut chain = Chain::new();
    for height in 1..=blocks {
        chain.chunk(0, height, [open_door(1, 10 * height + SPAN_MS, height)]);
        chain.block(10 * height, &[0]);
    }
    chain
}

// D-33
#[test]
fn what_is_finalized_before_an_executor_is_attached_is_executed_when_it_is() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(40);
        let stand = Stand::stocked(&chain);
        let (mailbox, inbox) = executor::mailbox(context.child("early"), &config());
        assert_eq!(mailbox.progress().newest(), None);
        // More than the mailbox holds.
        let waiters: Vec<_> = chain
            .blocks
            .iter()
            .map(|it| deliver(&mailbox, it))
            .collect();
        context.sleep(Duration::from_secs(60)).await;
        let attached = Node::attach(&context, &stand, config(), Doors::default(), mailbox, inbox);
        let node = attached.await.expect("the disk is sound");
        for waiter in waiters {
            waiter.await.expect("executed");
        }
        let newest = node.mailbox.progress().newest().expect("attached");
        assert_eq!(
            (newest.head.height, newest.head.digest),
            (40, chain.blocks[39].digest)
        );
    });
}

// D-33, D-41, S-18
#[test]
fn after_a_restart_what_was_executed_is_acknowledged_and_the_rest_executed() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(20);
        let stand = Stand::stocked(&chain);
        let mut newest = None;
        for (life, from, to) in [(0, 0, 5), (1, 2, 9), (2, 9, 9), (3, 0, 12), (4, 12, 20)] {
            let node = Node::start(&context, &stand).await;
            if life > 0 {
                assert_eq!(node.mailbox.progress().newest(), newest, "life {life}");
            }
            for block in &chain.blocks[from..to] {
                node.deliver(block).await.expect("acknowledged");
                // And once more.
                node.deliver(block).await.expect("acknowledged");
            }
            newest = node.mailbox.progress().newest();
            node.stop(&context).await;
        }
        let desk = stand.0.lock();
        let newest = newest.expect("attached");
        assert_eq!(
            newest.lanes[&chain.world.key(0)],
            chain.lanes[&0][19].0.tip()
        );
        // The genesis, and each block, once.
        assert!(desk.roots.keys().copied().eq(0..=20));
        let known = newest.roots.iter();
        assert!(
            known
                .clone()
                .all(|(height, root)| desk.roots[height] == *root)
        );
        assert_eq!(known.len(), 6, "as many as are configured");
    });
}

// D-44
#[test]
fn the_chain_is_told_what_is_finalized_when_it_is_and_what_is_executed_when_that_is_durable() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(2);
        let stand = Stand::stocked(&chain);
        let body = stand.lose(&chain.reference(0, 1).place.digest);
        let node = Node::start(&context, &stand).await;
        node.deliver(&chain.blocks[0]).await.expect("executed");
        let second = node.deliver(&chain.blocks[1]);
        context.sleep(Duration::from_secs(1)).await;
        let sequencer = chain.world.key(0);
        let tip = |index: usize| chain.lanes[&0][index].0.tip();
        {
            let desk = stand.0.lock();
            let horizon = &desk.horizon;
            assert_eq!((horizon.finalized_ms, horizon.executed_ms), (20, 10));
            assert_eq!(horizon.included[&sequencer], tip(1));
            assert_eq!(horizon.executed[&sequencer], tip(0));
        }
        stand.arrive(&body);
        second.await.expect("executed");
        context.sleep(Duration::from_millis(1)).await;
        let desk = stand.0.lock();
        assert_eq!(desk.horizon.executed_ms, 20);
        assert_eq!(desk.horizon.executed[&sequencer], tip(1));
        let told = desk.executed.last().expect("told");
        assert_eq!((told.time_ms, told.lanes[&sequencer]), (20, 2));
        assert_eq!(told.transactions.len(), 1);
    });
}

/// Feeds blocks until the executor ends, and gives back why.
async fn end(node: Node, chain: &Chain, from: usize) -> Error {
    for block in &chain.blocks[from..] {
        let _ = node.deliver(block).await;
    }
    node.handle.await.expect("no panic").expect_err("ended")
}

async fn executed(context: &Context, stand: &Stand, chain: &Chain, count: usize) {
    let node = Node::start(context, stand).await;
    for block in &chain.blocks[..count] {
        node.deliver(block).await.expect("executed");
    }
    node.stop(context).await;
}

// D-42
#[test]
fn a_disk_error_ends_it_and_nothing_more_is_acknowledged() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(4);
        let stand = Stand::stocked(&chain);
        let node = Node::start(&context, &stand).await;
        node.deliver(&chain.blocks[0]).await.expect("executed");
        let faults = FaultConfig::default().sync(probability!(1.0));
        *context.storage_fault_config().write() = faults;
        let waiters: Vec<_> = chain.blocks[1..]
            .iter()
            .map(|it| node.deliver(it))
            .collect();
        for waiter in waiters {
            assert!(waiter.await.is_err(), "cancelled: it is handed out again");
        }
        let error = node.handle.await.expect("no panic").expect_err("ended");
        assert!(matches!(error, Error::Book(_) | Error::State(_)), "{error}");
    });
}

// D-42
#[test]
fn a_chunk_store_that_ends_ends_the_executor_before_the_commit() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(3);
        let stand = Stand::stocked(&chain);
        stand.0.lock().accepts_left = Some(1);
        let node = Node::start(&context, &stand).await;
        let error = end(node, &chain, 0).await;
        assert!(matches!(error, Error::StoreEnded(2)), "{error}");
        let node = Node::start(&context, &stand).await;
        let newest = node.mailbox.progress().newest().expect("attached");
        assert_eq!(newest.head.height, 1);
    });
}

#[test]
fn a_block_above_a_hole_ends_it() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(4);
        let stand = Stand::stocked(&chain);
        let node = Node::start(&context, &stand).await;
        let error = end(node, &chain, 2).await;
        let expected = Broken::Gap {
            height: 3,
            expected: 1,
        };
        assert!(
            matches!(error, Error::Broken(it) if it == expected),
            "{error}"
        );
    });
}

// D-36: it is fatal, the same however often it is tried, and nothing of the block is kept.
#[test]
fn an_application_that_cannot_go_on_ends_it_at_the_same_block_each_time() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(4);
        let stand = Stand::stocked(&chain);
        let application = Doors::default();
        application.breaks_at.store(3, Ordering::Relaxed);
        for label in ["first", "second", "third"] {
            let (mailbox, inbox) = executor::mailbox(context.child(label), &config());
            let doors = application.clone();
            let attached = Node::attach(&context, &stand, config(), doors, mailbox, inbox);
            let error = end(attached.await.expect("sound"), &chain, 0).await;
            let Error::Application(Failure::Broken(why)) = error else {
                panic!("{error}");
            };
            assert_eq!(why, "the house fell down");
            assert!(stand.0.lock().accepted.keys().eq([1, 2].iter()));
            context.sleep(Duration::from_millis(10)).await;
        }
        // One that was mended goes on where it stood.
        let node = Node::start(&context, &stand).await;
        for block in &chain.blocks {
            node.deliver(block).await.expect("executed");
        }
        assert!(stand.0.lock().roots.keys().copied().eq(0..=4));
    });
}

// D-36, S-18
#[test]
fn an_application_that_comes_to_something_else_the_second_time_ends_it() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(3);
        let stand = Stand::stocked(&chain);
        // The third block's record is written, its state is not.
        stand.0.lock().accepts_left = Some(2);
        let application = Doors::default();
        let (mailbox, inbox) = executor::mailbox(context.child("first"), &config());
        let attached = Node::attach(
            &context,
            &stand,
            config(),
            application.clone(),
            mailbox,
            inbox,
        );
        let error = end(attached.await.expect("sound"), &chain, 0).await;
        assert!(matches!(error, Error::StoreEnded(3)), "{error}");
        stand.0.lock().accepts_left = None;
        application.noise.store(1, Ordering::Relaxed);
        let (mailbox, inbox) = executor::mailbox(context.child("second"), &config());
        let attached = Node::attach(&context, &stand, config(), application, mailbox, inbox);
        let error = end(attached.await.expect("sound"), &chain, 0).await;
        assert!(
            matches!(error, Error::Diverged { height: 3, .. }),
            "{error}"
        );
    });
}

// D-29
#[test]
fn without_the_records_of_the_window_nothing_is_executed_until_it_has_passed() {
    for (next_ms, complete) in [(80, false), (40 + SPAN_MS, false), (41 + SPAN_MS, true)] {
        deterministic::Runner::default().start(|context| async move {
            let mut chain = chain(4);
            chain
                .chunk(0, 90, [open_door(1, next_ms, 9)])
                .block(next_ms, &[0]);
            let stand = Stand::stocked(&chain);
            executed(&context, &stand, &chain, 4).await;
            let mut moved = config();
            moved.disk.partition = "elsewhere".into();
            let (mailbox, inbox) = executor::mailbox(context.child("moved"), &moved);
            let attached = Node::attach(&context, &stand, moved, Doors::default(), mailbox, inbox);
            let node = attached.await.expect("it opens");
            if complete {
                node.deliver(&chain.blocks[4]).await.expect("executed");
            } else {
                let error = end(node, &chain, 4).await;
                let Error::Incomplete { height: 4, next: 5 } = error else {
                    panic!("{error}");
                };
            }
        });
    }
}

// D-18
#[test]
fn records_are_kept_for_the_retention_and_the_window_and_no_longer() {
    deterministic::Runner::default().start(|context| async move {
        let mut chain = chain(4);
        // Far apart: the window holds one block, the retention eight.
        for height in 5..=32 {
            let time_ms = height * 1_000;
            chain.chunk(0, time_ms, [open_door(1, time_ms, height)]);
            chain.block(time_ms, &[0]);
        }
        let stand = Stand::stocked(&chain);
        executed(&context, &stand, &chain, 32).await;
        let node = Node::start(&context, &stand).await;
        for height in 0..=33 {
            let record = node.mailbox.record(height).await.expect("answered");
            // Sections of four.
            let kept = (24..=32).contains(&height);
            assert_eq!(record.is_some(), kept, "block {height}");
            let Some(record) = record else { continue };
            assert_eq!(
                record.headers,
                [chain.lanes[&0][height as usize - 1].0.as_ref().clone()]
            );
            assert_eq!(stand.0.lock().roots[&height], record.root);
        }
    });
}
