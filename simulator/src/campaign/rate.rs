//! A share of the seeds, exact and without floating point.

use std::{fmt, str::FromStr};
use thiserror::Error;

/// The text is no share.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "`{0}` is not a share: write 0.1, 10% or 1, at most 1 and at most six digits behind the point"
)]
pub struct RateError(String);

/// A share between none and all, in parts per million.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Rate {
    per_million: u32,
}

impl Rate {
    const MILLION: u32 = 1_000_000;

    /// Nothing.
    pub const NONE: Self = Self { per_million: 0 };

    /// Everything.
    pub const ALL: Self = Self {
        per_million: Self::MILLION,
    };

    /// Whether the item at `index` belongs to the share. Chosen items lie evenly; any share but none has the first.
    pub fn chooses(self, index: u64) -> bool {
        let chosen_before = |index: u128| {
            (index * u128::from(self.per_million)).div_ceil(u128::from(Self::MILLION))
        };
        let index = u128::from(index);
        chosen_before(index + 1) > chosen_before(index)
    }
}

impl FromStr for Rate {
    type Err = RateError;

    fn from_str(text: &str) -> Result<Self, RateError> {
        let trimmed = text.trim();
        let (number, unit) = match trimmed.strip_suffix('%') {
            Some(percent) => (percent.trim_end(), Self::MILLION / 100),
            None => (trimmed, Self::MILLION),
        };
        parse_scaled(number, unit)
            .filter(|per_million| *per_million <= Self::MILLION)
            .map(|per_million| Self { per_million })
            .ok_or_else(|| RateError(text.to_owned()))
    }
}

/// `number` times `unit`, or `None` if that is no whole number: a share is never rounded behind the reader's back.
fn parse_scaled(number: &str, unit: u32) -> Option<u32> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if !whole
        .chars()
        .chain(fraction.chars())
        .all(|c| c.is_ascii_digit())
        || fraction.len() > 6
    {
        return None;
    }
    let scale = 10u64.pow(u32::try_from(fraction.len()).ok()?);
    let part = fraction.parse::<u64>().ok()? * u64::from(unit);
    (part % scale == 0).then_some(())?;
    whole
        .parse::<u32>()
        .ok()?
        .checked_mul(unit)?
        .checked_add(u32::try_from(part / scale).ok()?)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of 1000000", self.per_million)
    }
}
