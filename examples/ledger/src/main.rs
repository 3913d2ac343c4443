//! The node of the ledger, its command line and its client: `ledger --help`.

use std::process::ExitCode;

/// A node allocates in small pieces on every thread all the time.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    drystone_actors::cli::main::<ledger::Node>()
}
