//! Sweeps: many seeds on all cores, one report.
//!
//! A world runs on one thread and shares nothing with the others; only this module knows threads and the wall clock.
//! Results are merged in the order of their seeds, so a report depends on the seeds alone (its wall times aside).

mod exit;
mod pool;
mod rate;
mod report;
mod seeds;
mod span;

#[cfg(test)]
mod tests;

pub use exit::{Exit, Kind};
pub use rate::{Rate, RateError};
pub use report::{Determinism, FailureLine, PropertyLine, Report, SeedsRun, TraceLine};
pub use seeds::{SeedError, Seeds, parse_seed};
pub use span::{SpanError, parse_span};
