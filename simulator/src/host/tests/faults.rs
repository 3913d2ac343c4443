//! Disks that are slow, full or broken.

use super::*;
use commonware_runtime::{Blob as _, Error, Handle, ReadOptions, WriteOptions};
use futures::future::{FutureExt as _, join_all};
use std::collections::BTreeSet;

const PLAIN: WriteOptions = WriteOptions::SYNC.without(WriteOptions::SYNC);

fn config(disk: DiskConfig) -> Config {
    Config {
        disk,
        ..Config::default()
    }
}

fn elapsed(context: &Crew, since: SystemTime) -> Duration {
    context
        .current()
        .duration_since(since)
        .expect("time passes")
}

#[test]
fn without_latency_no_operation_suspends() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let host = machine.boot();
        let (blob, _) = host
            .open("p", b"b")
            .now_or_never()
            .expect("at once")
            .expect("open");
        blob.write_at(0, b"ab", PLAIN)
            .now_or_never()
            .expect("at once")
            .expect("write");
        blob.resize(9)
            .now_or_never()
            .expect("at once")
            .expect("resize");
        blob.sync().now_or_never().expect("at once").expect("sync");
        let synced = blob.start_sync().now_or_never().expect("at once");
        synced.now_or_never().expect("at once").expect("sync");
        let options = ReadOptions::default();
        blob.read_at(0, 9, options)
            .now_or_never()
            .expect("at once")
            .expect("read");
        host.scan("p")
            .now_or_never()
            .expect("at once")
            .expect("scan");
        host.remove("p", None)
            .now_or_never()
            .expect("at once")
            .expect("remove");
        let expected = Counters {
            opens: 3,
            reads: 1,
            bytes_read: 9,
            writes: 2,
            bytes_written: 2,
            syncs: 2,
            errors: 0,
        };
        assert_eq!(machine.counters(), expected);
        assert_eq!(machine.syncs(), [("p".into(), 2)].into());
    });
}

#[test]
fn syncs_of_one_machine_queue_and_those_of_two_do_not() {
    run(0, |context| async move {
        let disk = DiskConfig {
            sync_us: 1000,
            ..DiskConfig::default()
        };
        let machines = [0, 1].map(|index| Machine::new(&context, index, config(disk)));
        let mut blobs = Vec::new();
        for machine in &machines {
            let host = machine.boot();
            for name in [b"a", b"b"] {
                blobs.push(host.open("p", name).await.expect("open").0);
            }
        }
        let start = context.current();
        let mut syncs: Vec<Handle<()>> = Vec::new();
        for blob in &blobs {
            blob.write_at(0, b"x", PLAIN).await.expect("write");
            syncs.push(blob.start_sync().await);
        }
        assert_eq!(
            elapsed(&context, start),
            Duration::ZERO,
            "a sync is started without waiting"
        );
        let ends = join_all(syncs.into_iter().map(|sync| async {
            sync.await.expect("sync");
            elapsed(&context, start)
        }))
        .await;
        for (end, expected) in ends.into_iter().zip([1000, 2000, 1000, 2000].map(us)) {
            assert!(
                end >= expected && end < expected + us(20),
                "{end:?} for {expected:?}"
            );
        }
    });
}

#[test]
fn reads_and_writes_take_their_time_and_queue_too() {
    run(0, |context| async move {
        let disk = DiskConfig {
            read_us: 300,
            write_us: 200,
            ..DiskConfig::default()
        };
        let machine = Machine::new(&context, 0, config(disk));
        let (blob, _) = machine.boot().open("p", b"b").await.expect("open");
        let start = context.current();
        blob.write_at(0, b"ab", PLAIN).await.expect("write");
        assert!(elapsed(&context, start) >= us(200));
        let read = || blob.read_at(0, 2, ReadOptions::default());
        let (first, second) = futures::join!(read(), read());
        assert_eq!(first.expect("read").coalesce(), b"ab");
        second.expect("read");
        let taken = elapsed(&context, start);
        assert!(taken >= us(800) && taken < us(840), "{taken:?}");
    });
}

#[test]
fn a_sync_goes_on_without_its_handle() {
    run(0, |context| async move {
        let disk = DiskConfig {
            sync_us: 1000,
            ..DiskConfig::default()
        };
        let machine = Machine::new(&context, 0, config(disk));
        let host = machine.boot();
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"synced", PLAIN).await.expect("write");
        drop(blob.start_sync().await);
        blob.write_at(0, b"-late-", PLAIN).await.expect("write");
        drop(blob);
        let (blob, len) = host
            .open("p", b"b")
            .await
            .expect("an open waits for the sync before it");
        let read = blob
            .read_at(0, len as usize, ReadOptions::default())
            .await
            .expect("read");
        assert_eq!(read.coalesce(), b"synced");
        blob.write_at(0, b"second", PLAIN).await.expect("write");
        drop(blob.start_sync().await);
        context.sleep(us(1100)).await;
        machine.crash(Crash::Lost).await;
        let (blob, len) = machine.boot().open("p", b"b").await.expect("open");
        let read = blob
            .read_at(0, len as usize, ReadOptions::default())
            .await
            .expect("read");
        assert_eq!(read.coalesce(), b"second");
    });
}

#[test]
fn a_sync_that_a_crash_overtakes_is_not_reported_done() {
    run(0, |context| async move {
        let disk = DiskConfig {
            sync_us: 1000,
            ..DiskConfig::default()
        };
        let machine = Machine::new(&context, 0, config(disk));
        let (blob, _) = machine.boot().open("p", b"b").await.expect("open");
        let handle = blob.start_sync().await;
        machine.crash(Crash::Lost).await;
        assert!(matches!(handle.await, Err(Error::Closed)));
    });
}

/// The positions at which 400 operations of each kind fail on a disk with these faults.
fn failures(seed: u64, schedule: u64, index: usize, faults: DiskFaults) -> [Vec<usize>; 4] {
    run(schedule, |context| async move {
        let disk = DiskConfig {
            seed,
            ..DiskConfig::default()
        };
        let machine = Machine::new(&context, index, config(disk));
        let host = machine.boot();
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"ab", WriteOptions::SYNC)
            .await
            .expect("write");
        machine.set_disk(faults);
        let mut failed: [Vec<usize>; 4] = Default::default();
        for number in 0..400 {
            let results = [
                host.scan("p")
                    .await
                    .err()
                    .map(|error| matches!(error, Error::BlobOpenFailed(..))),
                blob.read_at(0, 2, ReadOptions::default())
                    .await
                    .err()
                    .map(|error| matches!(error, Error::ReadFailed)),
                blob.write_at(0, b"ab", PLAIN)
                    .await
                    .err()
                    .map(|error| matches!(error, Error::WriteFailed)),
                blob.sync()
                    .await
                    .err()
                    .map(|error| matches!(error, Error::BlobSyncFailed(..))),
            ];
            for (failed, result) in failed.iter_mut().zip(results) {
                assert_ne!(result, Some(false), "the error fits the operation");
                failed.extend(result.map(|_| number));
            }
        }
        let total: usize = failed.iter().map(Vec::len).sum();
        assert_eq!(machine.counters().errors, total as u64);
        failed
    })
}

#[test]
fn errors_are_a_function_of_seed_node_and_number_of_the_operation() {
    let rate = Rate::always(100_000);
    let all = DiskFaults {
        open: rate,
        read: rate,
        write: rate,
        sync: rate,
        ..DiskFaults::default()
    };
    let failed = failures(1, 1, 0, all);
    assert_eq!(failed, failures(1, 2, 0, all), "whatever the schedule");
    for (kind, failed) in failed.iter().enumerate() {
        assert!(
            (20..=60).contains(&failed.len()),
            "about a tenth of kind {kind}: {}",
            failed.len()
        );
    }
    for (index, other) in failures(1, 1, 1, all).iter().enumerate() {
        assert_ne!(*other, failed[index], "another node fails elsewhere");
    }
    for (index, other) in failures(2, 1, 0, all).iter().enumerate() {
        assert_ne!(*other, failed[index], "another seed fails elsewhere");
    }
    let reads = failures(
        1,
        1,
        0,
        DiskFaults {
            read: rate,
            ..DiskFaults::default()
        },
    );
    assert_eq!(
        reads[1], failed[1],
        "removing the other faults moves none of these"
    );
    assert!(reads[0].is_empty() && reads[2].is_empty() && reads[3].is_empty());
}

#[test]
fn a_window_of_errors_ends_by_itself_and_healing_ends_the_rest() {
    run(0, |context| async move {
        let faults = DiskFaults {
            read: Rate::window(1_000_000, 5000),
            sync: Rate::always(1_000_000),
            ..DiskFaults::default()
        };
        let machine = Machine::new(&context, 0, Config::default());
        let (blob, _) = machine.boot().open("p", b"b").await.expect("open");
        let read = || blob.read_at(0, 0, ReadOptions::default());
        machine.set_disk(faults);
        context.sleep(us(4900)).await;
        assert!(read().await.is_err());
        context.sleep(us(200)).await;
        assert!(read().await.is_ok() && blob.sync().await.is_err());
        machine.heal();
        assert!(read().await.is_ok() && blob.sync().await.is_ok());
        assert_eq!(machine.counters().errors, 2);
    });
}

#[test]
fn a_slow_disk_delays_every_operation_until_it_is_healed() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let (blob, _) = machine.boot().open("p", b"b").await.expect("open");
        machine.set_disk(DiskFaults {
            delay_us: 700,
            ..DiskFaults::default()
        });
        let start = context.current();
        blob.write_at(0, b"ab", WriteOptions::SYNC)
            .await
            .expect("write");
        let taken = elapsed(&context, start);
        assert!(
            taken >= us(700) && taken < us(720),
            "one operation, one delay: {taken:?}"
        );
        blob.read_at(0, 2, ReadOptions::default())
            .await
            .expect("read");
        blob.sync().await.expect("sync");
        assert!(elapsed(&context, start) >= us(2100));
        machine.heal();
        blob.sync().now_or_never().expect("at once").expect("sync");
    });
}

#[test]
fn a_full_disk_refuses_to_grow_and_nothing_else() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let host = machine.boot();
        let (a, _) = host.open("p", b"a").await.expect("open");
        let (b, _) = host.open("p", b"b").await.expect("open");
        a.write_at(0, b"12345678", PLAIN).await.expect("write");
        machine.set_disk(DiskFaults {
            capacity_bytes: Some(10),
            ..DiskFaults::default()
        });
        let full = |result: Result<(), Error>| matches!(result, Err(Error::Io(error)) if error.kind() == std::io::ErrorKind::StorageFull);
        assert!(full(b.write_at(0, b"123", PLAIN).await));
        assert!(full(b.resize(3).await));
        b.write_at(0, b"12", PLAIN)
            .await
            .expect("what fits is taken");
        a.write_at(0, b"abcdefgh", PLAIN)
            .await
            .expect("an overwrite does not grow");
        a.resize(7).await.expect("shrinking helps");
        b.write_at(2, b"3", WriteOptions::SYNC)
            .await
            .expect("write");
        assert_eq!(machine.counters().errors, 2);
    });
}

#[test]
fn a_failed_write_leaves_at_most_a_first_part_of_itself() {
    let part = |seed| {
        run(0, |context| async move {
            let disk = DiskConfig {
                seed,
                ..DiskConfig::default()
            };
            let machine = Machine::new(&context, 0, config(disk));
            let (blob, _) = machine.boot().open("p", b"b").await.expect("open");
            blob.write_at(0, b"aaaa", WriteOptions::SYNC)
                .await
                .expect("write");
            let write = Rate::always(1_000_000);
            machine.set_disk(DiskFaults {
                write,
                ..DiskFaults::default()
            });
            assert!(blob.write_at(0, b"bbbb", WriteOptions::SYNC).await.is_err());
            assert!(blob.resize(0).await.is_err());
            let read = blob
                .read_at(0, 4, ReadOptions::default())
                .await
                .expect("read");
            read.coalesce().as_ref().to_vec()
        })
    };
    let parts: BTreeSet<Vec<u8>> = (0..100).map(part).collect();
    let expected = [b"aaaa", b"baaa", b"bbaa", b"bbba", b"bbbb"].map(|part| part.to_vec());
    assert_eq!(parts, expected.into());
}
