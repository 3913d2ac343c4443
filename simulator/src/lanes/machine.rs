//! What the doubles of a node need of its machine, whichever world that is in.

use drystone_engine::Environment;
use std::time::{Duration, SystemTime};

/// A clock and tasks.
pub trait Machine: Send + Sync + 'static {
    /// Time since the run began, by the node's own clock.
    fn now_us(&self) -> u64;

    /// Calls after a while, unless the node is gone by then.
    fn after(&self, wait: Duration, call: Box<dyn FnOnce() + Send>);
}

/// The machine that an environment is.
pub struct On<E> {
    /// Where tasks are spawned and time is read.
    pub context: E,
    /// When the run began.
    pub start: SystemTime,
}

impl<E: Environment> Machine for On<E> {
    fn now_us(&self) -> u64 {
        let since = self
            .context
            .current()
            .duration_since(self.start)
            .unwrap_or_default();
        u64::try_from(since.as_micros()).expect("a run is shorter than 2^64 us")
    }

    fn after(&self, wait: Duration, call: Box<dyn FnOnce() + Send>) {
        self.context.child("body").spawn(move |context| async move {
            context.sleep(wait).await;
            call();
        });
    }
}
