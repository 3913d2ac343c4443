//! The command line of the simulator.

use drystone_engine::scheme::fixture::{Ed25519, Free, Multisig, Secp256r1, Threshold};
use drystone_simulator::{
    campaign::Registry,
    cli,
    lanes::{Lanes, Mixed},
};
use std::process::ExitCode;

/// The scenarios that the program knows. The first is the one that is run when none is named.
fn registry() -> Registry {
    Registry::new()
        .with_runnable(Mixed::default())
        .with::<Lanes<Free>>()
        .with::<Lanes<Ed25519>>()
        .with::<Lanes<Secp256r1>>()
        .with::<Lanes<Multisig>>()
        .with::<Lanes<Threshold>>()
}

fn main() -> ExitCode {
    cli::main(&registry())
}
