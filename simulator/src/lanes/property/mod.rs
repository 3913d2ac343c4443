//! What must hold of certified lanes. Judged on observations alone.

mod acks_once;
mod advance;
mod bodies;
mod by_height;
mod certificates;
mod epochs;
mod evidence;
mod fits;
mod proposals;
mod remembers;
#[cfg(test)]
mod tests;

pub use advance::LanesAdvance;

use super::{
    observation::Seen,
    options::Options,
    system::{Lanes, Named},
};
use crate::{Plan, Property, property::StopsOnlyOnDiskErrors};
use std::collections::BTreeSet;

/// Every safety property.
pub fn all<F: Named>(plan: &Plan<Lanes<F>>) -> Vec<Box<dyn Property<Seen>>> {
    let mut properties = safety(&plan.options, &plan.healthy());
    properties.push(Box::new(StopsOnlyOnDiskErrors::new(plan)));
    properties
}

/// What lanes promise, whatever is around them.
pub fn safety(options: &Options, healthy: &BTreeSet<usize>) -> Vec<Box<dyn Property<Seen>>> {
    vec![
        Box::new(acks_once::AcksOnce::new(healthy.clone())),
        Box::new(remembers::RemembersAcks::new(healthy.clone())),
        Box::new(certificates::OneCertificate::default()),
        Box::new(certificates::GenuineCertificates::new(healthy.clone())),
        Box::new(proposals::ProposesOnce::new(healthy.clone())),
        Box::new(proposals::CertifiesProposed::new(healthy.clone())),
        Box::new(bodies::BodiesBeforeAcks::new(healthy.clone(), options)),
        Box::new(epochs::EpochsRise::new(healthy.clone())),
        Box::new(evidence::NobodyFramed::new(healthy.clone())),
        Box::new(fits::FitsABlock::new(options)),
    ]
}
