//! A simulated machine: an environment of its own for each node of a run.
//!
//! ```text
//!   harness                    the node's tasks
//!   Machine -- boot() -------> Host (incarnation 0)
//!      |    -- crash(..) ----X   every task gone, disk settled
//!      |    -- boot() -------> Host (incarnation 1)
//!      |
//!      +-- disk, clock, counters: shared by all incarnations, of which at most one runs
//! ```
//!
//! A [Machine] is what the harness holds and faults act on. A [Host] is what a node gets: it implements the
//! commonware runtime's traits over the deterministic runtime, so a node cannot tell it from production. A [Crew] runs the
//! tasks of all machines and keeps the run's time.
//!
//! **Invariants.** 1. A task of a dead incarnation is never polled again, and the next incarnation starts when the
//! last of them is dropped. 2. No machine reaches another: no lock, number or draw is shared between two. 3. A
//! node's randomness is a function of (seed, node, incarnation) and the order in which its tasks ask. 4. A node's
//! clock never runs backwards. 5. What is not faulty costs nothing: an open gate is one relaxed load, a disk
//! without latency no timer and no task turn, a rate of zero no draw. The disk's own invariants are in `disk`.

mod clock;
mod config;
mod crew;
mod disk;
mod draw;
mod gate;
mod machine;
mod node;

#[cfg(test)]
mod tests;

pub use config::{ClockConfig, Config, Counters, Crash, DiskConfig, DiskFaults, Rate, Tear};
pub use crew::Crew;
pub use disk::Blob;
pub use machine::Machine;
pub use node::Host;
