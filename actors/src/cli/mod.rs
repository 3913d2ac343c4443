//! The command line that every application's binary has.
//!
//! | command | does |
//! |---|---|
//! | `keys new FILE`, `keys show FILE` | makes a node's key; shows its public half |
//! | `genesis` | makes the file that all nodes of a deployment share, checked |
//! | `init --config FILE` | prepares a new node's directory, once in its life |
//! | `run --config FILE` | runs a node until it is told to stop |
//! | `localnet --nodes N --dir DIR` | a whole network of real processes on this machine |
//! | `submit`, `query tx`, `query block`, `query status`, `query state` | what a client asks |
//! | `bench --rate R --duration S` | open-loop load, and what became of it |
//!
//! An application adds its own: see [`Program`]. Its binary is a main of a line:
//!
//! ```ignore
//! fn main() -> std::process::ExitCode {
//!     drystone_actors::cli::main::<MyProgram>()
//! }
//! ```
//!
//! Exit codes: see [`Exit`]. This is the one place where processes start: the runtime, signals and the environment's variables
//! are named here, and nowhere below.

mod bench;
mod client;
mod failure;
mod genesis;
mod keys;
mod localnet;
mod program;
mod query;
mod run;

pub use bench::{Load, LoadOptions, Submission};
pub use client::{Client, Proven};
pub use failure::{Exit, Failure};
pub use program::{Program, main};
