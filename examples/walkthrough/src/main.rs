//! Your own actor on both runtimes.
fn main() {}
