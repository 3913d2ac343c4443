//! A timer that is re-armed only when its time changes, so that a loop's turn costs no timer.

use commonware_runtime::Clock;
use std::{
    future::{Future, pending},
    pin::Pin,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Milliseconds since the Unix epoch by the node's clock.
pub fn now_ms(clock: &impl Clock) -> u64 {
    let elapsed = clock
        .current()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    elapsed.as_secs() * 1_000 + u64::from(elapsed.subsec_millis())
}

fn at(ms: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_millis(ms)
}

type Sleep = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Rings once at a time, if one is set.
#[derive(Default)]
pub struct Alarm(Option<(u64, Sleep)>);

impl Alarm {
    /// Sets or clears the time.
    pub fn set(&mut self, clock: &impl Clock, at_ms: Option<u64>) {
        if self.0.as_ref().map(|(set, _)| *set) != at_ms {
            self.0 = at_ms.map(|it| (it, Box::pin(clock.sleep_until(at(it))) as Sleep));
        }
    }

    /// Resolves at the time set, then clears it; never while none is set.
    pub async fn rang(&mut self) {
        match &mut self.0 {
            Some((_, sleep)) => sleep.as_mut().await,
            None => pending().await,
        }
        self.0 = None;
    }
}
