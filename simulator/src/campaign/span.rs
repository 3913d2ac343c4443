//! Lengths of time as people write them: `30`, `1.5s`, `250ms`, `80us`, `5m`, `1h`.

use std::time::Duration;
use thiserror::Error;

/// The text is no length of time.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a length of time: write 30, 1.5s, 250ms, 80us, 5m or 1h; a bare number counts seconds"
)]
pub struct SpanError(String);

/// Reads a length of time to the microsecond, in integers only: the same text is the same instant on every machine.
pub fn parse_span(text: &str) -> Result<Duration, SpanError> {
    parse_micros(text.trim())
        .map(Duration::from_micros)
        .ok_or_else(|| SpanError(text.to_owned()))
}

fn parse_micros(text: &str) -> Option<u64> {
    let unit_at = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(unit_at);
    let unit_us: u64 = match unit.trim() {
        "us" => 1,
        "ms" => 1_000,
        "" | "s" => 1_000_000,
        "m" => 60_000_000,
        "h" => 3_600_000_000,
        _ => return None,
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let whole_us = whole.parse::<u64>().ok()?.checked_mul(unit_us)?;
    whole_us.checked_add(fraction_us(fraction, unit_us)?)
}

/// `.25` of a unit. What is finer than a microsecond is cut off.
fn fraction_us(digits: &str, unit_us: u64) -> Option<u64> {
    // An hour has ten digits of microseconds: more digits say nothing.
    if digits.len() > 10 {
        return None;
    }
    let scale = 10u128.pow(u32::try_from(digits.len()).ok()?);
    let value = u128::from(digits.parse::<u64>().ok()?);
    u64::try_from(value * u128::from(unit_us) / scale).ok()
}
