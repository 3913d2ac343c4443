//! Crashes at any time, on disks that lose what was not synced or keep torn parts of it.

use super::{
    ME, SLOT,
    actor::{header, judge, opened},
};
use crate::{
    Bodies as _,
    chunk_store::{Executed, Found, Mailbox},
    reference::Reference,
    testing::{Key, World, chunk, disks::faults},
};
use bytes::Bytes;
use commonware_runtime::{
    Clock as _, Spawner as _, Supervisor as _,
    deterministic::{self, Context},
};
use commonware_utils::TestRng;
use drystone_engine::{
    Horizon, Verdict,
    types::{Digest, Tip},
};
use rand_core::Rng as _;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

/// What was promised before a crash.
#[derive(Clone, Default)]
struct Promises {
    /// Said to be valid or durable, by height of lane 1.
    valid: BTreeMap<u64, Reference<Key>>,
    own: BTreeMap<u64, Digest>,
    accepted: BTreeSet<u64>,
    /// The next height not used in any life.
    next: u64,
}

fn body_of(who: usize, height: u64) -> crate::chunk::Chunk {
    chunk(
        who as u64 * 100_000 + height,
        40 + (height as usize * 37) % 400,
    )
}

/// Sends chunks of lane 1, packs own ones, accepts what is valid, for ever.
async fn work(
    context: Context,
    world: Arc<World>,
    mut mailbox: Mailbox<Key>,
    seed: u64,
    promises: Arc<Mutex<Promises>>,
) {
    let mut rng = TestRng::new(seed);
    loop {
        let height = {
            let mut promises = promises.lock().unwrap();
            promises.next += 1;
            promises.next
        };
        let body = body_of(1, height);
        // Slots may fall into the next bucket.
        let header = header(&world, 1, height, SLOT + height * 9, &body);
        let reference = Reference::from(&header);
        mailbox.arrived(reference.clone(), Ok(body), true);
        let verdict = judge(&mailbox, &header);
        let own = body_of(ME, height);
        let digest = own.payload().digest;
        let durable = mailbox.persist(own);
        if rng.next_u32().is_multiple_of(3) {
            context
                .sleep(Duration::from_micros(u64::from(rng.next_u32() % 30)))
                .await;
        }
        if verdict.await == Ok(Verdict::Valid) {
            promises
                .lock()
                .unwrap()
                .valid
                .insert(height, reference.clone());
            if rng.next_u32().is_multiple_of(2)
                && mailbox.accept(height, vec![(reference, None)]).await == Ok(Ok(()))
            {
                promises.lock().unwrap().accepted.insert(height);
            }
        }
        if durable.await.is_ok() {
            promises.lock().unwrap().own.insert(height, digest);
        }
        // The chain executes what was accepted, so that quota is never what stops the work.
        let tip = Tip {
            height: height.saturating_sub(3),
            slot: 0,
            digest: Digest::from([0; 32]),
        };
        mailbox.advanced(Horizon {
            executed: [(world.key(1), tip)].into(),
            ..Horizon::default()
        });
    }
}

/// Everything promised is kept, after a crash.
async fn hold(mailbox: &Mailbox<Key>, promises: &Promises) {
    for (height, reference) in &promises.valid {
        let expected: Bytes = body_of(1, *height).body().clone();
        let found = mailbox.get(reference.clone(), None).await;
        assert_eq!(found, Ok(Found::Body(expected)), "height {height}");
    }
}

// D-12, D-16, R-04
#[test]
fn a_crash_at_any_time_loses_nothing_promised_and_revives_nothing_accepted() {
    let (mut valid, mut own, mut accepted) = (0, 0, 0);
    for seed in 0..150 {
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_cycle(Duration::from_micros(1))
            .with_storage_fault_config(faults(seed, 0));
        let mut runner = deterministic::Runner::new(config);
        let promises = Arc::new(Mutex::new(Promises::default()));
        let world = Arc::new(World::new());
        for life in 0..4 {
            let until_us = TestRng::new(seed * 7 + life).next_u64() % 700;
            let (world, shared) = (world.clone(), promises.clone());
            let ((), checkpoint) = runner.start_and_recover(move |context| async move {
                let before = shared.lock().unwrap().clone();
                let living = context.child("life").spawn(move |context| async move {
                    let mut executed = Executed::default();
                    if let Some(height) = before.accepted.iter().max() {
                        executed.lanes.insert(world.key(1), *height);
                    }
                    let opened = opened(context.child("store"), &world, executed);
                    let (actor, mailbox, _) = opened.await.expect("what is torn is repaired");
                    for (height, reference) in &before.valid {
                        if before.accepted.contains(height) {
                            assert!(!actor.state().is_held(reference), "height {height} revived");
                        } else {
                            assert!(
                                actor.state().locate(reference).is_some(),
                                "height {height} lost"
                            );
                        }
                    }
                    let drafts = actor.state().held(&world.key(ME)).chunks;
                    assert!(drafts >= before.own.len() as u64, "{drafts} drafts");
                    let running = actor.start();
                    hold(&mailbox, &before).await;
                    work(context.child("work"), world, mailbox, seed, shared).await;
                    drop(running);
                });
                let slept = context.sleep(Duration::from_micros(until_us));
                match futures::future::select(living, Box::pin(slept)).await {
                    futures::future::Either::Left((ended, _)) => {
                        ended.expect("no promise is broken")
                    }
                    futures::future::Either::Right(_) => {}
                }
            });
            runner = deterministic::Runner::from(checkpoint);
        }
        let promises = promises.lock().unwrap();
        valid += promises.valid.len();
        own += promises.own.len();
        accepted += promises.accepted.len();
    }
    assert!(
        valid > 1_000 && own > 300 && accepted > 300,
        "valid {valid}, own {own}, accepted {accepted}"
    );
}
