//! Which bodies are still in memory when somebody wants them, and which are read from the disk.

use super::{
    ME, SLOT,
    actor::{Nouns, Told, arrive, executed, header, judge, start},
    config,
};
use crate::{
    Bodies as _,
    chunk::Chunk,
    chunk_store::{Absence, Config, Disk, Executed, Found, Mailbox, Stored, open},
    reference::Reference,
    testing::{Key, Letters, World, chunk},
    transaction::Rules as _,
};
use commonware_parallel::Sequential;
use commonware_runtime::{
    Blob as _, Clock as _, ReadOptions, Runner as _, Storage as _, Supervisor as _, WriteOptions,
    deterministic::{Context, Runner},
};
use drystone_engine::{Verdict, types::Header};
use std::time::Duration;

async fn gathered(mailbox: &Mailbox<Key>, header: &Header<Key>) -> Stored {
    let found = mailbox.gather(Reference::from(header), 1).await;
    let Ok(Found::Body(stored)) = found else {
        panic!("height {}: {found:?}", header.height)
    };
    stored
}

fn read(chunk: &Chunk) -> Chunk {
    let facts = chunk.transactions().iter().map(|it| Letters.decode(it));
    chunk
        .clone()
        .with_facts(facts.collect::<Result<_, _>>().expect("letters"))
}

// D-19, D-22
#[test]
fn a_block_gets_its_newest_chunks_as_they_were_read_and_older_ones_from_the_disk() {
    Runner::default().start(|context| async move {
        let world = World::new();
        context.sleep(Duration::from_millis(SLOT)).await;
        let (mut mailbox, _, _running) = start(context.child("store"), &world).await;
        let mut chunks = Vec::new();
        for height in 1..=4 {
            let body = chunk(height, 900);
            let header = header(&world, 1, height, SLOT + height, &body);
            arrive(&mailbox, &header, &body);
            assert_eq!(judge(&mailbox, &header).await, Ok(Verdict::Valid));
            chunks.push((header, body));
        }
        let own = read(&chunk(9, 900));
        assert!(mailbox.persist(own.clone()).await.is_ok());
        let named = header(&world, ME, 1, SLOT + 30, &own);
        assert_eq!(judge(&mailbox, &named).await, Ok(Verdict::Valid));

        // There is room for one of each producer.
        for (header, body) in &chunks[..3] {
            let stored = gathered(&mailbox, header).await;
            assert_eq!(stored, Stored::Body(body.body().clone()));
        }
        for (header, body) in [&chunks[3], &(named, own)] {
            let Stored::Chunk(found) = gathered(&mailbox, header).await else {
                panic!("it is in memory")
            };
            assert_eq!(&found, body);
            assert_eq!(found.facts(), read(body).facts());
        }

        // Once a block has executed it, it lies on the disk alone.
        let (last, body) = &chunks[3];
        let given = vec![(Reference::from(last), Some(body.body().clone()))];
        assert_eq!(mailbox.accept(1, given).await.expect("answered"), Ok(()));
        let stored = gathered(&mailbox, last).await;
        assert_eq!(stored, Stored::Body(body.body().clone()));
    });
}

/// Turns the first bytes of the bodies in an archive.
async fn rot(context: &Context, partition: &str) {
    for name in context.scan(partition).await.expect("a partition") {
        let (blob, _) = context.open(partition, &name).await.expect("a blob");
        let bytes = blob.read_at(0, 100, ReadOptions::default()).await;
        let bytes = bytes.expect("readable").coalesce();
        let turned: Vec<u8> = bytes.as_ref().iter().map(|it| !it).collect();
        let written = blob.write_at(0, turned, WriteOptions::SYNC).await;
        written.expect("written");
    }
}

// D-12
#[test]
fn a_body_that_rots_on_the_disk_is_noticed_when_it_is_read_there() {
    Runner::default().start(|context| async move {
        let world = World::new();
        let (mailbox, _, running) = start(context.child("store"), &world).await;
        let (body, other) = (chunk(1, 900), chunk(2, 900));
        let header = header(&world, 1, 1, SLOT + 1, &body);
        arrive(&mailbox, &header, &body);
        assert_eq!(judge(&mailbox, &header).await, Ok(Verdict::Valid));
        let both = [
            (Reference::from(&header), &body),
            (world.reference(2, 1, SLOT + 1, &other), &other),
        ];
        let given = both.map(|(reference, it)| (reference, Some(it.body().clone())));
        let accepted = mailbox.accept(1, given.into()).await;
        assert_eq!(accepted.expect("answered"), Ok(()));
        let later_ms = SLOT + 5_000;
        mailbox.advanced(executed(&world, 1, 1, later_ms));
        let stored = gathered(&mailbox, &header).await;
        assert_eq!(stored, Stored::Body(body.body().clone()));
        running.abort();
        let _ = running.await;
        context.sleep(Duration::from_millis(10)).await;

        rot(&context, "chunks-accepted-bodies").await;
        let sound = config(&world);
        let trusting = Config {
            disk: Disk {
                read_at_start: false,
                ..sound.disk.clone()
            },
            ..sound
        };
        let before = Executed {
            height: 1,
            time_ms: later_ms,
            lanes: [(world.key(1), 1)].into(),
        };
        let told = Told::default();
        let store = context.child("again");
        let opened = open::<_, Nouns>(store, trusting, before, Letters, Sequential, told);
        let (actor, mailbox) = opened.await.expect("nothing was read");
        let _running = actor.start();
        // It is missed, and fetched from the others again: no body is given for it.
        let reference = Reference::from(&header);
        let lacking = mailbox.lacking(1, vec![reference.clone()]).await;
        assert_eq!(lacking, Ok(vec![reference.clone()]));
        let found = mailbox.gather(reference, 1).await;
        assert_eq!(found, Ok(Found::Absent(Absence::Expired)));
    });
}
