//! What stands between the scheduler and a node's tasks: an open gate costs one relaxed load a poll.

use commonware_utils::sync::Mutex;
use std::{
    future::{Future, poll_fn},
    mem::take,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
};

/// Tasks are polled.
const OPEN: u64 = 0;
/// No task is ever polled again.
const DEAD: u64 = 1;

/// Decides whether the tasks of one incarnation run. Any other state is the number of a pause.
///
/// The simulation is one thread, and a gate changes only between polls, so relaxed order is enough.
#[derive(Default)]
pub(super) struct Gate {
    state: AtomicU64,
    parked: Mutex<Vec<Waker>>,
}

impl Gate {
    /// Holds every task from its next poll on. Each pause of a machine has a number of its own.
    pub(super) fn pause(&self, number: u64) {
        if !self.is_dead() {
            self.state.store(DEAD + number, Relaxed);
        }
    }

    /// Ends a pause and wakes every task that was due meanwhile.
    pub(super) fn resume(&self) {
        if !self.is_dead() {
            self.state.store(OPEN, Relaxed);
            take(&mut *self.parked.lock())
                .into_iter()
                .for_each(Waker::wake);
        }
    }

    /// Ends the incarnation: from here on none of its tasks does another step.
    pub(super) fn kill(&self) {
        self.state.store(DEAD, Relaxed);
        self.parked.lock().clear();
    }

    pub(super) fn is_dead(&self) -> bool {
        self.state.load(Relaxed) == DEAD
    }

    /// Wraps a task so that it runs only while the gate is open. `member` lives exactly as long as the task.
    pub(super) async fn guard<F: Future>(self: Arc<Self>, member: Member, task: F) -> F::Output {
        let _member = member;
        let mut task = pin!(task);
        let mut parked = OPEN;
        poll_fn(|context| match self.state.load(Relaxed) {
            OPEN => task.as_mut().poll(context),
            state => {
                self.hold(state, &mut parked, context);
                Poll::Pending
            }
        })
        .await
    }

    /// Keeps the waker of a task that was due. Once a pause: a task woken a thousand times meanwhile runs once.
    #[cold]
    fn hold(&self, state: u64, parked: &mut u64, context: &Context<'_>) {
        if state != DEAD && *parked != state {
            *parked = state;
            self.parked.lock().push(context.waker().clone());
        }
    }
}

/// Counts the tasks of a machine that still exist, dead or alive.
#[derive(Default)]
pub(super) struct Roster {
    members: AtomicUsize,
    joining: Mutex<Vec<Waker>>,
}

impl Roster {
    pub(super) fn join(self: &Arc<Self>) -> Member {
        self.members.fetch_add(1, Relaxed);
        Member(self.clone())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.load(Relaxed) == 0
    }

    /// Resolves once no task is left.
    pub(super) async fn emptied(&self) {
        poll_fn(|context| {
            if self.is_empty() {
                return Poll::Ready(());
            }
            self.joining.lock().push(context.waker().clone());
            Poll::Pending
        })
        .await
    }
}

/// The place of one task in its machine's roster.
pub(super) struct Member(Arc<Roster>);

impl Drop for Member {
    fn drop(&mut self) {
        if self.0.members.fetch_sub(1, Relaxed) == 1 {
            take(&mut *self.0.joining.lock())
                .into_iter()
                .for_each(Waker::wake);
        }
    }
}
