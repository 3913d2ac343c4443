//! One state, on the simulated runtime.

mod crash;
mod proofs;

use super::{Batch, Config, Head, Memory, State, Writes, key};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Runner as _, Supervisor as _,
    deterministic::{self, Context},
};
use commonware_utils::{NZU64, NZUsize};
use drystone_engine::types::{Digest, Header, Payload};
use futures::FutureExt as _;
use proptest::prelude::*;
use std::collections::BTreeMap;

type Tested = State<Context, Sequential>;

/// Small files, and a log that is pruned often.
fn config() -> Config {
    Config {
        items_per_file: NZU64!(64),
        page_cache: NZUsize!(64),
        write_buffer_bytes: NZUsize!(1 << 12),
        replay_buffer_bytes: NZUsize!(1 << 12),
        prune_interval_blocks: NZU64!(5),
        ..Config::recommended("state")
    }
}

async fn open(context: &Context) -> Tested {
    let opened = State::open(context.child("state"), config(), Sequential);
    opened.await.expect("the disk is sound")
}

fn head(height: u64) -> Head {
    Head {
        height,
        digest: Sha256::hash(&[&height.to_be_bytes()]),
        time_ms: height * 10,
    }
}

/// Commits a block, and gives back the root that was computed before.
async fn commit(state: &mut Tested, height: u64, writes: Writes) -> Digest {
    let prepared = state.prepare(head(height), writes).await.expect("prepared");
    let root = prepared.root;
    state.apply(prepared).await.expect("applied");
    root
}

fn name(index: u8) -> [u8; 2] {
    [b'k', index]
}

/// Some writes, as an application makes them.
fn writes(puts: &[(u8, Option<u64>)]) -> Writes {
    let memory = Memory::default();
    let mut batch = Batch::over(memory.view());
    for (index, value) in puts {
        match value {
            Some(value) => batch.put(&name(*index), value.to_be_bytes().to_vec()),
            None => batch.delete(&name(*index)),
        }
    }
    batch.into_writes()
}

// S-18
#[test]
fn the_root_is_known_before_the_commit_and_survives_a_restart() {
    deterministic::Runner::default().start(|context| async move {
        let mut state = open(&context).await;
        assert_eq!(state.head(), None, "no genesis yet");
        let before = state.root().await.expect("open");
        let prepared = state.prepare(head(0), writes(&[(1, Some(7))])).await;
        let prepared = prepared.expect("prepared");
        let root = prepared.root;
        assert_eq!(state.root().await.expect("open"), before, "nothing changed");
        state.apply(prepared).await.expect("applied");
        assert_ne!(root, before);
        assert_eq!(state.root().await.expect("open"), root);
        drop(state);
        let state = open(&context).await;
        assert_eq!(state.head(), Some(head(0)));
        assert_eq!(state.root().await.expect("open"), root);
    });
}

#[test]
fn the_root_does_not_depend_on_the_order_an_application_writes_in() {
    let roots: Vec<Digest> = [
        writes(&[(1, Some(1)), (2, Some(2)), (3, None), (1, Some(9))]),
        writes(&[(3, Some(5)), (1, Some(9)), (3, None), (2, Some(2))]),
    ]
    .into_iter()
    .map(|writes| {
        deterministic::Runner::default().start(|context| async move {
            let mut state = open(&context).await;
            commit(&mut state, 0, writes).await
        })
    })
    .collect();
    assert_eq!(roots[0], roots[1]);
}

/// A lane's entry, told from others by its height.
fn header(sequencer: u8, height: u64) -> Header<crate::testing::Key> {
    Header {
        sequencer: crate::testing::World::new().key(usize::from(sequencer)),
        height,
        slot: height,
        previous: Sha256::hash(&[b"below"]),
        payload: Payload {
            digest: Sha256::hash(&[b"body"]),
            bytes: 4,
            items: 1,
        },
    }
}

#[test]
fn the_lane_table_is_walked_and_nothing_an_application_writes_is_in_it() {
    deterministic::Runner::default().start(|context| async move {
        let mut state = open(&context).await;
        let mut expected = BTreeMap::new();
        for height in 0..3 {
            let mut batch = state.batch().await.expect("open");
            for lane in 0..=(height as u8) {
                let header = header(lane, 1 + height);
                let key = key::lane(&header.sequencer);
                batch.include(&header);
                // An application that tries the very same names.
                batch.put(&key, vec![1]);
                batch.put(header.sequencer.as_ref(), vec![2]);
                batch.put(&key::results(), vec![3]);
                expected.insert(header.sequencer.clone(), header);
            }
            let writes = batch.into_writes();
            commit(&mut state, height, writes).await;
        }
        assert_eq!(state.lanes().await.expect("read"), expected);
        assert_eq!(state.results().await.expect("read"), None);
        let digest = Sha256::hash(&[b"results"]);
        let mut batch = state.batch().await.expect("open");
        batch.conclude(&digest);
        let writes = batch.into_writes();
        commit(&mut state, 3, writes).await;
        assert_eq!(state.results().await.expect("read"), Some(digest));
        drop(state);
        let state = open(&context).await;
        assert_eq!(state.lanes().await.expect("read"), expected);
    });
}

#[test]
fn a_reader_sees_one_height_until_it_lets_go() {
    deterministic::Runner::default().start(|context| async move {
        let mut state = open(&context).await;
        commit(&mut state, 0, writes(&[(1, Some(1))])).await;
        let reader = state.reader();
        let view = reader.view().await.expect("open");
        let prepared = state.prepare(head(1), writes(&[(1, Some(2))])).await;
        let mut applied = Box::pin(state.apply(prepared.expect("prepared")));
        assert!((&mut applied).now_or_never().is_none(), "it waits");
        let value = view.get(&name(1)).await.expect("read");
        assert_eq!(value.as_deref(), Some(1_u64.to_be_bytes().as_slice()));
        drop(view);
        applied.await.expect("applied");
        let view = reader.view().await.expect("open");
        let value = view.get(&name(1)).await.expect("read");
        assert_eq!(value.as_deref(), Some(2_u64.to_be_bytes().as_slice()));
    });
}

#[test]
#[should_panic(expected = "at most 1048576 are allowed")]
fn a_value_beyond_the_limit_is_the_applications_fault() {
    let memory = Memory::default();
    Batch::over(memory.view()).put(b"k", vec![0; super::VALUE_BYTES_MAX + 1]);
}

/// Blocks of puts and deletes over few keys.
fn blocks() -> impl Strategy<Value = Vec<Vec<(u8, Option<u64>)>>> {
    let write = (0..12_u8, proptest::option::weighted(0.7, any::<u64>()));
    proptest::collection::vec(proptest::collection::vec(write, 0..20), 1..25)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn the_state_is_a_map_whatever_is_written_deleted_pruned_and_reopened(
        blocks in blocks(),
        reopen in any::<u32>(),
    ) {
        deterministic::Runner::default().start(|context| async move {
            let mut state = open(&context).await;
            let mut model = Memory::default();
            for (height, block) in blocks.iter().enumerate() {
                commit(&mut state, height as u64, writes(block)).await;
                model.apply(writes(block));
                if reopen >> (height % 32) & 1 == 1 {
                    drop(state);
                    state = open(&context).await;
                }
                let reader = state.reader();
                let (view, expected) = (reader.view().await.expect("open"), model.view());
                for index in 0..12 {
                    let read = view.get(&name(index)).await.expect("read");
                    let value: Option<Bytes> = expected.get(&name(index)).await.expect("read");
                    assert_eq!(read, value, "key {index} at height {height}");
                }
            }
        });
    }
}
