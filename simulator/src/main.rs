//! The command line of the simulator.

use drystone_simulator::{cli, lanes};
use std::process::ExitCode;

fn main() -> ExitCode {
    cli::main(&lanes::registry())
}
