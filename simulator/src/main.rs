//! The command line of the simulator.

use drystone_simulator::{campaign::Registry, cli};
use std::process::ExitCode;

/// The scenarios that the program knows. The first is the one that is run when none is named.
fn registry() -> Registry {
    Registry::new()
}

fn main() -> ExitCode {
    cli::main(&registry())
}
