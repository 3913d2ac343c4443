//! Seeds as people write them: `7`, `0xDEC0DE`, `0..200`.

use std::{fmt, ops::Range, str::FromStr};
use thiserror::Error;

/// Why a text names no seed or no seeds.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SeedError {
    /// The text is neither a decimal nor a 0x-hex number of 64 bits.
    #[error("`{0}` is not a seed: write a decimal or a 0x-hex number of at most 64 bits")]
    Number(String),
    /// The text has no `..`.
    #[error("`{0}` is not a range of seeds: write A..B, where B itself is not run")]
    Range(String),
    /// The range is written well and holds nothing.
    #[error("`{0}` is empty: A..B runs A and stops before B, so B must be larger than A")]
    Empty(String),
}

/// Reads one seed: decimal or 0x-hex, underscores allowed between digits.
pub fn parse_seed(text: &str) -> Result<u64, SeedError> {
    let wrong = || SeedError::Number(text.to_owned());
    let trimmed = text.trim();
    let (digits, radix) = match trimmed
        .strip_prefix("0x")
        .or_else(|| trimmed.strip_prefix("0X"))
    {
        Some(hex) => (hex, 16),
        None => (trimmed, 10),
    };
    // `from_str_radix` takes a sign, and a seed has none.
    if !digits.starts_with(|first: char| first.is_digit(radix)) {
        return Err(wrong());
    }
    u64::from_str_radix(&digits.replace('_', ""), radix).map_err(|_| wrong())
}

/// A run of consecutive seeds, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    first: u64,
    count: u64,
}

impl Seeds {
    /// The one seed.
    pub fn one(seed: u64) -> Self {
        Self {
            first: seed,
            count: 1,
        }
    }

    /// The first seed.
    pub fn first(&self) -> u64 {
        self.first
    }

    /// The number of seeds.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The seed at `index`, or `None` past the end.
    pub fn get(&self, index: u64) -> Option<u64> {
        (index < self.count).then(|| self.first + index)
    }
}

impl From<Range<u64>> for Seeds {
    /// # Panics
    ///
    /// If the range is empty: a sweep of nothing would pass.
    fn from(range: Range<u64>) -> Self {
        assert!(range.start < range.end, "a sweep of no seed proves nothing");
        Self {
            first: range.start,
            count: range.end - range.start,
        }
    }
}

impl FromStr for Seeds {
    type Err = SeedError;

    fn from_str(text: &str) -> Result<Self, SeedError> {
        let (first, end) = text
            .split_once("..")
            .ok_or_else(|| SeedError::Range(text.to_owned()))?;
        let (first, end) = (parse_seed(first)?, parse_seed(end)?);
        if first >= end {
            return Err(SeedError::Empty(text.to_owned()));
        }
        Ok(Self::from(first..end))
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.count {
            1 => write!(f, "{}", self.first),
            count => write!(
                f,
                "{}..{}",
                self.first,
                u128::from(self.first) + u128::from(count)
            ),
        }
    }
}
