//! The certified-lane protocol of Drystone.

pub mod scheme;
