//! Scenarios of whole nodes by name.

use super::{options::Options, system::Nodes};
use crate::{Scenario, time::secs};

/// What the command line knows.
pub fn named() -> Vec<Scenario<Nodes>> {
    let calm = |name: &str, nodes: usize| {
        Scenario::<Nodes>::cluster(nodes)
            .named(name)
            .options(Options::all(nodes))
            .lasting(secs(20))
    };
    vec![Scenario::swarm("swarm"), calm("calm", 4)]
}
