//! Sweeps: many seeds on all cores, one report.
//!
//! A world runs on one thread and shares nothing with the others; only this module knows threads and the wall clock.
//! Results are merged in the order of their seeds, so a report depends on the seeds alone (its wall times aside).

mod clock;
mod exit;
mod pool;
mod rate;
mod registry;
mod report;
mod runnable;
mod seeds;
mod span;
mod sweep;
mod tally;

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod toy;

pub use clock::Stopwatch;
pub use exit::{Exit, Kind};
pub use rate::{Rate, RateError};
pub use registry::{Registry, Unknown, capsule_stem, full_name};
pub use report::{Determinism, FailureLine, PropertyLine, Report, SeedsRun, TraceLine};
pub use runnable::{Run, Runnable, Sentence, Told, World};
pub use seeds::{SeedError, Seeds, parse_seed};
pub use span::{SpanError, parse_span};
pub use sweep::{Sweep, Swept};
pub use tally::SAME_TRACE;
