//! Shrinking: the smallest plan that shows the same failure.
//!
//! A plan is data, so a smaller one is tried by leaving something out and running it. The per-message draws of a world
//! hang on no shared cursor, so leaving one fault out moves nothing else; but the order in which ready tasks are polled
//! cannot be kept, and a failure may hide behind another order. Each candidate is therefore tried under several schedule
//! seeds, and taken if any of them shows the same signature.
//!
//! The search draws nothing and asks no clock of its own: the same plan and number of tries give the same result.

mod delta;
mod nodes;
mod search;
#[cfg(test)]
mod tests;

pub use delta::{Verdict, lower, minimize};
pub use search::{Budget, Shrunk, Size, shrink};
