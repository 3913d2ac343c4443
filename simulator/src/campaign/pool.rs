//! Independent pieces of work on several threads, their results handed over in order.

use std::{
    collections::BTreeMap,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    sync::{Condvar, Mutex, MutexGuard, mpsc},
    thread,
};

/// A world polls deep stacks of futures; the two mebibytes a thread gets by default are less than the main thread has.
const STACK_BYTES: usize = 8 << 20;

/// How far each thread may run ahead of the oldest unfinished piece. It bounds the results that wait for their turn.
const AHEAD_PER_JOB: u64 = 64;

/// Calls `work` for the indices from 0 on to `count`, on `jobs` threads, and `each` with the results, on the caller's
/// thread and strictly by index: what the caller sees does not depend on which thread was faster.
///
/// Once `stop` says so, no further index is begun, the first excepted. Those begun are finished, so the indices that `each` saw have no gap.
///
/// # Panics
///
/// If `jobs` is zero, and with the panic of `work` if it panics.
pub fn in_order<T: Send>(
    count: u64,
    jobs: u16,
    stop: impl Fn() -> bool + Sync,
    work: impl Fn(u64) -> T + Sync,
    mut each: impl FnMut(u64, T),
) {
    assert!(jobs > 0, "no thread, no work");
    let gate = Gate::new(count, u64::from(jobs) * AHEAD_PER_JOB);
    // Unbounded by type, bounded by the gate.
    let (sender, receiver) = mpsc::channel();
    thread::scope(|scope| {
        for job in 0..jobs {
            let sender = sender.clone();
            let (gate, stop, work) = (&gate, &stop, &work);
            thread::Builder::new()
                .name(format!("world-{job}"))
                .stack_size(STACK_BYTES)
                .spawn_scoped(scope, move || {
                    while let Some(index) = gate.enter(stop) {
                        let result = catch_unwind(AssertUnwindSafe(|| work(index)));
                        if sender.send((index, result)).is_err() {
                            return;
                        }
                    }
                })
                .expect("the system gives a sweep its threads");
        }
        drop(sender);
        // A panic on this thread would wait for the others for ever if the gate kept holding them back.
        let _closing = CloseOnDrop(&gate);
        let mut early = BTreeMap::new();
        let mut due = 0;
        for (index, result) in receiver {
            early.insert(
                index,
                result.unwrap_or_else(|payload| resume_unwind(payload)),
            );
            while let Some(result) = early.remove(&due) {
                each(due, result);
                due += 1;
            }
            gate.finished(due);
        }
    });
}

/// Hands out indices, each once, and holds threads back that are too far ahead.
struct Gate {
    ahead_max: u64,
    state: Mutex<State>,
    moved: Condvar,
}

struct State {
    next: u64,
    end: u64,
    due: u64,
}

impl Gate {
    fn new(count: u64, ahead_max: u64) -> Self {
        Self {
            ahead_max,
            state: Mutex::new(State {
                next: 0,
                end: count,
                due: 0,
            }),
            moved: Condvar::new(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    fn enter(&self, stop: impl Fn() -> bool) -> Option<u64> {
        let mut state = self
            .moved
            .wait_while(self.lock(), |state| {
                state.next < state.end && state.next - state.due >= self.ahead_max
            })
            .expect("nothing panics under this lock");
        // The first is begun in any case: nothing run would look like nothing wrong.
        if state.next >= state.end || (state.next > 0 && stop()) {
            return None;
        }
        state.next += 1;
        Some(state.next - 1)
    }

    fn finished(&self, due: u64) {
        self.lock().due = due;
        self.moved.notify_all();
    }

    fn close(&self) {
        self.lock().end = 0;
        self.moved.notify_all();
    }
}

struct CloseOnDrop<'a>(&'a Gate);

impl Drop for CloseOnDrop<'_> {
    fn drop(&mut self) {
        self.0.close();
    }
}
