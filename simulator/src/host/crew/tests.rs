//! The crew beside the runtime whose loop it replaces, and what it does on its own.

use super::*;
use crate::host::{Config, Machine};
use commonware_runtime::{Spawner, deterministic::Runner};
use commonware_utils::sync::Mutex;
use std::{panic::catch_unwind, time::UNIX_EPOCH};

const CYCLE: Duration = Duration::from_micros(10);
const LIFE: Duration = Duration::from_millis(20);

fn us(us: u64) -> Duration {
    Duration::from_micros(us)
}

/// What happened, in order: who, what, and when.
type Log = Arc<Mutex<Vec<(u32, &'static str, SystemTime)>>>;

/// Notes when it is dropped.
struct Noted<F: Fn() + Send>(F);

impl<F: Fn() + Send> Drop for Noted<F> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// A tree of tasks that sleep, yield, wake each other twice and end.
fn busy<E: Spawner + Clock>(context: E, log: &Log, name: u32) {
    let log = log.clone();
    context.spawn(move |context| async move {
        let told = log.clone();
        let now = context.current();
        let _noted = Noted(move || told.lock().push((name, "dropped", now)));
        if name < 32 {
            busy(context.child("left"), &log, 2 * name);
            busy(context.child("right"), &log, 2 * name + 1);
        }
        // Tasks above end first, and with them what is below.
        for round in 0..8 + 2 * name.ilog2() {
            let (sender, receiver) = oneshot::channel();
            let (wait, own) = (us(u64::from(name * 7 + round * 13) % 61), log.clone());
            context.child("once").spawn(move |context| async move {
                context.sleep(wait).await;
                own.lock().push((name, "slept", context.current()));
                let _ = sender.send(());
            });
            if name.is_multiple_of(3) {
                reschedule().await;
            }
            let _ = receiver.await;
            log.lock().push((name, "heard", context.current()));
        }
    });
}

#[test]
fn turns_are_those_of_the_runtime() {
    let start = UNIX_EPOCH + Duration::from_secs(1_000);
    for seed in 0..20 {
        let expected = Log::default();
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_start_time(start)
            .with_cycle(CYCLE);
        Runner::new(config).start(|context| {
            let log = expected.clone();
            async move {
                // What a machine has above its tasks.
                let place = Arc::new(Mutex::new(None));
                let slot = place.clone();
                context.child("root").spawn(move |context| {
                    *slot.lock() = Some(context);
                    pending::<()>()
                });
                let host = place.lock().take().expect("spawned");
                busy(host, &log, 1);
                context.sleep(LIFE).await;
            }
        });
        let log = Log::default();
        Crew::run(seed, start, CYCLE, |crew| {
            let log = log.clone();
            async move {
                let machine = Machine::new(&crew, 0, Config::default());
                busy(machine.boot(), &log, 1);
                crew.sleep(LIFE).await;
            }
        });
        let dropped = |log: &Log| {
            log.lock()
                .iter()
                .filter(|(_, it, _)| *it == "dropped")
                .count()
        };
        assert_eq!(dropped(&log), 63, "every task ended");
        assert_eq!(*log.lock(), *expected.lock(), "seed {seed}");
    }
}

/// Runs a body with a machine that is on.
fn with_host<F: Future>(body: impl FnOnce(Crew, crate::host::Host) -> F) -> F::Output {
    Crew::run(0, UNIX_EPOCH, CYCLE, |crew| {
        let machine = Machine::new(&crew, 0, Config::default());
        let host = machine.boot();
        let running = body(crew, host);
        async move {
            let output = running.await;
            drop(machine);
            output
        }
    })
}

#[test]
fn a_handle_ends_its_task_before_it_resolves_and_however_busy_the_others_are() {
    with_host(|crew, host| async move {
        let busy = host.child("busy").spawn(|_| async {
            loop {
                reschedule().await;
            }
        });
        let log = Log::default();
        let (told, began) = (log.clone(), crew.current());
        let task = host.child("task").spawn(move |host| async move {
            let _noted = Noted(move || told.lock().push((0, "dropped", began)));
            let below = host.child("below").spawn(|_| pending::<()>());
            let _ = below.await;
        });
        crew.sleep(us(100)).await;
        let asked = crew.current();
        task.abort();
        assert!(task.await.is_err());
        assert_eq!(log.lock().len(), 1, "it is dropped by then");
        let turns = u128::from(TURNS_MAX + 1);
        let took = crew.current().duration_since(asked).expect("later");
        assert!(took.as_nanos() <= turns * CYCLE.as_nanos(), "{took:?}");
        busy.abort();
    });
}

#[test]
fn a_task_that_is_aborted_does_not_outlive_idle_time() {
    with_host(|crew, host| async move {
        let told = Log::default();
        let log = told.clone();
        let task = host.child("task").spawn(move |host| async move {
            loop {
                host.sleep(Duration::from_millis(2)).await;
                log.lock().push((0, "slept", host.current()));
            }
        });
        crew.sleep(us(2_500)).await;
        task.abort();
        crew.sleep(Duration::from_secs(1)).await;
        assert_eq!(told.lock().len(), 1);
    });
}

#[test]
fn a_result_comes_through_the_handle_and_time_stands_meanwhile() {
    with_host(|crew, host| async move {
        let task = host.child("task").spawn(|host| async move {
            host.sleep(us(95)).await;
            7
        });
        assert_eq!(task.await.expect("it ends well"), 7);
        let took = crew.current().duration_since(UNIX_EPOCH);
        assert!(took.expect("later") <= us(130));
    });
}

#[test]
fn a_panic_of_a_task_is_the_run_s() {
    let run = AssertUnwindSafe(|| {
        with_host(|crew, host| async move {
            let broken = host.child("broken");
            broken.spawn(|_| async { panic!("what the task says") });
            crew.sleep(Duration::from_secs(1)).await;
        });
    });
    let panic = catch_unwind(run).expect_err("it panics");
    assert_eq!(panic.downcast_ref::<&str>(), Some(&"what the task says"));
}

#[test]
#[should_panic(expected = "the run is stalled")]
fn a_run_in_which_nothing_can_happen_any_more_says_so() {
    with_host(|_, host| async move {
        let _host = host;
        pending::<()>().await;
    });
}

#[test]
fn when_the_run_ends_tasks_are_dropped_in_the_order_in_which_they_came() {
    let log = Log::default();
    with_host(|crew, host| {
        let (log, tasks) = (log.clone(), host);
        async move {
            let root = log.clone();
            let _noted = Noted(move || root.lock().push((9, "root", UNIX_EPOCH)));
            for name in 0..3 {
                let log = log.clone();
                tasks.child("task").spawn(move |_| {
                    let noted = Noted(move || log.lock().push((name, "dropped", UNIX_EPOCH)));
                    async move {
                        let _noted = noted;
                        pending::<()>().await;
                    }
                });
            }
            crew.sleep(us(100)).await;
        }
    });
    // What drove the run is over first: its own variables are gone by the time it gives its result.
    let names: Vec<_> = log.lock().iter().map(|(name, ..)| *name).collect();
    assert_eq!(names, [9, 0, 1, 2]);
}
