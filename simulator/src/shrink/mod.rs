//! Shrinking.
mod delta;
pub use delta::{Verdict, lower, minimize};
#[cfg(test)]
mod tests;
