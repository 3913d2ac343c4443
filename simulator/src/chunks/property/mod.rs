//! What must hold of chunks. Judged on observations alone.

mod agrees;
mod genuine;
mod kept;
mod lane;
mod memory;
mod quota;
mod selected;
mod verdicts;

use super::{observation::Seen, system::Chunks};
use crate::{Plan, Property, lanes, property::StopsOnlyOnDiskErrors};
use std::collections::BTreeSet;

/// Every safety property: those of lanes, and those of what is around them.
pub fn all(plan: &Plan<Chunks>) -> Vec<Box<dyn Property<Seen>>> {
    let healthy: BTreeSet<usize> = plan.healthy();
    let lanes = lanes::safety(&plan.options.lanes, &healthy);
    let lanes = lanes.into_iter().map(lane::of_lanes);
    let mut properties: Vec<Box<dyn Property<Seen>>> = lanes.collect();
    properties.extend([
        Box::new(verdicts::LeavesWithVerdict::new(plan)) as Box<dyn Property<Seen>>,
        Box::new(kept::KeepsBodies::new(plan)),
        Box::new(quota::WithinQuota::new(plan)),
        Box::new(memory::WithinMemory::new(plan)),
        Box::new(genuine::GenuineBodies::new(healthy.clone())),
        Box::new(selected::SelectsFitting::new(plan)),
        Box::new(agrees::ExecutesAlike::new(healthy)),
        Box::new(StopsOnlyOnDiskErrors::new(plan)),
    ]);
    properties
}
