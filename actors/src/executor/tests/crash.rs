//! Crashes at any operation of the disk, of which parts may be kept; a chunk store that dies; blocks handed out again.

use super::{
    doors::Doors,
    kit::{self, Chain, Node, deliver},
    model::{chains, expected},
    stand::Stand,
};
use crate::{
    executor::{self, Entry, Fate},
    testing::disks::faults,
};
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, Context, FaultConfig},
};
use drystone_engine::types::Digest;
use proptest::{
    prelude::*,
    strategy::ValueTree as _,
    test_runner::{Config as RunnerConfig, RngAlgorithm, TestRng, TestRunner},
};
use std::{collections::BTreeSet, sync::Arc};

/// Opens, lets blocks be executed from a height on until something fails or all are, and says how many were acknowledged.
async fn live(context: Context, chain: &Chain, stand: &Stand, seed: u64, from: usize) -> usize {
    *context.storage_fault_config().write() = faults(seed, 0);
    // What was torn must not keep it from opening; what fails now may.
    let failures_permille = [0, 20, 60, 120][(seed % 4) as usize];
    let node = Node::start(&context, stand).await;
    *context.storage_fault_config().write() = faults(seed, failures_permille);
    let mut acknowledged = from;
    let waiters: Vec<_> = chain.blocks[from..]
        .iter()
        .map(|it| node.deliver(it))
        .collect();
    for waiter in waiters {
        if waiter.await.is_err() {
            let _ = node.handle.await.expect("no panic").expect_err("ended");
            return acknowledged;
        }
        acknowledged += 1;
    }
    node.stop(&context).await;
    acknowledged
}

/// A random chain, the same for the same seed.
fn chain(seed: u64) -> Chain {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_be_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(RunnerConfig::default(), rng);
    let tree = chains().new_tree(&mut runner).expect("a chain");
    tree.current()
}

fn executed(entries: &[Vec<Entry>]) -> BTreeSet<Digest> {
    let all = entries.iter().flatten();
    let executed = all.filter(|it| it.fate == Fate::Executed);
    executed.map(|it| it.id).collect()
}

// D-33, D-41, D-44, S-18
#[test]
fn a_crash_at_any_point_changes_nothing_and_loses_nothing() {
    let (mut crashes, mut finished) = (0, 0);
    for seed in 0..120 {
        let chain = Arc::new(chain(seed));
        let (entries, _) = expected(&chain);
        let stand = Stand::stocked(&chain);
        let config = deterministic::Config::new().with_seed(seed);
        let mut runner = deterministic::Runner::new(config);
        let mut acknowledged = 0_usize;
        for life in 0..12_u64 {
            // The store may die, too; the orderer may have forgotten the newest acknowledgements.
            let salt = seed * 31 + life;
            stand.0.lock().accepts_left = salt.is_multiple_of(4).then_some((salt % 7) as usize);
            let from = acknowledged.saturating_sub((salt % 3) as usize);
            let (chain, shared) = (Arc::clone(&chain), stand.clone());
            let (reached, checkpoint) = runner.start_and_recover(move |context| async move {
                live(context, &chain, &shared, salt, from).await
            });
            runner = deterministic::Runner::from(checkpoint);
            crashes += u64::from(reached < entries.len());
            acknowledged = acknowledged.max(reached);
        }
        stand.0.lock().accepts_left = None;
        let (last, shared) = (Arc::clone(&chain), stand.clone());
        runner.start(|context| async move {
            *context.storage_fault_config().write() = FaultConfig::default();
            let node = Node::start(&context, &shared).await;
            for block in &last.blocks {
                node.deliver(block).await.expect("executed");
            }
            for (block, entries) in last.blocks.iter().zip(&entries) {
                // Below the retention limit there may be none.
                let record = node.mailbox.record(block.height).await.expect("answered");
                assert!(record.is_none_or(|it| it.results.entries == *entries));
            }
            // Whatever was executed was told, at least once.
            let desk = shared.0.lock();
            let told = desk.executed.iter().flat_map(|it| &it.transactions);
            let told: BTreeSet<_> = told.map(|(id, _)| *id).collect();
            assert!(told.is_subset(&executed(&entries)), "seed {seed}");
            assert!(desk.accepted.len() == entries.len(), "each block's bodies");
        });
        finished += u64::from(acknowledged == chain.blocks.len());
    }
    assert!(
        crashes > 300 && finished > 60,
        "{crashes} crashes, {finished} finished"
    );
}

// D-33, D-44
#[test]
fn a_crash_between_the_commit_and_the_telling_is_made_good_at_the_next_start() {
    deterministic::Runner::default().start(|context| async move {
        let mut seed = 0;
        let chain = loop {
            let chain = chain(seed);
            let (entries, _) = expected(&chain);
            if executed(&entries[..1]).len() > 1 {
                break chain;
            }
            seed += 1;
        };
        let (entries, _) = expected(&chain);
        let stand = Stand::stocked(&chain);
        let (mailbox, inbox) = executor::mailbox(context.child("first"), &kit::config());
        let waiter = deliver(&mailbox, &chain.blocks[0]);
        let application = Doors::default();
        let config = kit::config();
        let attached = Node::attach(&context, &stand, config, application, mailbox, inbox);
        let node = attached.await.expect("the disk is sound");
        waiter.await.expect("executed");
        node.stop(&context).await;
        // As if it had died before it told anybody.
        stand.0.lock().executed.clear();
        let node = Node::start(&context, &stand).await;
        let desk = stand.0.lock();
        let told: BTreeSet<_> = desk.executed[0]
            .transactions
            .iter()
            .map(|it| it.0)
            .collect();
        let live =
            |it: &&Entry| it.fate == Fate::Executed && it.expiry_ms >= chain.blocks[0].time_ms;
        let expected: BTreeSet<_> = entries[0].iter().filter(live).map(|it| it.id).collect();
        assert_eq!(told, expected);
        drop(node);
    });
}
