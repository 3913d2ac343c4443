//! Boot, crash, pause: what happens to a node's tasks.

use super::*;
use commonware_runtime::{
    Blob as _, Error, ReadOptions, Supervisor as _, WriteOptions, reschedule,
};
use futures::FutureExt as _;
use rand_core::TryRng as _;
use std::{
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
};

type Count = Arc<AtomicU64>;

/// Counts up forever, some of it in descendants, and down when it is dropped.
fn busy(host: Host, steps: &Count, alive: &Count, depth: u32) {
    struct Alive(Count);
    impl Drop for Alive {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Relaxed);
        }
    }
    let (steps, alive) = (steps.clone(), alive.clone());
    alive.fetch_add(1, Relaxed);
    let guard = Alive(alive.clone());
    host.spawn(move |host| async move {
        let _guard = guard;
        if depth > 0 {
            busy(host.child("a"), &steps, &alive, depth - 1);
            busy(host.child("b"), &steps, &alive, depth - 1);
        }
        loop {
            steps.fetch_add(1, Relaxed);
            host.sleep(us(7)).await;
            reschedule().await;
        }
    });
}

#[test]
fn a_crash_stops_every_task_in_that_instant_and_returns_when_they_are_gone() {
    for seed in 0..20 {
        run(seed, |context| async move {
            let machine = Machine::new(&context, 0, Config::default());
            let (steps, alive) = (Count::default(), Count::default());
            busy(machine.boot(), &steps, &alive, 4);
            context.sleep(us(300 + 13 * seed)).await;
            assert_eq!(alive.load(Relaxed), 31);
            let before = steps.load(Relaxed);
            assert!(before > 31);
            machine.crash(Crash::Lost).await;
            assert_eq!(alive.load(Relaxed), 0, "every task is dropped");
            assert_eq!(steps.load(Relaxed), before, "none took another step");
            busy(machine.boot(), &steps, &alive, 0);
            context.sleep(us(100)).await;
            assert!(steps.load(Relaxed) > before, "the next incarnation runs");
        });
    }
}

#[test]
fn a_handle_of_a_dead_incarnation_gets_errors_and_changes_nothing() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let old = machine.boot();
        let (blob, _) = old.open("p", b"b").await.expect("open");
        blob.write_at(0, b"old", WriteOptions::SYNC)
            .await
            .expect("write");
        machine.crash(Crash::Lost).await;
        let host = machine.boot();
        let (new, len) = host
            .open("p", b"b")
            .await
            .expect("the old handle holds nothing");
        assert_eq!(len, 3);

        let options = WriteOptions::SYNC;
        assert!(matches!(
            blob.write_at(0, b"bad", options).await,
            Err(Error::Closed)
        ));
        assert!(matches!(blob.resize(0).await, Err(Error::Closed)));
        assert!(matches!(blob.sync().await, Err(Error::Closed)));
        assert!(matches!(blob.start_sync().await.await, Err(Error::Closed)));
        assert!(matches!(
            blob.read_at(0, 1, ReadOptions::default()).await,
            Err(Error::Closed)
        ));
        assert!(matches!(old.open("p", b"c").await, Err(Error::Closed)));
        assert!(matches!(old.remove("p", None).await, Err(Error::Closed)));
        assert!(matches!(old.scan("p").await, Err(Error::Closed)));
        assert!(
            old.spawn(|_| async {}).await.is_err(),
            "the dead start no tasks"
        );
        drop(blob);
        assert!(
            host.open("p", b"b").await.is_err(),
            "the new handle is still the only one"
        );
        let read = new
            .read_at(0, 3, ReadOptions::default())
            .await
            .expect("read");
        assert_eq!(read.coalesce(), b"old");
        assert_eq!(host.scan("p").await.expect("scan").len(), 1);
    });
}

#[test]
fn a_crash_leaves_other_machines_alone() {
    run(0, |context| async move {
        let [a, b] = [0, 1].map(|index| Machine::new(&context, index, Config::default()));
        let (steps, alive) = (Count::default(), Count::default());
        let host = b.boot();
        let (blob, _) = host.open("p", b"b").await.expect("open");
        blob.write_at(0, b"unsynced", WriteOptions::DONT_CACHE)
            .await
            .expect("write");
        busy(host.child("busy"), &steps, &alive, 2);
        a.boot().open("p", b"b").await.expect("open");
        a.crash(Crash::Lost).await;
        a.wipe();
        let before = steps.load(Relaxed);
        context.sleep(us(100)).await;
        assert!(steps.load(Relaxed) > before);
        assert_eq!(alive.load(Relaxed), 7);
        let read = blob
            .read_at(0, 8, ReadOptions::default())
            .await
            .expect("read");
        assert_eq!(read.coalesce(), b"unsynced");
        assert_eq!((a.incarnation(), b.incarnation()), (1, 0));
        assert!(a.boot().scan("p").await.is_err(), "a wiped disk is empty");
    });
}

#[test]
fn a_machine_crashes_while_it_boots_and_again_while_it_is_off() {
    let disk = DiskConfig {
        read_us: 30,
        write_us: 5,
        sync_us: 100,
        ..DiskConfig::default()
    };
    for seed in 0..40 {
        run(seed, |context| async move {
            let config = Config {
                disk: DiskConfig { seed, ..disk },
                ..Config::default()
            };
            let machine = Machine::new(&context, 0, config);
            for crash in 0..8 {
                machine.boot().spawn(|host| async move {
                    for name in 0..4u8 {
                        let (blob, len) = host.open("p", &[name]).await.expect("open");
                        assert!(
                            matches!(len, 0 | 4),
                            "a synchronous write of four bytes: {len}"
                        );
                        blob.write_at(0, b"four", WriteOptions::SYNC)
                            .await
                            .expect("write");
                    }
                });
                context.sleep(us((seed * 31 + crash * 57) % 400)).await;
                machine.crash(Crash::Lost).await;
                machine.crash(Crash::Lost).await;
            }
            assert_eq!(
                machine.incarnation(),
                8,
                "a machine that is off cannot lose power"
            );
        });
    }
}

#[test]
fn two_crashes_at_once_both_wait_for_the_last_task() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let (steps, alive) = (Count::default(), Count::default());
        busy(machine.boot(), &steps, &alive, 3);
        context.sleep(us(200)).await;
        let mut first = pin!(machine.crash(Crash::Lost));
        assert!((&mut first).now_or_never().is_none());
        machine.crash(Crash::Lost).await;
        assert_eq!(alive.load(Relaxed), 0);
        first.await;
        machine.boot();
    });
}

#[test]
fn a_pause_holds_every_task_and_makes_timers_late() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let (steps, alive) = (Count::default(), Count::default());
        let host = machine.boot();
        busy(host.child("busy"), &steps, &alive, 2);
        let fired = host.child("timer").spawn(|host| async move {
            host.sleep(ms(5)).await;
            host.current()
        });
        context.sleep(ms(1)).await;
        machine.pause();
        let (before, due) = (steps.load(Relaxed), context.current() + ms(4));
        context.sleep(ms(50)).await;
        assert_eq!(steps.load(Relaxed), before, "nothing runs in a pause");
        machine.resume();
        let resumed = context.current();
        let fired = fired.await.expect("the timer fires");
        assert!(
            fired >= resumed && fired < resumed + ms(1),
            "late, and at once after the resume"
        );
        assert!(fired > due + ms(40));
        context.sleep(us(100)).await;
        assert!(steps.load(Relaxed) > before + 7, "every task runs again");
    });
}

#[test]
fn a_pause_right_after_a_resume_loses_no_wake_up() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let fired = machine
            .boot()
            .spawn(|host| async move { host.sleep(ms(1)).await });
        context.sleep(us(500)).await;
        for _ in 0..3 {
            machine.pause();
            context.sleep(ms(2)).await;
            machine.resume();
        }
        fired.await.expect("the timer fires");
    });
}

#[test]
fn a_paused_machine_crashes_and_boots_like_any_other() {
    run(0, |context| async move {
        let machine = Machine::new(&context, 0, Config::default());
        let (steps, alive) = (Count::default(), Count::default());
        busy(machine.boot(), &steps, &alive, 2);
        machine.pause();
        context.sleep(ms(1)).await;
        machine.crash(Crash::Lost).await;
        assert_eq!((steps.load(Relaxed), alive.load(Relaxed)), (0, 0));
        assert!(!machine.is_paused(), "power on ends a pause");
        machine.pause();
        let ran = machine.boot().spawn(|_| async {});
        context.sleep(ms(1)).await;
        let mut ran = pin!(ran);
        assert!((&mut ran).now_or_never().is_none(), "booted into a pause");
        machine.resume();
        ran.await.expect("it runs");
    });
}

#[test]
fn a_node_stops_alone() {
    run(0, |context| async move {
        let machines = [0, 1].map(|index| Machine::new(&context, index, Config::default()));
        let [a, b] = machines.each_ref().map(Machine::boot);
        let (stopped, runs) = (a.stopped(), b.stopped());
        let waiter = a.child("waiter").spawn(|_| stopped);
        a.stop(3, Some(ms(10)))
            .await
            .expect("the signal is dropped in time");
        assert_eq!(waiter.await.expect("alive").expect("signalled"), 3);
        assert!(runs.now_or_never().is_none());
        let kept = b.stopped();
        assert!(matches!(b.stop(0, Some(ms(1))).await, Err(Error::Timeout)));
        drop(kept);
    });
}

#[test]
fn randomness_is_a_function_of_seed_node_and_incarnation() {
    let draw = |schedule, seed, index, crashes| {
        run(schedule, |context| async move {
            let machine = Machine::new(
                &context,
                index,
                Config {
                    seed,
                    ..Config::default()
                },
            );
            for _ in 0..crashes {
                machine.boot();
                machine.crash(Crash::Lost).await;
            }
            let mut host = machine.boot().child("any");
            let Ok(drawn) = host.try_next_u64();
            drawn
        })
    };
    assert_eq!(draw(1, 7, 0, 2), draw(2, 7, 0, 2), "whatever the schedule");
    let distinct = [(7, 0, 0), (7, 0, 1), (7, 0, 2), (7, 1, 0), (8, 0, 0)];
    let drawn: std::collections::BTreeSet<u64> = distinct
        .into_iter()
        .map(|(seed, index, crashes)| draw(1, seed, index, crashes))
        .collect();
    assert_eq!(drawn.len(), distinct.len());
}
