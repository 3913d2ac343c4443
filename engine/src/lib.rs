//! The certified-lane protocol of Drystone.
