//! The tasks, and which of them are ready.

use commonware_utils::sync::Mutex;
use futures::future::BoxFuture;
use rand::{SeedableRng as _, rngs::StdRng, seq::SliceRandom as _};
use std::{
    any::Any,
    collections::BTreeMap,
    future::Future,
    mem,
    panic::resume_unwind,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    task::{Context, Poll, Wake, Waker},
};

/// What a task panicked with.
type Panic = Box<dyn Any + Send>;

/// A task. It is its own waker.
pub(super) struct Task {
    number: u64,
    /// `None` once it has ended, and for the root, which is polled where it stands.
    future: Mutex<Option<BoxFuture<'static, ()>>>,
    ready: Arc<Mutex<Ready>>,
}

/// The number of what drives the run.
const ROOT: u64 = 0;

/// Tasks that were woken, as often as they were.
#[derive(Default)]
struct Ready {
    tasks: Vec<Arc<Task>>,
    /// The run is over: whoever is woken while it is taken apart is not kept.
    over: bool,
}

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let mut ready = self.ready.lock();
        if !ready.over {
            ready.tasks.push(self.clone());
        }
    }
}

/// All tasks of a run.
pub(super) struct Work {
    ready: Arc<Mutex<Ready>>,
    order: Mutex<StdRng>,
    /// Those that have not ended, by number.
    tasks: Mutex<BTreeMap<u64, Arc<Task>>>,
    spawned: Mutex<u64>,
    root: Arc<Task>,
    /// The first panic, until the root is polled.
    panic: Mutex<Option<Panic>>,
    owes: AtomicBool,
    /// An empty list, kept for its memory.
    spare: Mutex<Vec<Arc<Task>>>,
}

impl Work {
    pub(super) fn new(seed: u64) -> Self {
        let ready = Arc::<Mutex<Ready>>::default();
        Self {
            root: Arc::new(Task {
                number: ROOT,
                future: Mutex::default(),
                ready: ready.clone(),
            }),
            ready,
            order: Mutex::new(StdRng::seed_from_u64(seed)),
            tasks: Mutex::default(),
            spawned: Mutex::new(ROOT),
            panic: Mutex::default(),
            owes: AtomicBool::new(false),
            spare: Mutex::default(),
        }
    }

    /// Makes the root ready for the first time.
    pub(super) fn begin(&self) {
        self.root.clone().wake();
    }

    pub(super) fn spawn(&self, future: BoxFuture<'static, ()>) -> Arc<Task> {
        let number = {
            let mut spawned = self.spawned.lock();
            *spawned += 1;
            *spawned
        };
        let task = Arc::new(Task {
            number,
            future: Mutex::new(Some(future)),
            ready: self.ready.clone(),
        });
        self.tasks.lock().insert(number, task.clone());
        task.clone().wake();
        task
    }

    /// Polls everything that is ready, in an order that is drawn, and gives what the root comes to: then nothing else is
    /// polled any more.
    pub(super) fn turn<F: Future>(&self, mut root: Pin<&mut F>) -> Option<F::Output> {
        let spare = mem::take(&mut *self.spare.lock());
        let mut tasks = mem::replace(&mut self.ready.lock().tasks, spare);
        if tasks.len() > 1 {
            tasks.shuffle(&mut *self.order.lock());
        }
        for task in tasks.drain(..) {
            if task.number == ROOT {
                if let Poll::Ready(output) = self.poll_root(task, root.as_mut()) {
                    return Some(output);
                }
            } else {
                self.poll(&task);
            }
        }
        *self.spare.lock() = tasks;
        None
    }

    /// A panic of a task goes before what the root comes to.
    fn poll_root<F: Future>(&self, task: Arc<Task>, root: Pin<&mut F>) -> Poll<F::Output> {
        self.check();
        let polled = root.poll(&mut Context::from_waker(&Waker::from(task)));
        if polled.is_ready() {
            self.check();
        }
        polled
    }

    fn poll(&self, task: &Arc<Task>) {
        let mut future = task.future.lock();
        // Woken before it ended, and once too often.
        let Some(polled) = future.as_mut() else {
            return;
        };
        let waker = Waker::from(task.clone());
        if polled
            .as_mut()
            .poll(&mut Context::from_waker(&waker))
            .is_ready()
        {
            self.tasks.lock().remove(&task.number);
            *future = None;
        }
    }

    fn check(&self) {
        if let Some(panic) = self.panic.lock().take() {
            resume_unwind(panic);
        }
    }

    /// A task panicked: so will the root.
    pub(super) fn panicked(&self, panic: Panic) {
        let mut first = self.panic.lock();
        if first.is_none() {
            *first = Some(panic);
            self.root.clone().wake();
        }
    }

    /// Drops a task that has not ended. Not to be called by tasks.
    pub(super) fn end(&self, task: &Task) {
        self.tasks.lock().remove(&task.number);
        let future = task.future.lock().take();
        drop(future);
    }

    /// The runtime has something to pass on.
    pub(super) fn owe(&self) {
        self.owes.store(true, Relaxed);
    }

    /// Whether it has, since this was last asked.
    pub(super) fn owes(&self) -> bool {
        self.owes.swap(false, Relaxed)
    }

    /// Whether no task is ready.
    pub(super) fn is_idle(&self) -> bool {
        self.ready.lock().tasks.is_empty()
    }

    /// Drops every task, in the order in which they were spawned.
    pub(super) fn disband(&self) {
        let ready = {
            let mut ready = self.ready.lock();
            ready.over = true;
            mem::take(&mut ready.tasks)
        };
        drop(ready);
        let tasks = mem::take(&mut *self.tasks.lock());
        for task in tasks.into_values() {
            let future = task.future.lock().take();
            drop(future);
        }
    }
}
