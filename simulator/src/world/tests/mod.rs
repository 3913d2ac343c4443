//! The world, shown with a toy system.

mod faults;
mod runs;
pub(crate) mod toy;
mod wanted;

use crate::{Scenario, plan::Latencies, time::millis};
use toy::{Bug, Options, Toy};

/// Four nodes that repeat themselves ten times a second.
fn four(bug: Option<Bug>) -> Scenario<Toy> {
    Scenario::cluster(4).options(Options {
        repeat_us: millis(100),
        bug,
    })
}

/// A disk on which a crash can fall between a write and its sync.
const SLOW: Latencies = Latencies {
    read_us: 0,
    write_us: 0,
    sync_us: millis(5),
};
