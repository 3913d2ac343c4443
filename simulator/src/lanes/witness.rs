//! Turns what an engine reports into observations, whatever owns its bodies.

use super::{
    genesis::World,
    observation::{Seen, Short},
};
use commonware_cryptography::{certificate::Verifier as _, sha256};
use commonware_parallel::Sequential;
use commonware_utils::{TestRng, sync::Mutex};
use drystone_engine::{
    Activity,
    scheme::{AckSubject, fixture::Fixture},
    types::{Certificate, Committee, Evidence, Types},
};
use std::{collections::BTreeMap, sync::Arc};

/// The last certificate of each lane that the harness verified: the other nodes report the same one.
pub type Newest<T> = Arc<Mutex<BTreeMap<usize, Arc<Certificate<T>>>>>;

/// The harness's view of one life of a node.
pub struct Witness<F: Fixture, T: Types> {
    world: Arc<World<F>>,
    newest: Newest<T>,
    /// The committee of each epoch met in this life.
    committees: Mutex<BTreeMap<u64, Committee<T>>>,
}

impl<F, T> Witness<F, T>
where
    F: Fixture,
    T: Types<PublicKey = F::PublicKey, Scheme = F::Scheme>,
{
    pub const fn new(world: Arc<World<F>>, newest: Newest<T>) -> Self {
        Self {
            world,
            newest,
            committees: Mutex::new(BTreeMap::new()),
        }
    }

    fn lane(&self, sequencer: &F::PublicKey) -> usize {
        self.world.nodes[sequencer]
    }

    /// Whether the harness, which has the scheme but not the engine's code, verifies it too.
    pub fn is_genuine(&self, certificate: &Arc<Certificate<T>>) -> bool {
        let lane = self.lane(&certificate.sequencer);
        let mut newest = self.newest.lock();
        if newest.get(&lane).is_some_and(|it| it == certificate) {
            return true;
        }
        let mut committees = self.committees.lock();
        let committee = committees
            .entry(certificate.epoch)
            .or_insert_with(|| self.world.committee(certificate.epoch, None));
        let subject = AckSubject {
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
            newest.insert(lane, certificate.clone());
        }
        genuine
    }

    /// What is seen of an activity; nothing, if it only repeats what somebody reported before.
    pub fn seen(&self, activity: &Activity<T>) -> Option<Seen> {
        Some(match activity {
            Activity::Proposed(header) => Seen::Proposed {
                lane: self.lane(&header.header().sequencer),
                height: header.height(),
                slot: header.header().slot,
                digest: Short::of(&header.digest()),
            },
            Activity::Tip(header) => {
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
            Activity::Linked(_) => return None,
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
            Activity::Certified(certificate) => Seen::Certified {
                epoch: certificate.epoch,
                lane: self.lane(&certificate.sequencer),
                height: certificate.tip.height,
                digest: Short::of(&certificate.tip.digest),
                genuine: self.is_genuine(certificate),
            },
            Activity::Evidence(evidence) => self.evidence(evidence),
            Activity::Entered(epoch) => Seen::Entered { epoch: *epoch },
        })
    }

    fn evidence(&self, evidence: &Evidence<T>) -> Seen {
        let committee = match evidence {
            Evidence::Certified(_, certificate) => {
                Some(self.world.committee(certificate.epoch, None))
            }
            Evidence::Headers(..) => None,
        };
        let namespace = self.world.genesis.header_namespace();
        let mut rng = TestRng::new(0);
        Seen::Evidence {
            lane: self.lane(evidence.sequencer()),
            height: evidence.height(),
            genuine: evidence.verify(&namespace, committee.as_ref(), &mut rng, &Sequential),
        }
    }
}
