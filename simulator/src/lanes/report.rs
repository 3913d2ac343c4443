//! One life of a node's reporter.

use super::{
    boot::Shared,
    byzantine,
    genesis::Nouns,
    observation::{Seen, Short},
};
use crate::Observer;
use commonware_cryptography::{certificate::Verifier as _, sha256};
use commonware_parallel::Sequential;
use commonware_utils::{TestRng, sync::Mutex};
use drystone_engine::{
    Activity, Reporter,
    scheme::fixture::Fixture,
    types::{Certificate, Committee, Evidence, Signed},
};
use std::{collections::BTreeMap, sync::Arc};

/// Turns activities into observations, and shows own headers to what misbehaves.
pub struct Report<F: Fixture> {
    life: Arc<Reporting<F>>,
}

struct Reporting<F: Fixture> {
    node: usize,
    shared: Shared<F>,
    observer: Observer<Seen>,
    tap: Option<byzantine::Tap<F>>,
    /// The harness's own view of each epoch met in this life.
    committees: Mutex<BTreeMap<u64, Committee<Nouns<F>>>>,
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
            shared,
            observer,
            tap,
            committees: Mutex::default(),
        };
        Self {
            life: Arc::new(life),
        }
    }

    fn lane(&self, sequencer: &F::PublicKey) -> usize {
        self.life.shared.world.nodes[sequencer]
    }

    /// Whether the harness, which has the scheme but not the engine's code, verifies it too.
    fn genuine(&self, lane: usize, certificate: &Arc<Certificate<Nouns<F>>>) -> bool {
        let mut last = self.life.shared.genuine.lock();
        if last.get(&lane).is_some_and(|it| it == certificate) {
            return true;
        }
        let mut committees = self.life.committees.lock();
        let world = &self.life.shared.world;
        let committee = committees
            .entry(certificate.epoch)
            .or_insert_with(|| world.committee(certificate.epoch, None));
        let subject = drystone_engine::scheme::AckSubject {
            epoch: certificate.epoch,
            sequencer: &certificate.sequencer,
            height: certificate.tip.height,
            slot: certificate.tip.slot,
            digest: &certificate.tip.digest,
        };
        let genuine = committee.scheme().verify_certificate::<_, sha256::Digest>(
            &mut TestRng::new(0),
            subject,
            &certificate.proof,
            &Sequential,
        );
        if genuine {
            last.insert(lane, certificate.clone());
        }
        genuine
    }

    fn locked(&self, header: &Signed<Nouns<F>>) -> Seen {
        let it = header.header();
        Seen::Locked {
            lane: self.lane(&it.sequencer),
            height: it.height,
            slot: it.slot,
            digest: Short::of(&header.digest()),
            previous: Short::of(&it.previous),
            payload: Short::of(&it.payload.digest),
        }
    }
}

impl<F: Fixture> Reporter<Nouns<F>> for Report<F> {
    fn report(&self, activity: Activity<Nouns<F>>) {
        let seen = match &activity {
            Activity::Proposed(header) => {
                if let Some(tap) = &self.life.tap {
                    tap.show(header.clone());
                }
                Seen::Proposed {
                    lane: self.lane(&header.header().sequencer),
                    height: header.height(),
                    slot: header.header().slot,
                    digest: Short::of(&header.digest()),
                }
            }
            Activity::Tip(header) => self.locked(header),
            Activity::Acked {
                epoch,
                sequencer,
                tip,
            } => Seen::Acked {
                epoch: *epoch,
                lane: self.lane(sequencer),
                height: tip.height,
                slot: tip.slot,
                digest: Short::of(&tip.digest),
            },
            Activity::Certified(certificate) => {
                if let Some(tap) = &self.life.tap {
                    tap.certified(certificate);
                }
                let lane = self.lane(&certificate.sequencer);
                self.life
                    .shared
                    .certified
                    .lock()
                    .push((self.life.node, lane, certificate.tip));
                Seen::Certified {
                    epoch: certificate.epoch,
                    lane,
                    height: certificate.tip.height,
                    digest: Short::of(&certificate.tip.digest),
                    genuine: self.genuine(lane, certificate),
                }
            }
            Activity::Evidence(evidence) => {
                let world = &self.life.shared.world;
                let committee = match evidence {
                    Evidence::Certified(_, certificate) => {
                        Some(world.committee(certificate.epoch, None))
                    }
                    Evidence::Headers(..) => None,
                };
                let namespace = world.genesis.header_namespace();
                let mut rng = TestRng::new(0);
                Seen::Evidence {
                    lane: self.lane(evidence.sequencer()),
                    height: evidence.height(),
                    genuine: evidence.verify(&namespace, committee.as_ref(), &mut rng, &Sequential),
                }
            }
            Activity::Entered(epoch) => Seen::Entered { epoch: *epoch },
        };
        self.life.observer.report(seen);
    }
}
