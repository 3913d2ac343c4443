//! What must hold of whole nodes. Judged on observations alone.

mod blocks;
mod chain;
mod execution;
mod lane;
mod model;
#[cfg(test)]
mod tests;
mod verdicts;

use super::{
    observation::Seen,
    system::{Nodes, start_ms},
};
use crate::{Plan, Property, lanes, property::StopsOnlyOnDiskErrors};

/// Every safety property: those of lanes, and those of what is around them.
pub fn all(plan: &Plan<Nodes>) -> Vec<Box<dyn Property<Seen>>> {
    let healthy = plan.healthy();
    let lanes = lanes::safety(&plan.options.chunks.lanes, &healthy);
    // What fits is judged of whole blocks here.
    let lanes = lanes.into_iter().filter(|it| it.name() != "fits a block");
    let lanes = lanes.map(lane::of_lanes);
    let mut properties: Vec<Box<dyn Property<Seen>>> = lanes.collect();
    properties.extend([
        Box::new(chain::OneChain::new(healthy.clone())) as Box<dyn Property<Seen>>,
        Box::new(execution::ExecutesAlike::new(healthy.clone())),
        Box::new(chain::HonestBlocks::new(plan)),
        Box::new(blocks::KeepsRules::new(plan, start_ms())),
        Box::new(execution::StaysFinal::new(healthy.clone())),
        Box::new(execution::ExecutesLive::new(healthy.clone())),
        Box::new(execution::ExecutesOnce::new(healthy.clone())),
        Box::new(model::FollowsRules::new(plan)),
        Box::new(model::ProvesAccounts::new(plan)),
        Box::new(verdicts::LeavesWithVerdict::new(healthy)),
        Box::new(StopsOnlyOnDiskErrors::new(plan)),
    ]);
    properties
}
