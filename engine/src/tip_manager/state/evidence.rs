//! Two headers for one height: proof against their sequencer, never a panic.

use super::{Effect, State};
use crate::{
    activity::Activity,
    canary::Canary,
    record::Record,
    refusal::Refusal,
    types::{Evidence, Signed, Types},
};
use std::sync::Arc;

impl<T: Types> State<T> {
    /// Two headers at one height of which one is verified: evidence if the other is as well.
    pub(super) fn conflict(
        &mut self,
        from: &T::PublicKey,
        held: Arc<Signed<T>>,
        other: &Arc<Signed<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        if self.is_convicted(&other.header().sequencer) {
            return;
        }
        if !self.may_accuse(other) {
            self.refuse(from, Refusal::HeaderSignature(other.height()), effects);
            return;
        }
        if self.canary.is(Canary::ReplaceLock) {
            self.replace(other.clone(), effects);
            return;
        }
        self.keep(Evidence::headers(held, other.clone()), effects);
    }

    /// Whether a proof of this epoch is kept. More of them are counted, but cost no look at a signature.
    pub(super) fn is_convicted(&mut self, sequencer: &T::PublicKey) -> bool {
        let key = (self.epochs.epoch(), sequencer.clone());
        let count = self.evidence.get_mut(&key);
        count.map(|it| *it += 1).is_some()
    }

    /// Whether a second header for a height is its sequencer's own word.
    pub(super) fn may_accuse(&self, header: &Signed<T>) -> bool {
        header.verify(&self.header_namespace) || self.canary.is(Canary::AccuseUnchecked)
    }

    /// The planted bug [`Canary::ReplaceLock`].
    fn replace(&mut self, header: Arc<Signed<T>>, effects: &mut Vec<Effect<T>>) {
        let sequencer = header.header().sequencer.clone();
        let (genesis, height) = (self.genesis.clone(), header.height());
        let lane = self.lane(&sequencer);
        lane.locks.split_off(&height);
        let (tip, certificate) = (lane.base.tip, lane.base.certificate.clone());
        let position = lane.base.position;
        lane.top = tip;
        lane.rebase(&genesis, tip, certificate, position);
        // Or it would stop at an assertion before it could ack.
        lane.recount(&genesis);
        lane.waiting.insert(height, header);
        self.extend(&sequencer, effects);
    }

    /// Keeps a proof: the first of an epoch and sequencer, the rest are counted.
    pub(super) fn keep(&mut self, evidence: Evidence<T>, effects: &mut Vec<Effect<T>>) {
        let epoch = self.epochs.epoch();
        let count = self
            .evidence
            .entry((epoch, evidence.sequencer().clone()))
            .or_insert(0);
        *count += 1;
        if *count > 1 {
            return;
        }
        self.journal(
            Record::Evidence {
                epoch,
                evidence: evidence.clone(),
            },
            effects,
        );
        effects.push(Effect::Report(Activity::Evidence(evidence)));
    }
}
