//! What the chain lets go: accepted, executed past, expired.

use super::{Draft, Producer, State, Status};
use crate::{
    chunk_store::message::Effect,
    reference::{Place, Reference},
};
use commonware_cryptography::PublicKey;
use drystone_engine::{Horizon, Verdict};

impl<P: PublicKey> State<P> {
    /// Frees what a block accepted, once: an id that is not known here changes nothing.
    pub(super) fn accepted(
        &mut self,
        height: u64,
        references: &[Reference<P>],
        effects: &mut Vec<Effect<P>>,
    ) -> bool {
        let mut freed = false;
        for reference in references {
            if let Some(producer) = self.producers.get_mut(&reference.sequencer)
                && producer.release(&reference.place)
            {
                freed = true;
                producer.let_go(&reference.sequencer, &reference.place, effects);
            }
            // An own header that a certificate went past before the engine asked about it.
            if reference.sequencer == self.config.me && self.entry(reference).is_none() {
                // One packed later is for a later header.
                let of_it = |it: &Draft| {
                    it.payload == reference.payload() && it.slot <= reference.place.slot
                };
                let draft = self.drafts.get(&reference.place.digest).copied();
                if let Some(draft) = draft.filter(of_it) {
                    self.drafts.remove(&reference.place.digest);
                    self.drop_draft(draft);
                    freed = true;
                }
            }
        }
        self.executed_height = self.executed_height.max(height);
        let expiries = references
            .iter()
            .filter_map(|it| self.config.genesis.expiry_ms(it.place.slot));
        if let Some(latest_ms) = expiries.max() {
            self.recent.push_back((height, latest_ms));
        }
        effects.push(Effect::Accepted(height));
        self.retire(effects);
        freed
    }

    pub(super) fn advanced(&mut self, horizon: Horizon<P>, effects: &mut Vec<Effect<P>>) {
        self.finalized_ms = self.finalized_ms.max(horizon.finalized_ms);
        self.executed_ms = self.executed_ms.max(horizon.executed_ms);
        let mut freed = false;
        for (sequencer, tip) in horizon.executed {
            let producer = self.producer(&sequencer);
            for place in producer.execute(tip.height) {
                freed = true;
                producer.let_go(&sequencer, &place, effects);
            }
        }
        freed |= self.expire(effects);
        let bucket = self.executed_ms / self.config.bucket_ms;
        if bucket > self.pruned {
            self.pruned = bucket;
            self.numbers = self.numbers.split_off(&bucket);
            effects.push(Effect::Prune(bucket));
        }
        self.retire(effects);
        if freed {
            self.stir(effects);
        }
    }

    fn expire(&mut self, effects: &mut Vec<Effect<P>>) -> bool {
        let (executed_ms, genesis) = (self.executed_ms, self.config.genesis.clone());
        let mut freed = false;
        for (sequencer, producer) in &mut self.producers {
            let is_live = |it: &Place| {
                genesis
                    .expiry_ms(it.slot)
                    .is_some_and(|it| it >= executed_ms)
            };
            producer.drop_early(is_live);
            for (place, entry) in producer.expire(executed_ms) {
                freed = true;
                if entry.status == Status::Missing && entry.held {
                    effects.push(Effect::Settle(entry.reference(sequencer, &place)));
                }
                if !matches!(entry.status, Status::Stored(_) | Status::Invalid) {
                    let reference = entry.reference(sequencer, &place);
                    effects.push(Effect::Answer(reference, Verdict::Pending));
                }
            }
        }
        // A draft goes with its bucket.
        let bucket = executed_ms / self.config.bucket_ms;
        let gone: Vec<_> = self
            .drafts
            .extract_if(.., |_, it| it.location.bucket < bucket)
            .collect();
        for (_, draft) in gone {
            freed = true;
            self.drop_draft(draft);
        }
        freed
    }

    /// What a block accepted is kept until the retention limit, and until nothing of it could wait for a block again
    /// after a restart.
    fn retire(&mut self, effects: &mut Vec<Effect<P>>) {
        let executed_ms = self.executed_ms;
        while self
            .recent
            .front()
            .is_some_and(|(_, latest_ms)| *latest_ms < executed_ms)
        {
            self.recent.pop_front();
        }
        if executed_ms <= self.retire_after_ms {
            return;
        }
        let limit = self
            .executed_height
            .saturating_sub(self.config.retention_blocks);
        let live = self.recent.iter().map(|(height, _)| *height).min();
        let retired = live.map_or(limit, |it| it.min(limit));
        if retired > self.retired {
            self.retired = retired;
            effects.push(Effect::Retire(retired));
        }
    }

    pub(super) fn stir(&self, effects: &mut Vec<Effect<P>>) {
        if self.producers.values().any(Producer::is_refused) {
            effects.push(Effect::Stir);
        }
    }
}

impl Producer {
    /// A chunk is not held any more: if its body is not here, nobody looks for it and nobody waits for it.
    fn let_go<P: PublicKey>(&self, sequencer: &P, place: &Place, effects: &mut Vec<Effect<P>>) {
        let entry = &self.entries[place];
        if entry.status == Status::Missing {
            let reference = entry.reference(sequencer, place);
            effects.push(Effect::Settle(reference.clone()));
            effects.push(Effect::Answer(reference, Verdict::Pending));
        }
    }
}
