//! Known bugs, planted, and what catches each.

use super::{
    doors::{Doors, open_door, pass},
    kit::{Chain, Node, SPAN_MS, config},
    model::expected,
    stand::Stand,
};
use crate::{
    Canary,
    executor::{Entry, mailbox},
};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, Context},
};

async fn start(context: &Context, stand: &Stand, canary: Canary) -> Node {
    let config = crate::executor::Config { canary, ..config() };
    let (mailbox, inbox) = mailbox(context.child("executor"), &config);
    let attached = Node::attach(context, stand, config, Doors::default(), mailbox, inbox);
    attached.await.expect("the disk is sound")
}

/// What the blocks come to on a node that is started again before each.
fn entries(chain: &Chain, canary: Canary) -> Vec<Vec<Entry>> {
    deterministic::Runner::default().start(|context| async move {
        let stand = Stand::stocked(chain);
        let mut all = Vec::new();
        for block in &chain.blocks {
            let node = start(&context, &stand, canary).await;
            node.deliver(block).await.expect("acknowledged");
            let record = node.mailbox.record(block.height).await.expect("answered");
            all.push(record.expect("executed").results.entries);
            node.stop(&context).await;
        }
        all
    })
}

fn is_caught(chain: &Chain, bug: Canary) {
    let (expected, _) = expected(chain);
    assert_eq!(entries(chain, Canary::None), expected);
    assert_ne!(entries(chain, bug), expected, "{bug:?}");
}

// D-35
#[test]
fn a_skipped_copy_that_shadows_is_caught() {
    let mut chain = Chain::new();
    let pass = pass(1, SPAN_MS, 1);
    chain
        .chunk(0, 1, [pass.clone(), open_door(1, SPAN_MS, 1), pass])
        .block(10, &[0]);
    is_caught(&chain, Canary::ShadowSkipped);
}

// D-35
#[test]
fn a_window_that_is_forgotten_is_caught() {
    let mut chain = Chain::new();
    for slot in 1..=2 {
        let transaction = open_door(1, SPAN_MS, 1);
        chain.chunk(0, slot, [transaction]).block(10 * slot, &[0]);
    }
    is_caught(&chain, Canary::ForgetExecuted);
}

// D-05
#[test]
fn an_expired_chunk_that_is_executed_is_caught() {
    let mut chain = Chain::new();
    chain
        .chunk(0, 5, [open_door(1, 1_100, 1)])
        .block(1_007, &[0]);
    is_caught(&chain, Canary::ExecuteExpired);
}

// D-16
#[test]
fn an_acknowledgement_before_the_commit_is_caught() {
    for canary in [Canary::None, Canary::AcknowledgeEarly] {
        deterministic::Runner::default().start(|context| async move {
            let mut chain = Chain::new();
            chain
                .chunk(0, 1, [open_door(1, SPAN_MS, 1)])
                .block(10, &[0]);
            let stand = Stand::stocked(&chain);
            stand.0.lock().accepts_left = Some(0);
            let node = start(&context, &stand, canary).await;
            let acknowledged = node.deliver(&chain.blocks[0]).await.is_ok();
            let committed = node
                .mailbox
                .progress()
                .newest()
                .expect("attached")
                .head
                .height
                == 1;
            assert!(!committed);
            assert_eq!(acknowledged, canary == Canary::AcknowledgeEarly);
        });
    }
}
