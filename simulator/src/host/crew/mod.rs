//! Who runs the tasks of all machines, and the time they live in.
//!
//! ```text
//!   the deterministic runtime             the crew
//!     root task: Crew::lead  ---------->  turn: shuffle what is ready, poll each once
//!     one proxy for each task <- yield -  time: one cycle on, or to the next alarm; wake what is due
//! ```
//!
//! The runtime's own loop sums every poll in an audit, counts it in a metric and looks its task up by name: that costs
//! more than most polls of a node do. So all tasks of all machines, and what drives the run, are polled by the runtime's
//! one root task. What the runtime is left with is what nobody else can make: contexts, metrics, and a
//! [`Handle`](commonware_runtime::Handle) for each task, whose proxy waits in the runtime for what the task comes to.
//!
//! Turns, time and supervision are those of the runtime, draw for draw: ready tasks are shuffled by a generator of the run's
//! seed, a task woken twice is polled twice, and virtual time moves one cycle a turn. After a crash the order may be another
//! than the runtime's would be, since handles wake others there, and it is as good.
//!
//! **Invariants.** 1. The order of polls is a function of the seed and of what tasks do. 2. The runtime's clock means
//! nothing: whoever stands on a crew reads the crew's. 3. A task is dropped in the turn after its supervisor ended, before
//! anybody hears that it ended. 4. A task aborted by its handle is polled in no more than [`TURNS_MAX`] turns, and in none
//! once [`IDLE_MAX`] has passed idly. 5. When the run ends every task is dropped, in the order in which they were spawned,
//! before what drove the run.

mod branch;
mod timers;
mod work;

#[cfg(test)]
mod tests;

pub(super) use branch::Branch;

use commonware_runtime::{
    Clock, Metrics as _, Name, Runner as _, Supervisor,
    deterministic::{self, Context},
    reschedule,
};
use commonware_utils::channel::oneshot;
use futures::{
    FutureExt as _,
    stream::{AbortHandle, Abortable, Aborted},
};
use governor::clock::{Clock as GovernorClock, ReasonablyRealtime};
use std::{
    fmt::Display,
    future::{Future, pending},
    panic::AssertUnwindSafe,
    pin::pin,
    sync::Arc,
    time::{Duration, SystemTime},
};
use timers::{Sleep, Timers};
use work::{Task, Work};

/// Turns after which the runtime gets one, to drop what was aborted through handles.
const TURNS_MAX: u32 = 16;
/// The idle time that does not pass before that.
const IDLE_MAX: Duration = Duration::from_millis(1);

/// A place in a run: the run's clock, and contexts of the runtime below one of its own.
pub struct Crew {
    context: Context,
    shared: Arc<Shared>,
}

/// What all of a run share.
struct Shared {
    timers: Timers,
    work: Work,
}

impl Crew {
    /// Runs `body` and all that it starts, from `start` on by the crew's clock, each turn taking one `cycle`.
    pub fn run<F: Future>(
        seed: u64,
        start: SystemTime,
        cycle: Duration,
        body: impl FnOnce(Self) -> F,
    ) -> F::Output {
        let config = deterministic::Config::new()
            .with_seed(seed)
            .with_start_time(start)
            .with_cycle(cycle);
        deterministic::Runner::new(config).start(|context| {
            let shared = Arc::new(Shared {
                timers: Timers::new(start, cycle),
                work: Work::new(seed),
            });
            let root = body(Self {
                context,
                shared: shared.clone(),
            });
            lead(shared, root)
        })
    }

    /// The present time in microseconds since the epoch: what is asked once for each message and each observation.
    pub fn now_us(&self) -> u64 {
        self.shared.timers.now_ns() / 1_000
    }

    /// All metrics of the run, in Prometheus' text format.
    pub fn metrics(&self) -> String {
        self.context.encode()
    }

    /// The runtime's context at this place.
    pub(super) const fn context(&self) -> &Context {
        &self.context
    }

    /// Starts a task that `branch` supervises; contexts below it supervise what it starts in turn. The result is for the
    /// task's proxy in the runtime: dropped, it ends the task on the spot.
    pub(super) fn employ<F>(
        &self,
        branch: &Arc<Branch>,
        task: impl FnOnce(Arc<Branch>) -> F,
    ) -> Employed<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        let future = task(branch.child());
        let (sender, result) = oneshot::channel();
        let (abort, registration) = AbortHandle::new_pair();
        branch.register(abort.clone());
        let (guard, shared) = (Ends(branch.clone()), self.shared.clone());
        let future = async move {
            let _guard = guard;
            let future = AssertUnwindSafe(future).catch_unwind();
            match Abortable::new(future, registration).await {
                Ok(Ok(output)) => {
                    let _ = sender.send(output);
                    shared.work.owe();
                }
                Ok(Err(panic)) => shared.work.panicked(panic),
                Err(Aborted) => {}
            }
        };
        let task = self.shared.work.spawn(Box::pin(future));
        Employed {
            task,
            abort,
            shared: self.shared.clone(),
            result: Some(result),
        }
    }
}

/// Ends what a task started when the task ends, however that comes.
struct Ends(Arc<Branch>);

impl Drop for Ends {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// A task as its proxy sees it.
pub(super) struct Employed<T> {
    task: Arc<Task>,
    abort: AbortHandle,
    shared: Arc<Shared>,
    /// `None` once it has come.
    result: Option<oneshot::Receiver<T>>,
}

impl<T> Employed<T> {
    /// What the task comes to. A task that its supervisor ends comes to nothing, and its proxy is ended too.
    pub(super) async fn result(mut self) -> T {
        let Some(result) = &mut self.result else {
            unreachable!("it is asked for once");
        };
        match result.await {
            Ok(result) => {
                self.result = None;
                result
            }
            Err(_) => pending().await,
        }
    }

    /// Ends the task in the next turn, and with it what it supervises in the one after that; resolves once it has ended.
    pub(super) async fn aborted(mut self) {
        self.abort.abort();
        if let Some(result) = self.result.take() {
            let _ = result.await;
        }
    }
}

impl<T> Drop for Employed<T> {
    fn drop(&mut self) {
        // What its supervisor aborted ends in its own turn, in the order that is drawn for it.
        if self.result.is_some() && !self.abort.is_aborted() {
            self.shared.work.end(&self.task);
        }
    }
}

/// Polls `root` and every task until `root` ends.
async fn lead<F: Future>(shared: Arc<Shared>, root: F) -> F::Output {
    let mut root = pin!(root);
    // Dropped before the root, as the runtime drops its own tasks.
    let _disbands = Disbands(&shared);
    shared.work.begin();
    let mut turns = 0;
    loop {
        if let Some(output) = shared.work.turn(root.as_mut()) {
            return output;
        }
        turns += 1;
        if shared.work.owes() || turns == TURNS_MAX || shared.idles() {
            turns = 0;
            yields().await;
        }
        advance(&shared).await;
    }
}

/// Lets the proxies go on. Twice: the first turn of the runtime may come to this task before it comes to them.
async fn yields() {
    reschedule().await;
    reschedule().await;
}

/// Moves time on until something is ready.
async fn advance(shared: &Shared) {
    shared.timers.tick();
    loop {
        if shared.work.is_idle() {
            shared.timers.skip();
        }
        shared.timers.wake();
        if !shared.work.is_idle() {
            return;
        }
        // Nobody waited for that alarm any more, and it may have been the last before a long gap.
        if shared.idles() {
            yields().await;
            if !shared.work.is_idle() {
                return;
            }
        }
        assert!(
            shared.timers.gap().is_some(),
            "the run is stalled: no task is ready and no alarm is set"
        );
    }
}

/// Drops every task when the run ends.
struct Disbands<'a>(&'a Shared);

impl Drop for Disbands<'_> {
    fn drop(&mut self) {
        self.0.work.disband();
        self.0.timers.clear();
    }
}

impl Shared {
    /// Whether nothing happens for long.
    fn idles(&self) -> bool {
        self.work.is_idle() && self.timers.gap().is_none_or(|gap| gap > IDLE_MAX)
    }
}

impl Clock for Crew {
    fn current(&self) -> SystemTime {
        self.shared.timers.now()
    }

    fn sleep(&self, duration: Duration) -> impl Future<Output = ()> + Send + 'static + use<> {
        let deadline = self.current().checked_add(duration);
        self.sleep_until(deadline.expect("a sleep ends before time does"))
    }

    fn sleep_until(
        &self,
        deadline: SystemTime,
    ) -> impl Future<Output = ()> + Send + 'static + use<> {
        Sleep::new(self.shared.clone(), deadline)
    }
}

impl GovernorClock for Crew {
    type Instant = SystemTime;

    fn now(&self) -> SystemTime {
        self.current()
    }
}

impl ReasonablyRealtime for Crew {}

impl Supervisor for Crew {
    fn name(&self) -> Name {
        self.context.name()
    }

    fn child(&self, label: &'static str) -> Self {
        Self {
            context: self.context.child(label),
            shared: self.shared.clone(),
        }
    }

    fn with_attribute(mut self, key: &'static str, value: impl Display) -> Self {
        self.context = self.context.with_attribute(key, value);
        self
    }
}
