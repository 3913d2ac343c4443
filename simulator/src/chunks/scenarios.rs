//! Scenarios of chunks by name.

use super::{options::Options, system::Chunks};
use crate::{Scenario, time::secs};

/// What the command line knows.
pub fn named() -> Vec<Scenario<Chunks>> {
    let calm = |name: &str, nodes: usize| {
        Scenario::<Chunks>::cluster(nodes)
            .named(name)
            .options(Options::all(nodes))
            .lasting(secs(20))
    };
    vec![Scenario::swarm("swarm"), calm("calm", 4)]
}
