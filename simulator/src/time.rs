//! Virtual time: whole microseconds since the run began.

/// Microseconds in a number of microseconds, so that a scenario can name its unit.
pub const fn micros(count: u64) -> u64 {
    count
}

/// Microseconds in a number of milliseconds.
pub const fn millis(count: u64) -> u64 {
    count * 1_000
}

/// Microseconds in a number of seconds.
pub const fn secs(count: u64) -> u64 {
    count * 1_000_000
}

/// Microseconds in a number of minutes.
pub const fn mins(count: u64) -> u64 {
    secs(60 * count)
}

/// Shows microseconds as seconds with six decimals, without floating point.
pub fn show(at_us: u64) -> String {
    format!("{}.{:06}s", at_us / secs(1), at_us % secs(1))
}
