//! Looks at everything the validators do, and certifies what they and the faulty one acked.

use super::{FAULTY, Model, SEQUENCER};
use crate::{
    activity::Activity,
    record::Record,
    scheme::free,
    testing::Nouns,
    tip_manager::Effect,
    types::{Certificate, Digest},
    wire::Acks,
};
use commonware_cryptography::certificate::{Attestation, Scheme as _};
use commonware_parallel::Sequential;
use commonware_utils::{iter::NonEmpty, test_rng};
use std::sync::Arc;

impl Model {
    pub(super) fn absorb(&mut self, at: usize, effects: Vec<Effect<Nouns>>) {
        for effect in effects {
            let validator = &mut self.validators[at];
            match effect {
                Effect::Judge(header) => validator.questions.push(header),
                Effect::Check(batch) => validator.checks.push(batch),
                Effect::Forget(keys) => {
                    let before = validator.node.written.len();
                    validator.forgotten.push((before, keys));
                }
                Effect::Report(Activity::Evidence(_)) => self.seen.proofs += 1,
                Effect::Ack(acks) => self.count(at, &acks),
                Effect::Refuse { refusal, .. } => {
                    assert!(
                        !refusal.is_attributable(),
                        "{refusal}: nothing is forged here"
                    );
                }
                _ => {}
            }
        }
    }

    /// Every ack: bound by a durable record, and by every ack before it.
    fn count(&mut self, at: usize, acks: &Acks<Nouns>) {
        let epoch = acks.committee.epoch();
        for ack in &acks.acks {
            self.seen.acks += 1;
            let node = &self.validators[at].node;
            let durable = &node.written[..node.durable()];
            let binds = |it: &Record<Nouns>| match it {
                Record::Lock { epoch: of, header } => *of == epoch && header.digest() == ack.digest,
                Record::Base { tip, .. } => tip.digest == ack.digest,
                _ => false,
            };
            let entered = |it: &Record<Nouns>| *it == Record::Entered { epoch };
            assert!(
                durable.iter().any(binds),
                "{at} acked {} before its sync",
                ack.height
            );
            assert!(
                durable.iter().any(entered),
                "{at} acked in epoch {epoch} before its sync"
            );
            let before = *self
                .acked
                .entry((at, epoch, ack.height))
                .or_insert(ack.digest);
            assert_eq!(
                before, ack.digest,
                "{at} acked twice at {} in epoch {epoch}",
                ack.height
            );
            self.vote(at, epoch, ack.digest, ack.attestation.clone());
        }
    }

    fn vote(
        &mut self,
        at: usize,
        epoch: u64,
        digest: Digest,
        attestation: Attestation<free::Scheme<free::PublicKey>>,
    ) {
        let header = self
            .headers
            .iter()
            .find(|it| it.digest() == digest)
            .expect("signed")
            .clone();
        let votes = self
            .votes
            .entry((epoch, header.height(), digest))
            .or_default();
        votes.insert(at, attestation);
        votes.insert(FAULTY, self.world.attest(FAULTY, epoch, &header));
        if votes.len() != 3
            || self
                .certificates
                .iter()
                .any(|it| it.epoch == epoch && it.tip.digest == digest)
        {
            return;
        }
        let votes = NonEmpty::try_new(votes.values().cloned().collect::<Vec<_>>().into_iter());
        let committee = self.world.committee(at, epoch);
        let proof = committee
            .scheme()
            .assemble(votes.expect("three"), &Sequential)
            .expect("a quorum");
        let sequencer = self.world.key(SEQUENCER);
        let certificate = Certificate {
            epoch,
            sequencer,
            tip: header.tip(),
            proof,
        };
        assert!(certificate.verify(&committee, &mut test_rng(), &Sequential));
        let unique = *self
            .certified
            .entry((epoch, header.height()))
            .or_insert(digest);
        assert_eq!(
            unique,
            digest,
            "two certificates at {} in epoch {epoch}",
            header.height()
        );
        self.certificates.push(Arc::new(certificate));
        self.seen.certificates += 1;
    }
}
