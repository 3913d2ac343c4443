//! Beside the chunk store itself.

use super::{
    doors::{Doors, open_door},
    kit::{Chain, SPAN_MS, config, deliver},
    stand::Stand,
};
use crate::{
    Canary,
    application::{Application as _, Decoder},
    chunk_store::{self, Found, Limits, Outlets},
    executor::{Mailbox, Ports, Types, mailbox, open},
    reference::Reference,
    state::{Config as StateConfig, State},
    testing::{Key, Nouns},
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Blob as _, Clock as _, ReadOptions, Runner as _, Spawner as _, Storage as _, Supervisor as _,
    WriteOptions,
    deterministic::{self, Context},
};
use commonware_utils::{NZU64, NZUsize};
use drystone_engine::types::Digest;
use std::{future::pending, sync::Arc, time::Duration};

struct Stored;

impl Types for Stored {
    type Engine = Nouns;
    type Application = Doors;
    type Lanes = Stand;
    type Store = chunk_store::Mailbox<Key>;
    type Fetcher = Stand;
    type Outlets = Stand;
}

impl chunk_store::Types for Stored {
    type PublicKey = Key;
    type Rules = Decoder<Doors>;
    type Strategy = Sequential;
    type Outlets = Nobody;
}

/// Nothing is asked of the store but by the executor.
struct Nobody;

impl Outlets<Key> for Nobody {
    fn want(&mut self, _: &Reference<Key>) {}
    fn settle(&mut self, _: &Reference<Key>) {}
    fn sighted(&mut self, _: &Reference<Key>, _: Vec<Digest>) {}
    fn stir(&mut self) {}
}

/// Opens both on one disk, as a node does: the state first, then the store, which is told how far it has come.
async fn start(
    context: Context,
    chain: &Chain,
    stand: &Stand,
) -> (Mailbox<Nouns>, chunk_store::Mailbox<Key>) {
    let layout = StateConfig::recommended("state");
    let opened = State::open(context.child("state"), layout, Sequential).await;
    let state = opened.expect("the disk is sound");
    let head = state.head();
    let lanes = state.lanes::<Key>().await.expect("the disk is sound");
    let executed = chunk_store::Executed {
        height: head.map_or(0, |it| it.height),
        time_ms: head.map_or(0, |it| it.time_ms),
        lanes: lanes
            .into_iter()
            .map(|(key, it)| (key, it.height))
            .collect(),
    };
    let genesis = Arc::clone(&chain.world.genesis);
    let store = chunk_store::Config {
        limits: Limits::recommended(&genesis),
        genesis,
        me: chain.world.key(5),
        recent_bytes_max: 1 << 20,
        bucket_ms: NZU64!(100),
        retention_blocks: 8,
        mailbox_size: NZUsize!(16),
        disk: chunk_store::Disk::recommended("chunks"),
        canary: Canary::None,
    };
    let rules = Doors::default().rules();
    let opened = chunk_store::open::<_, Stored>(
        context.child("store"),
        store,
        executed,
        rules,
        Sequential,
        Nobody,
    );
    let (actor, store) = opened.await.expect("the disk is sound");
    actor.start();
    let (mailbox, inbox) = mailbox(context.child("executor"), &config());
    let ports = Ports {
        lanes: stand.clone(),
        store: store.clone(),
        fetcher: stand.clone(),
        outlets: stand.clone(),
    };
    let context = context.child("executor");
    let opened = open::<_, Stored>(context, config(), state, Doors::default(), ports, inbox);
    opened.await.expect("the disk is sound").start();
    (mailbox, store)
}

// D-06, D-16, D-34, R-04
#[test]
fn what_a_block_accepted_lies_in_the_chunk_store_under_its_height() {
    let mut chain = Chain::new();
    for height in 1..=4_u64 {
        for who in 0..2 {
            let transaction = open_door(who as u8, 10 * height + SPAN_MS, height);
            chain.chunk(who, height, [transaction]);
        }
        chain.block(10 * height, &[0, 1]);
    }
    let chain = Arc::new(chain);
    deterministic::Runner::default().start(|context| async move {
        // The store has nothing: everything is fetched.
        let stand = Stand::stocked(&chain);
        {
            let mut desk = stand.0.lock();
            desk.elsewhere = std::mem::take(&mut desk.stored);
        }
        for upto in [2, 4] {
            let (chain, beside) = (Arc::clone(&chain), stand.clone());
            let life = context.child("life").spawn(move |context| async move {
                let (mailbox, store) = start(context, &chain, &beside).await;
                for block in &chain.blocks[..upto] {
                    deliver(&mailbox, block).await.expect("executed");
                }
                for (index, block) in chain.blocks[..upto].iter().enumerate() {
                    for who in 0..2 {
                        let reference = chain.reference(who, index);
                        let body = chain.lanes[&who][index].1.body().clone();
                        let found = store.get(reference, Some(block.height)).await;
                        assert_eq!(found, Ok(Found::Body(body)), "block {}", block.height);
                    }
                }
                assert_eq!(beside.0.lock().fetched, 2 * upto, "each body once");
                pending::<()>().await;
            });
            context.sleep(Duration::from_secs(5)).await;
            let executed = stand.0.lock().roots.len();
            assert_eq!(executed, upto + 1);
            life.abort();
            context.sleep(Duration::from_millis(10)).await;
        }
    });
}

/// Where an entry of the index lies.
const PLACE: u64 = 100;

/// Changes the index of the bodies that blocks accepted: the archive cuts it off where it is damaged.
async fn damage(context: &Context) {
    let partition = "chunks-accepted-index";
    let names = context.scan(partition).await.expect("it is there");
    let [name] = &names[..] else {
        panic!("one section, not {names:?}");
    };
    let (blob, _) = context.open(partition, name).await.expect("it opens");
    let read = blob.read_at(PLACE, 1, ReadOptions::default()).await;
    let read = read.expect("it is longer").coalesce();
    let damaged: Vec<u8> = read.as_ref().iter().map(|it| !it).collect();
    let written = blob.write_at(PLACE, damaged, WriteOptions::SYNC);
    written.await.expect("mine");
}

// D-12: whoever signed for a body keeps it until the retention limit.
#[test]
fn bodies_that_a_damaged_index_hides_are_missed_at_the_start_and_fetched_again() {
    let mut chain = Chain::new();
    for height in 1..=6_u64 {
        for who in 0..2 {
            let transaction = open_door(who as u8, 10 * height + SPAN_MS, height);
            chain.chunk(who, height, [transaction]);
        }
        chain.block(10 * height, &[0, 1]);
    }
    let chain = Arc::new(chain);
    deterministic::Runner::default().start(|context| async move {
        let stand = Stand::stocked(&chain);
        {
            let mut desk = stand.0.lock();
            desk.elsewhere = std::mem::take(&mut desk.stored);
        }
        let mut fetched = Vec::new();
        for life in 0..3 {
            let (chain, beside) = (Arc::clone(&chain), stand.clone());
            let life = context.child("life").spawn(move |context| async move {
                if life == 1 {
                    damage(&context).await;
                }
                let (mailbox, store) = start(context.child("node"), &chain, &beside).await;
                for block in &chain.blocks {
                    deliver(&mailbox, block).await.expect("executed");
                }
                // What is fetched again is here a little later.
                context.sleep(Duration::from_secs(1)).await;
                for (index, block) in chain.blocks.iter().enumerate() {
                    let both = (0..2).map(|who| chain.reference(who, index)).collect();
                    let lacking = store.lacking(block.height, both).await;
                    assert_eq!(lacking, Ok(Vec::new()), "block {}", block.height);
                }
                pending::<()>().await;
            });
            context.sleep(Duration::from_secs(5)).await;
            fetched.push(stand.0.lock().fetched);
            life.abort();
            context.sleep(Duration::from_millis(10)).await;
        }
        let [first, again, at_last] = fetched[..] else {
            unreachable!("three lives");
        };
        assert_eq!(first, 12, "each body once");
        assert!(again > first, "nothing was missed");
        assert_eq!(at_last, again, "all is here again");
    });
}
