//! One life of a node's reporter.

use super::{boot::Shared, byzantine, genesis::Nouns, observation::Seen, witness::Witness};
use crate::Observer;
use drystone_engine::{Activity, Reporter, scheme::fixture::Fixture};
use std::sync::Arc;

/// Turns activities into observations, and shows own headers to what misbehaves.
pub struct Report<F: Fixture> {
    life: Arc<Reporting<F>>,
}

struct Reporting<F: Fixture> {
    node: usize,
    shared: Shared<F>,
    observer: Observer<Seen>,
    tap: Option<byzantine::Tap<F>>,
    witness: Witness<F, Nouns<F>>,
}

impl<F: Fixture> Clone for Report<F> {
    fn clone(&self) -> Self {
        Self {
            life: self.life.clone(),
        }
    }
}

impl<F: Fixture> Report<F> {
    pub fn new(
        node: usize,
        shared: Shared<F>,
        observer: Observer<Seen>,
        tap: Option<byzantine::Tap<F>>,
    ) -> Self {
        let life = Reporting {
            node,
            witness: Witness::new(shared.world.clone(), shared.genuine.clone()),
            shared,
            observer,
            tap,
        };
        Self {
            life: Arc::new(life),
        }
    }
}

impl<F: Fixture> Reporter<Nouns<F>> for Report<F> {
    fn report(&self, activity: Activity<Nouns<F>>) {
        let life = &self.life;
        match &activity {
            Activity::Proposed(header) => {
                if let Some(tap) = &life.tap {
                    tap.show(header.clone());
                }
            }
            Activity::Certified(certificate) => {
                if let Some(tap) = &life.tap {
                    tap.certified(certificate);
                }
                let lane = life.shared.world.nodes[&certificate.sequencer];
                let mut certified = life.shared.certified.lock();
                certified.push((life.node, lane, certificate.tip));
            }
            _ => {}
        }
        if let Some(seen) = life.witness.seen(&activity) {
            life.observer.report(seen);
        }
    }
}
