//! Executors over a chain that is made up, with stand-ins for the actors around them.

#[cfg(feature = "canary")]
mod canary;
mod crash;
mod doors;
mod duplicates;
mod gathering;
mod kit;
mod life;
mod model;
mod pipeline;
mod stand;
mod store;
mod subscribers;
