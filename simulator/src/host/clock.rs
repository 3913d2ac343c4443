//! A clock that is wrong: translations between true and local time.
//!
//! Arithmetic with a drift is on nanoseconds since the Unix epoch in `i128`. A `SystemTime` spans less than 2^94 ns and a
//! rate less than 2^21, so no product here comes near 2^127. Most clocks do not drift, and every turn of every actor asks
//! for the time: theirs is shifted, and nothing is divided.

use super::config::ClockConfig;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const MILLION: i128 = 1_000_000;

/// No run lasts this long: a sleep beyond it never ends, and adding it to any date of a run cannot overflow.
const NEVER: Duration = Duration::from_secs(1000 * 366 * 24 * 3600);

/// The local reading as a line through (`anchor`, `local`) with slope `rate / MILLION`, never below `floor`.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dial {
    anchor: i128,
    local: i128,
    rate: i128,
    floor: i128,
    shift: Shift,
}

/// What a clock without drift shows: so much more than the true time, or so much less, and never less than the floor.
#[derive(Clone, Copy, Debug)]
struct Shift {
    ahead: Duration,
    behind: Duration,
    floor: SystemTime,
    /// It was never wrong.
    none: bool,
}

impl Dial {
    pub(super) fn new(now: SystemTime, config: ClockConfig) -> Self {
        Self::line(now, config, 0)
    }

    fn line(now: SystemTime, config: ClockConfig, floor: i128) -> Self {
        let rate = MILLION + i128::from(config.drift_ppm);
        assert!(
            0 < rate && rate < 2 * MILLION,
            "a drift of {} ppm stops or doubles time: use -999_999..=999_999",
            config.drift_ppm
        );
        let anchor = nanos(now);
        let offset = Duration::from_micros(config.offset_us.unsigned_abs());
        let (ahead, behind) = if config.offset_us < 0 {
            (Duration::ZERO, offset)
        } else {
            (offset, Duration::ZERO)
        };
        Self {
            anchor,
            local: anchor + i128::from(config.offset_us) * 1000,
            rate,
            floor,
            shift: Shift {
                ahead,
                behind,
                floor: time(floor),
                none: config.offset_us == 0 && floor == 0,
            },
        }
    }

    /// Sets the clock. What it has shown is a floor, so that it stands still rather than run backwards.
    pub(super) fn set(&mut self, now: SystemTime, config: ClockConfig) {
        *self = Self::line(now, config, nanos(self.local(now)));
    }

    /// What the clock shows at `now`.
    pub(super) fn local(&self, now: SystemTime) -> SystemTime {
        if self.rate == MILLION {
            if self.shift.none {
                return now;
            }
            return (now + self.shift.ahead - self.shift.behind).max(self.shift.floor);
        }
        let elapsed = (nanos(now) - self.anchor) * self.rate / MILLION;
        time((self.local + elapsed).max(self.floor))
    }

    /// The first true time, not before `now`, at which the clock shows `deadline`.
    pub(super) fn reaches(&self, now: SystemTime, deadline: SystemTime) -> SystemTime {
        if deadline <= self.local(now) {
            return now;
        }
        if self.rate == MILLION {
            let at = (deadline - self.shift.ahead).checked_add(self.shift.behind);
            return at.map_or(now + NEVER, |at| at.min(now + NEVER));
        }
        let elapsed = div_ceil((nanos(deadline) - self.local) * MILLION, self.rate);
        let wait = self.anchor + elapsed - nanos(now);
        now + Duration::from_nanos_u128(wait.clamp(0, NEVER.as_nanos() as i128) as u128)
    }

    /// How long true time takes while the clock advances by `local`.
    pub(super) fn lasts(&self, local: Duration) -> Duration {
        if self.rate == MILLION {
            return local.min(NEVER);
        }
        let elapsed = div_ceil(local.as_nanos() as i128 * MILLION, self.rate);
        Duration::from_nanos_u128(elapsed.min(NEVER.as_nanos() as i128) as u128)
    }
}

/// Division of a nonnegative number rounded up: a sleep ends late, never early.
fn div_ceil(value: i128, by: i128) -> i128 {
    (value + by - 1) / by
}

fn nanos(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

fn time(nanos: i128) -> SystemTime {
    UNIX_EPOCH + Duration::from_nanos_u128(nanos as u128)
}
