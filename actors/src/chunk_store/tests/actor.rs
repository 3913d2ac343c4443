//! The loop, on a simulated disk, through the mailbox alone. // D-28

use super::{ME, SLOT, config};
use crate::{
    Bodies as _,
    chunk::Chunk,
    chunk_store::{Actor, Error, Executed, Found, Machine, Mailbox, Outlets, Types, open},
    reference::Reference,
    testing::{Key, Letters, World, chunk, invalid_chunk},
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Clock as _, Handle, Runner as _, Spawner, Supervisor as _,
    deterministic::{Context, Runner},
    mocks::{DelayedSyncContext, PendingSyncs, fail_pending_syncs, release_next_pending_syncs},
    reschedule,
};
use commonware_utils::channel::oneshot;
use drystone_engine::{
    Horizon, Judgement, Verdict,
    types::{Digest, Header, Tip},
};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

/// What the store told others.
#[derive(Clone, Default)]
pub(super) struct Told(Arc<Mutex<Vec<String>>>);

impl Outlets<Key> for Told {
    fn want(&mut self, reference: &Reference<Key>) {
        self.0
            .lock()
            .unwrap()
            .push(format!("want {}", reference.place.height));
    }

    fn settle(&mut self, reference: &Reference<Key>) {
        self.0
            .lock()
            .unwrap()
            .push(format!("settle {}", reference.place.height));
    }

    fn sighted(&mut self, reference: &Reference<Key>, ids: Vec<Digest>) {
        let told = format!("sighted {} with {}", reference.place.height, ids.len());
        self.0.lock().unwrap().push(told);
    }

    fn stir(&mut self) {
        self.0.lock().unwrap().push("stir".into());
    }
}

/// The nouns of these tests.
pub(super) struct Nouns;

impl Types for Nouns {
    type PublicKey = Key;
    type Rules = Letters;
    type Strategy = Sequential;
    type Outlets = Told;
}

pub(super) type Opened<E> = Actor<E, Nouns>;

pub(super) async fn opened<E: Machine + Spawner>(
    context: E,
    world: &World,
    executed: Executed<Key>,
) -> Result<(Opened<E>, Mailbox<Key>, Told), Error> {
    let told = Told::default();
    let outlets = told.clone();
    let (actor, mailbox) = open(
        context,
        config(world),
        executed,
        Letters,
        Sequential,
        outlets,
    )
    .await?;
    Ok((actor, mailbox, told))
}

pub(super) async fn start<E: Machine + Spawner>(
    context: E,
    world: &World,
) -> (Mailbox<Key>, Told, Handle<Result<(), Error>>) {
    let (actor, mailbox, told) = opened(context, world, Executed::default())
        .await
        .expect("a disk");
    (mailbox, told, actor.start())
}

pub(super) fn header(
    world: &World,
    who: usize,
    height: u64,
    slot: u64,
    body: &Chunk,
) -> Header<Key> {
    Header {
        sequencer: world.key(who),
        height,
        slot,
        previous: Digest::from([0; 32]),
        payload: body.payload(),
    }
}

pub(super) fn judge(mailbox: &Mailbox<Key>, header: &Header<Key>) -> oneshot::Receiver<Verdict> {
    match mailbox.judge(header) {
        Judgement::Later(verdict) => verdict,
        Judgement::Now(_) => panic!("the store answers later"),
    }
}

pub(super) fn arrive(mailbox: &Mailbox<Key>, header: &Header<Key>, body: &Chunk) {
    mailbox.arrived(Reference::from(header), Ok(body.clone()), true);
}

async fn turns(count: usize) {
    for _ in 0..count {
        reschedule().await;
    }
}

fn delayed(context: &Context) -> (DelayedSyncContext<Context>, PendingSyncs) {
    let pending = PendingSyncs::default();
    let inner = context.child("store");
    let slow = DelayedSyncContext {
        inner,
        pending: pending.clone(),
    };
    (slow, pending)
}

pub(super) fn executed(world: &World, who: usize, height: u64, executed_ms: u64) -> Horizon<Key> {
    let tip = Tip {
        height,
        slot: 0,
        digest: Digest::from([0; 32]),
    };
    Horizon {
        finalized_ms: executed_ms,
        executed_ms,
        executed: [(world.key(who), tip)].into(),
        ..Horizon::default()
    }
}

// D-12
#[test]
fn nothing_is_valid_before_its_sync_and_one_sync_makes_many_valid() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (slow, pending) = delayed(&context);
        let (mailbox, _, _running) = start(slow, &world).await;
        pending.arm();
        let before = pending.starts();
        let bodies: Vec<_> = (1..=8).map(|it| chunk(it, 100)).collect();
        let mut verdicts = Vec::new();
        for (body, height) in bodies.iter().zip(1..) {
            let header = header(&world, 1, height, SLOT + height, body);
            arrive(&mailbox, &header, body);
            verdicts.push(judge(&mailbox, &header));
            turns(3).await;
        }
        turns(50).await;
        for verdict in &mut verdicts {
            assert!(verdict.try_recv().is_err(), "valid before its sync");
        }
        // The first body's sync is under way; the other seven share the next one. A sync is two: index and bodies.
        assert_eq!(pending.starts() - before, 2);
        release_next_pending_syncs(&pending, 2);
        turns(50).await;
        assert_eq!(verdicts.remove(0).await, Ok(Verdict::Valid));
        assert_eq!(pending.starts() - before, 4);
        release_next_pending_syncs(&pending, 2);
        for verdict in verdicts {
            assert_eq!(verdict.await, Ok(Verdict::Valid));
        }
        pending.unblock();
    });
}

// A sync that is due does not wait until the mailbox is empty.
#[test]
fn a_flood_of_questions_does_not_put_off_a_sync() {
    Runner::default().start(|context| async move {
        let world = World::new();
        context.sleep(Duration::from_millis(SLOT)).await;
        let (slow, pending) = delayed(&context);
        let opened = opened(slow, &world, Executed::default()).await;
        let (actor, mut mailbox, _) = opened.expect("a disk");
        pending.arm();
        let mut first = mailbox.persist(chunk(1, 100));
        let asked: Vec<_> = (0..500).map(|_| mailbox.usage()).collect();
        let mut last = mailbox.persist(chunk(2, 100));
        let _running = actor.start();
        for answer in asked {
            assert!(answer.await.is_ok());
        }
        // The first sync covers what came with the first questions: another is needed for the rest.
        release_next_pending_syncs(&pending, 2);
        turns(50).await;
        assert_eq!(first.try_recv(), Ok(()));
        assert!(last.try_recv().is_err());
        release_next_pending_syncs(&pending, 2);
        turns(50).await;
        assert_eq!(last.try_recv(), Ok(()));
        pending.unblock();
    });
}

#[test]
fn a_failed_sync_stops_the_store_and_no_verdict_is_given() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (slow, pending) = delayed(&context);
        let (mut mailbox, _, running) = start(slow, &world).await;
        pending.arm();
        let (body, own) = (chunk(1, 100), chunk(2, 100));
        let header = header(&world, 1, 1, SLOT, &body);
        arrive(&mailbox, &header, &body);
        let verdict = judge(&mailbox, &header);
        let durable = mailbox.persist(own);
        turns(50).await;
        fail_pending_syncs(&pending);
        pending.unblock();
        let error = running
            .await
            .expect("it ended by itself")
            .expect_err("the disk failed");
        assert!(error.to_string().contains("disk failed"), "{error}");
        assert!(verdict.await.is_err());
        assert!(durable.await.is_err());
    });
}

#[test]
fn a_missing_body_is_wanted_until_it_comes_and_an_invalid_one_is_invalid() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (mailbox, told, _running) = start(context.child("store"), &world).await;
        let (body, shout) = (chunk(1, 100), invalid_chunk());
        let good = header(&world, 1, 1, SLOT, &body);
        let bad = header(&world, 1, 2, SLOT + 1, &shout);
        let (valid, invalid) = (judge(&mailbox, &good), judge(&mailbox, &bad));
        turns(10).await;
        assert_eq!(*told.0.lock().unwrap(), ["want 1", "want 2"]);
        arrive(&mailbox, &good, &body);
        arrive(&mailbox, &bad, &shout);
        assert_eq!(valid.await, Ok(Verdict::Valid));
        assert_eq!(invalid.await, Ok(Verdict::Invalid));
        assert_eq!(
            told.0.lock().unwrap()[2..],
            ["settle 1", "settle 2", "sighted 1 with 1"]
        );
    });
}

#[test]
fn own_bodies_are_answered_when_durable_and_refused_beyond_the_quota() {
    Runner::default().start(|context| async move {
        let world = World::new();
        context.sleep(Duration::from_millis(SLOT)).await;
        let (mut mailbox, _, _running) = start(context.child("store"), &world).await;
        let mut durable = Vec::new();
        for salt in 0..9 {
            durable.push(mailbox.persist(chunk(salt, 100)));
            turns(5).await;
        }
        let ninth = durable.pop().expect("nine");
        for it in durable {
            assert!(it.await.is_ok());
        }
        assert!(ninth.await.is_err());
        let body = chunk(0, 100);
        let header = header(&world, ME, 1, SLOT + 30, &body);
        assert_eq!(judge(&mailbox, &header).await, Ok(Verdict::Valid));
        let found = mailbox.get(Reference::from(&header), None).await;
        assert_eq!(found, Ok(Found::Body(body.body().clone())));
    });
}

// K-36
#[test]
fn a_full_mailbox_loses_no_horizon_and_no_acceptance() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (actor, mailbox, _) = opened(context.child("store"), &world, Executed::default())
            .await
            .expect("a disk");
        let body = chunk(1, 100);
        let late = header(&world, 1, 1, SLOT, &body);
        let mut asked = Vec::new();
        for _ in 0..2_000 {
            asked.push(mailbox.get(Reference::from(&late), None));
        }
        for step in 0..100 {
            mailbox.advanced(executed(&world, 1, step, SLOT + 2_000 + step));
            mailbox.certified(world.key(2), step);
        }
        let given = Some(body.body().clone());
        let accepted = mailbox.accept(1, vec![(Reference::from(&late), given)]);
        let _running = actor.start();
        assert_eq!(accepted.await.expect("kept"), Ok(()));
        // The questions beyond the bound were dropped, which says: ask again.
        let answered = asked.into_iter().map(|mut it| it.try_recv().is_ok());
        let answered = answered.filter(|it| *it).count();
        assert!((1_024..1_100).contains(&answered), "{answered} answered");
        assert_eq!(judge(&mailbox, &late).await, Ok(Verdict::Pending));
    });
}
