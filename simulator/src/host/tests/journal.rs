//! The kind of write-ahead log an engine keeps, on a machine that crashes.

use super::*;
use commonware_runtime::{ReadOptions, Supervisor as _, buffer::paged::CacheRef, reschedule};
use commonware_storage::journal::{
    Error,
    segmented::variable::{Config as JournalConfig, Journal},
};
use commonware_utils::{NZU16, NZUsize, sync::Mutex};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

const SECTION: u64 = 1;

/// What the node told the outside, and what it only tried.
#[derive(Default)]
struct Progress {
    recovered: AtomicU64,
    appended: AtomicU64,
    synced: AtomicU64,
}

/// Opens the log and reads it from the start. The buffer is small, so that many bytes reach the disk unsynced.
async fn recover(host: &Host) -> Result<(Journal<Host, u64>, Vec<u64>), Error> {
    let config = JournalConfig {
        partition: "log".into(),
        compression: None,
        codec_config: (),
        page_cache: CacheRef::new(NZU16!(256), NZUsize!(16)),
        write_buffer: NZUsize!(512),
    };
    let log = Journal::init(host.child("log"), config).await?;
    let mut replay = log
        .replay(0, 0, NZUsize!(1024), ReadOptions::default())
        .await?;
    let mut items = Vec::new();
    while let Some(item) = replay.next().await {
        let (_, _, _, item) = item?;
        items.push(item);
    }
    Ok((replay.finish()?, items))
}

/// A node: recovers, checks what it finds against what it once promised, and appends for ever.
async fn node(host: Host, progress: Arc<Progress>) {
    let (mut log, items) = recover(&host)
        .await
        .expect("a crash leaves a log that can be repaired");
    let found = items.len() as u64;
    assert!(
        items.into_iter().eq(0..found),
        "the log is a prefix of what was appended"
    );
    assert!(
        found >= progress.synced.load(Relaxed),
        "what was synced is there"
    );
    assert!(
        found <= progress.appended.load(Relaxed),
        "nothing else is there"
    );
    progress.recovered.store(found, Relaxed);
    let mut next = found;
    for batch in 1.. {
        for _ in 0..batch * 13 % 90 {
            progress.appended.store(next + 1, Relaxed);
            (log, _, _) = log.append(SECTION, &next).await.expect("append");
            next += 1;
        }
        reschedule().await;
        log = log.sync(SECTION).await.expect("sync");
        progress.synced.store(next, Relaxed);
        host.sleep(us(40)).await;
    }
}

/// Crashes a node six times and says how many items it found at the end that it had never promised.
fn crash_often(seed: u64, sync_us: u64, crash: Crash) -> u64 {
    run(seed, |context| async move {
        let disk = DiskConfig {
            seed,
            sync_us,
            ..DiskConfig::default()
        };
        let machine = Machine::new(
            &context,
            0,
            Config {
                disk,
                ..Config::default()
            },
        );
        let progress = Arc::new(Progress::default());
        let mut unpromised = 0;
        for round in 0..6 {
            let tracked = progress.clone();
            machine.boot().spawn(|host| node(host, tracked));
            context
                .sleep(us(900 + (seed * 17 + round * 71) % 300))
                .await;
            machine.crash(crash).await;
            let promised = progress.synced.load(Relaxed);
            let (log, items) = recover(&machine.boot()).await.expect("recovery");
            unpromised += items.len() as u64 - promised;
            drop(log);
            machine.crash(Crash::Lost).await;
            progress.synced.store(items.len() as u64, Relaxed);
        }
        assert!(
            progress.recovered.load(Relaxed) > 300,
            "the log grows across crashes"
        );
        unpromised
    })
}

#[test]
fn a_log_survives_the_loss_of_all_that_was_not_synced() {
    for seed in 0..30 {
        assert_eq!(
            crash_often(seed, 0, Crash::Lost),
            0,
            "nothing more than what was promised"
        );
        crash_often(seed, 150, Crash::Lost);
    }
}

#[test]
fn a_log_survives_torn_crashes_and_finds_more_than_it_promised_in_some() {
    for mode in [Tear::Prefix, Tear::Subset] {
        for sync_us in [0, 150] {
            let unpromised: u64 = (0..30)
                .map(|seed| crash_often(seed, sync_us, Crash::Torn { mode }))
                .sum();
            assert!(unpromised > 0, "{mode:?} tears nothing at {sync_us} us");
        }
    }
}

#[test]
fn the_same_seed_runs_the_same_way_twice() {
    let story = |seed| {
        run(seed, |context| async move {
            let disk = DiskConfig {
                seed,
                read_us: 3,
                write_us: 2,
                sync_us: 90,
                faults: DiskFaults {
                    sync: Rate::always(200_000),
                    ..DiskFaults::default()
                },
            };
            let mut lines = Vec::new();
            let machine = Machine::new(
                &context,
                0,
                Config {
                    disk,
                    seed,
                    ..Config::default()
                },
            );
            let mode = [Tear::Prefix, Tear::Subset][seed as usize % 2];
            let order = Arc::new(Mutex::new(Vec::new()));
            for round in 0..12 {
                let host = machine.boot();
                for racer in 0..3 {
                    let order = order.clone();
                    host.child("racer").spawn(move |host| async move {
                        loop {
                            host.sleep(us(20)).await;
                            order.lock().push((racer, host.current()));
                        }
                    });
                }
                let task = host.spawn(|host| async move {
                    let (mut log, items) =
                        recover(&host).await.map_err(|error| error.to_string())?;
                    for item in items.len() as u64.. {
                        (log, _, _) = log
                            .append(SECTION, &item)
                            .await
                            .map_err(|error| error.to_string())?;
                        if item % 7 == 0 {
                            log = log.sync(SECTION).await.map_err(|error| error.to_string())?;
                        }
                    }
                    Ok::<usize, String>(items.len())
                });
                context.sleep(us(500 + round * 37)).await;
                machine.crash(Crash::Torn { mode }).await;
                lines.push(format!(
                    "{:?} {:?} {:?}",
                    context.current(),
                    task.await,
                    machine.counters()
                ));
            }
            lines.push(format!("{:?}", order.lock()));
            lines
        })
    };
    for seed in 0..10 {
        assert_eq!(story(seed), story(seed));
    }
    assert_ne!(story(0), story(2));
}
