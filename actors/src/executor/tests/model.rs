//! What a chain must come to, one transaction after the other with everything remembered for ever; and random chains.

use super::{
    doors::{Doors, open_door, pass},
    kit::{Chain, Node, SPAN_MS},
    stand::Stand,
};
use crate::{
    application::{Application as _, Context},
    executor::{Entry, Fate},
    state::{Batch, Memory},
    transaction::Transaction,
};
use bytes::Bytes;
use commonware_runtime::{Runner as _, deterministic};
use drystone_engine::types::Digest;
use futures::executor::block_on;
use proptest::prelude::*;
use std::collections::BTreeSet;

/// What each block comes to, and the log in the end.
pub fn expected(chain: &Chain) -> (Vec<Vec<Entry>>, Bytes) {
    block_on(async {
        let mut memory = Memory::default();
        let mut batch = Batch::over(memory.view());
        Doors::default().genesis(&mut batch).await.expect("written");
        let writes = batch.into_writes();
        memory.apply(writes);
        let mut executed: BTreeSet<Digest> = BTreeSet::new();
        let mut all = Vec::new();
        for (index, block) in chain.blocks.iter().enumerate() {
            let mut chunks = Vec::new();
            for (who, lane) in &chain.lanes {
                let sequencer = chain.world.key(*who);
                let height =
                    |it: &crate::executor::Block<_>| it.tips.get(&sequencer).map(|it| it.height);
                let above = chain.blocks[..index].iter().filter_map(height).max();
                let Some(to) = height(block) else { continue };
                for (header, chunk) in &lane[above.unwrap_or(0) as usize..to as usize] {
                    let slot = header.header().slot;
                    let expiry_ms = chain.world.genesis.expiry_ms(slot).expect("small");
                    if block.time_ms <= expiry_ms {
                        chunks.push(((slot, sequencer.clone()), chunk.clone()));
                    }
                }
            }
            chunks.sort_by(|a, b| a.0.cmp(&b.0));
            let context = Context {
                height: block.height,
                time_ms: block.time_ms,
            };
            let mut entries = Vec::new();
            for bytes in chunks.iter().flat_map(|(_, chunk)| chunk.transactions()) {
                let rules = Doors::default().rules();
                let transaction = Transaction::decode(&rules, bytes.clone()).expect("valid");
                let facts = transaction.facts;
                let last = block.time_ms + SPAN_MS;
                let fate = if facts.expiry_ms < block.time_ms || last < facts.expiry_ms {
                    Fate::Untimely
                } else if executed.contains(&facts.id) {
                    Fate::Duplicate
                } else {
                    let mut batch = Batch::over(memory.view());
                    let outcome = Doors::default()
                        .execute(&context, &[transaction], &mut batch)
                        .await;
                    let writes = batch.into_writes();
                    memory.apply(writes);
                    match outcome.expect("never fails").remove(0) {
                        Ok(()) => {
                            executed.insert(facts.id);
                            Fate::Executed
                        }
                        Err(reason) => Fate::Invalid(reason),
                    }
                };
                entries.push(Entry {
                    id: facts.id,
                    expiry_ms: facts.expiry_ms,
                    fate,
                });
            }
            all.push(entries);
        }
        let log = memory.view().get(b"log").await.expect("read");
        (all, log.expect("the genesis wrote it"))
    })
}

/// A chain in which transactions come again and again, early and late.
pub fn chains() -> impl Strategy<Value = Chain> {
    let transaction = (any::<bool>(), 0..4_u8, 0..8_u64, 0..2_u64);
    let chunk = (0..4_usize, proptest::collection::vec(transaction, 1..6));
    let block = (10..400_u64, proptest::collection::vec(chunk, 0..5));
    proptest::collection::vec(block, 1..14).prop_map(|blocks| {
        let mut chain = Chain::new();
        let (mut time_ms, mut slot) = (1_000, 1_000);
        for (step, chunks) in blocks {
            time_ms += step;
            let mut lanes = BTreeSet::new();
            for (who, transactions) in chunks {
                // Two lanes may use one slot.
                slot += if lanes.insert(who) { 0 } else { 1 };
                slot = slot.max(chain.lanes.get(&who).map_or(0, |lane| {
                    lane.last()
                        .map_or(0, |(header, _)| header.header().slot + 1)
                }));
                let make = |(opens, door, expiry, salt): (bool, u8, u64, u64)| {
                    let expiry_ms = 1_000 + expiry * 200;
                    if opens {
                        open_door(door, expiry_ms, salt)
                    } else {
                        pass(door, expiry_ms, salt)
                    }
                };
                let transactions: Vec<_> = transactions.into_iter().map(make).collect();
                chain.chunk(who, slot, transactions);
            }
            let lanes: Vec<_> = lanes.into_iter().collect();
            chain.block(time_ms, &lanes);
            // Lanes fall behind, until what they hold is expired when it is included.
            slot += step / 2;
        }
        chain
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    // D-35, D-36, S-18
    #[test]
    fn a_node_comes_to_what_a_naive_one_comes_to(chain in chains()) {
        let (entries, log) = expected(&chain);
        deterministic::Runner::default().start(|context| async move {
            let node = Node::start(&context, &Stand::stocked(&chain)).await;
            for (block, entries) in chain.blocks.iter().zip(entries) {
                node.deliver(block).await.expect("executed");
                let record = node.mailbox.record(block.height).await.expect("answered");
                assert_eq!(record.expect("executed").results.entries, entries);
            }
            let view = node.reader.view().await.expect("open");
            assert_eq!(Doors::default().query(b"", &view).await, Ok(log));
        });
    }
}
