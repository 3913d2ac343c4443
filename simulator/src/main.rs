//! The command line of the simulator.

use drystone_simulator::{cli, registry};
use std::process::ExitCode;

/// A world allocates in small pieces all the time: this allocator makes a seed a tenth cheaper.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    cli::main(&registry())
}
