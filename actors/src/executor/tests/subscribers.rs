//! Those who want to know what was executed.

use super::{
    doors::open_door,
    kit::{Chain, Node, SPAN_MS},
    stand::Stand,
};
use commonware_runtime::{Runner as _, deterministic};

fn chain(blocks: u64) -> Chain {
    let mut chain = Chain::new();
    for height in 1..=blocks {
        chain.chunk(0, height, [open_door(1, SPAN_MS, height)]);
        chain.block(10 * height, &[0]);
    }
    chain
}

// D-44
#[test]
fn a_subscriber_sees_every_block_in_order_and_the_newest_again_after_a_restart() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(6);
        let stand = Stand::stocked(&chain);
        let mut seen = Vec::new();
        for range in [0..3, 3..6] {
            let node = Node::start(&context, &stand).await;
            let mut records = node.mailbox.subscribe();
            seen.push(records.recv().await.expect("at once").results.height);
            for block in &chain.blocks[range] {
                node.deliver(block).await.expect("executed");
                let record = records.recv().await.expect("executed");
                assert_eq!(record.results.block, block.digest);
                assert_eq!(stand.0.lock().roots[&block.height], record.root);
                seen.push(record.results.height);
            }
            node.stop(&context).await;
        }
        assert_eq!(seen, [0, 1, 2, 3, 3, 4, 5, 6]);
    });
}

// D-44
#[test]
fn a_slow_subscriber_holds_nothing_up_and_can_ask_for_what_it_lost() {
    deterministic::Runner::default().start(|context| async move {
        let chain = chain(20);
        let stand = Stand::stocked(&chain);
        let node = Node::start(&context, &stand).await;
        let mut slow = node.mailbox.subscribe();
        let gone = node.mailbox.subscribe();
        drop(gone);
        for block in &chain.blocks {
            node.deliver(block).await.expect("executed");
        }
        for height in 18..=20 {
            let record = slow.recv().await.expect("as many as it may keep");
            assert_eq!(record.results.height, height);
        }
        let lost = node.mailbox.record(17).await.expect("answered");
        assert_eq!(lost.expect("kept").results.block, chain.blocks[16].digest);
        let ahead = node.mailbox.record(21).await.expect("answered");
        assert_eq!(ahead, None);
    });
}
