//! Virtual time, and who waits for it.

use super::Shared;
use commonware_utils::sync::Mutex;
use futures::task::AtomicWaker;
use std::{
    cmp::Ordering,
    collections::BinaryHeap,
    future::Future,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The time, in nanoseconds since the epoch, and the alarms set.
///
/// A run is one thread, so relaxed order is enough. It ends within 500 years of the epoch: what is later never comes.
pub(super) struct Timers {
    now_ns: AtomicU64,
    cycle_ns: u64,
    alarms: Mutex<BinaryHeap<Alarm>>,
}

/// Wakes once at a time. It outlives the sleep that set it.
struct Alarm {
    at_ns: u64,
    waker: Arc<AtomicWaker>,
}

impl Ord for Alarm {
    /// The earliest is the greatest.
    fn cmp(&self, other: &Self) -> Ordering {
        other.at_ns.cmp(&self.at_ns)
    }
}

impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at_ns == other.at_ns
    }
}

impl Eq for Alarm {}

impl Timers {
    pub(super) fn new(start: SystemTime, cycle: Duration) -> Self {
        Self {
            now_ns: AtomicU64::new(nanos(start)),
            cycle_ns: u64::try_from(cycle.as_nanos()).expect("a cycle is short"),
            alarms: Mutex::default(),
        }
    }

    pub(super) fn now_ns(&self) -> u64 {
        self.now_ns.load(Relaxed)
    }

    pub(super) fn now(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_nanos(self.now_ns())
    }

    /// One cycle on.
    pub(super) fn tick(&self) {
        self.now_ns.store(self.now_ns() + self.cycle_ns, Relaxed);
    }

    /// On to the next alarm, if it lies ahead.
    pub(super) fn skip(&self) {
        if let Some(next) = self.alarms.lock().peek() {
            self.now_ns.store(self.now_ns().max(next.at_ns), Relaxed);
        }
    }

    /// How long it is to the next alarm, if there is one.
    pub(super) fn gap(&self) -> Option<Duration> {
        let alarms = self.alarms.lock();
        let gap = |next: &Alarm| Duration::from_nanos(next.at_ns.saturating_sub(self.now_ns()));
        alarms.peek().map(gap)
    }

    /// Wakes whoever waits for a time that has come.
    pub(super) fn wake(&self) {
        while let Some(waker) = self.due() {
            waker.wake();
        }
    }

    fn due(&self) -> Option<Arc<AtomicWaker>> {
        let now_ns = self.now_ns();
        let mut alarms = self.alarms.lock();
        if alarms.peek()?.at_ns > now_ns {
            return None;
        }
        alarms.pop().map(|alarm| alarm.waker)
    }

    /// Forgets every alarm.
    pub(super) fn clear(&self) {
        let alarms = std::mem::take(&mut *self.alarms.lock());
        drop(alarms);
    }
}

/// Lasts until a time.
pub(super) struct Sleep {
    shared: Arc<Shared>,
    at_ns: u64,
    waker: Option<Arc<AtomicWaker>>,
}

impl Sleep {
    pub(super) fn new(shared: Arc<Shared>, until: SystemTime) -> Self {
        Self {
            shared,
            at_ns: nanos(until),
            waker: None,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let timers = &self.shared.timers;
        if timers.now_ns() >= self.at_ns {
            return Poll::Ready(());
        }
        if let Some(waker) = &self.waker {
            waker.register(context.waker());
        } else {
            let waker = Arc::new(AtomicWaker::new());
            waker.register(context.waker());
            timers.alarms.lock().push(Alarm {
                at_ns: self.at_ns,
                waker: waker.clone(),
            });
            self.waker = Some(waker);
        }
        Poll::Pending
    }
}

fn nanos(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
}
