//! Bodies on a simulated disk, from the lock to the limits.

use super::{
    SLOT,
    actor::{arrive, executed, header, judge, opened, start},
};
use crate::{
    chunk::Chunk,
    chunk_store::{Absence, Amount, Executed, Found},
    reference::Reference,
    testing::{World, chunk},
};
use commonware_runtime::{Runner as _, Supervisor as _, deterministic::Runner, reschedule};
use drystone_engine::Verdict;

// D-16, D-18, D-22, R-04
#[test]
fn a_body_is_found_from_its_lock_to_the_retention_limit_across_restarts() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (mailbox, _, running) = start(context.child("store"), &world).await;
        let (one, two) = (chunk(1, 100), chunk(2, 100));
        let first = header(&world, 1, 1, SLOT, &one);
        let second = header(&world, 2, 1, SLOT, &two);
        arrive(&mailbox, &first, &one);
        assert_eq!(judge(&mailbox, &first).await, Ok(Verdict::Valid));
        let (first, second) = (Reference::from(&first), Reference::from(&second));
        let found = |body: &Chunk| Ok(Found::Body(body.body().clone()));
        let absent = |absence| Ok(Found::Absent(absence));
        assert_eq!(mailbox.get(first.clone(), None).await, found(&one));
        assert_eq!(
            mailbox.get(second.clone(), None).await,
            absent(Absence::Unknown)
        );

        // A block holds both; the second was never here.
        let both = vec![(first.clone(), None), (second.clone(), None)];
        let refused = mailbox.accept(1, both).await.expect("answered");
        assert_eq!(
            refused.expect_err("one is missing").unknown,
            std::slice::from_ref(&second)
        );
        // It was fetched: bodies of finalized blocks need no quota.
        let given = Some(two.body().clone());
        let both = vec![(first.clone(), None), (second.clone(), given)];
        assert_eq!(mailbox.accept(1, both).await.expect("answered"), Ok(()));
        running.abort();
        let _ = running.await;

        // The state's commit was lost: the block is executed again, and until then its chunks count.
        let mut restarted = None;
        while restarted.is_none() {
            reschedule().await;
            restarted = opened(context.child("store"), &world, Executed::default())
                .await
                .ok();
        }
        let (actor, mailbox, _) = restarted.expect("just opened");
        assert!(actor.state().is_held(&first));
        let _running = actor.start();
        let again = vec![(first.clone(), None), (second.clone(), None)];
        assert_eq!(mailbox.accept(1, again).await.expect("answered"), Ok(()));
        let usage = mailbox.usage().await.expect("answered");
        assert_eq!(usage.held, Amount::default());
        // Long after both expired they are found under their block.
        mailbox.advanced(executed(&world, 1, 1, SLOT + 5_000));
        for (reference, body) in [(&first, &one), (&second, &two)] {
            assert_eq!(mailbox.get(reference.clone(), Some(1)).await, found(body));
        }
        // Until the retention limit: four blocks, in sections of two.
        for height in 2..=6 {
            let accepted = mailbox.accept(height, Vec::new()).await;
            assert_eq!(accepted.expect("answered"), Ok(()));
        }
        let gone = mailbox.get(first.clone(), Some(1)).await;
        assert_eq!(gone, absent(Absence::Pruned));
        assert_eq!(mailbox.get(first, None).await, absent(Absence::Expired));
    });
}

// D-13, D-17
#[test]
fn a_section_is_removed_from_the_disk_when_all_in_it_expired_and_no_sooner() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (mailbox, _, _running) = start(context.child("store"), &world).await;
        // Their expiries are the last of a bucket and the first of the next.
        let mut chunks = Vec::new();
        for (height, slot) in [(1, SLOT + 98), (2, SLOT + 99)] {
            let body = chunk(height, 100);
            let header = header(&world, 1, height, slot, &body);
            arrive(&mailbox, &header, &body);
            assert_eq!(judge(&mailbox, &header).await, Ok(Verdict::Valid));
            chunks.push((Reference::from(&header), body));
        }
        let last_ms = world.genesis.expiry_ms(SLOT + 98).expect("a time");
        let mut found = Vec::new();
        for executed_ms in [last_ms, last_ms + 1, last_ms + 2] {
            mailbox.advanced(executed(&world, 2, 0, executed_ms));
            for (reference, body) in &chunks {
                let answer = mailbox.get(reference.clone(), None).await;
                let here = answer == Ok(Found::Body(body.body().clone()));
                assert!(here || answer == Ok(Found::Absent(Absence::Expired)));
                found.push(here);
            }
        }
        assert_eq!(found, [true, true, false, true, false, false]);
    });
}
