//! Whole orderers on a simulated network, over doubles of the lanes and of execution.

mod blocks;
mod cluster;
mod doubles;
mod epochs;
mod execution;
mod executor;
mod options;
mod strangers;
mod worker;
