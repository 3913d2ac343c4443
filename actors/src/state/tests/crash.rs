//! Crashes at any time, on disks that lose what was not synced or keep torn parts of it; disks that fail.

use super::{Tested, commit, config, head, name, open, writes};
use crate::{
    state::{Error, State},
    testing::disks::faults,
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, FaultConfig},
};
use commonware_utils::{probability, sync::Mutex};
use drystone_engine::types::Digest;
use std::{collections::BTreeMap, sync::Arc};

/// What was written, and what was said of it.
#[derive(Default)]
struct Record {
    /// The root of each height, once computed.
    roots: BTreeMap<u64, Digest>,
    /// The newest height whose commit returned.
    committed: Option<u64>,
}

/// What a block writes, from its height alone.
fn block(height: u64) -> Vec<(u8, Option<u64>)> {
    let write = |it: u64| {
        (
            (height * 7 + it * 3) as u8 % 20,
            (!it.is_multiple_of(3)).then_some(height),
        )
    };
    (0..6).map(write).collect()
}

/// Commits blocks until the disk refuses: in this runtime that is how a node dies in the middle of a commit.
async fn live(state: &mut Tested, first: u64, record: &Mutex<Record>) {
    for height in first.. {
        let block = writes(&block(height));
        let Ok(prepared) = state.prepare(head(height), block).await else {
            return;
        };
        let known = record.lock().roots.insert(height, prepared.root);
        assert!(
            known.is_none_or(|it| it == prepared.root),
            "one root a height"
        );
        if state.apply(prepared).await.is_err() {
            return;
        }
        record.lock().committed = Some(height);
    }
}

// S-18
#[test]
fn after_a_crash_the_state_is_that_of_the_last_commit_or_of_the_one_under_way() {
    let (mut lost, mut kept) = (0, 0);
    for seed in 0..100 {
        let record = Arc::new(Mutex::new(Record::default()));
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_storage_fault_config(faults(seed, 0));
        let mut runner = deterministic::Runner::new(config);
        for _ in 0..6 {
            let shared = Arc::clone(&record);
            let (reached, checkpoint) = runner.start_and_recover(|context| async move {
                *context.storage_fault_config().write() = faults(seed, 0);
                let mut state = open(&context).await;
                let reached = state.head().map(|it| it.height);
                if let Some(height) = reached {
                    assert_eq!(state.head(), Some(head(height)));
                    let expected = shared.lock().roots[&height];
                    assert_eq!(state.root().await.expect("open"), expected, "seed {seed}");
                }
                *context.storage_fault_config().write() = faults(seed, 20);
                let committed = std::mem::replace(&mut shared.lock().committed, reached);
                live(&mut state, reached.map_or(0, |it| it + 1), &shared).await;
                (reached, committed)
            });
            let (reached, committed) = reached;
            let next = committed.map_or(0, |it| it + 1);
            assert!(reached >= committed, "seed {seed}: a commit was lost");
            assert!(reached <= Some(next), "seed {seed}: never written");
            if reached == committed {
                lost += 1;
            } else {
                kept += 1;
            }
            runner = deterministic::Runner::from(checkpoint);
        }
    }
    assert!(lost > 50 && kept > 50, "lost {lost}, kept {kept}");
}

#[test]
fn after_a_disk_error_nothing_is_read_or_written_any_more() {
    deterministic::Runner::default().start(|context| async move {
        let opened = State::open(context.child("state"), config(), Sequential).await;
        let mut state = opened.expect("the disk is sound");
        commit(&mut state, 0, writes(&[(1, Some(1))])).await;
        let reader = state.reader();
        let prepared = state.prepare(head(1), writes(&[(1, Some(2))])).await;
        let faults = FaultConfig::default().sync(probability!(1.0));
        *context.storage_fault_config().write() = faults;
        let failed = state.apply(prepared.expect("prepared")).await;
        assert!(matches!(failed, Err(Error::Database(_))));
        assert!(matches!(state.root().await, Err(Error::Lost)));
        assert!(reader.view().await.is_err());
        assert!(reader.prove(&name(1)).await.is_err());
    });
}
