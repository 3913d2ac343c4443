//! Headers: each check in turn, cheapest first.

use super::{Effect, State, To, lane::Opinion};
use crate::{
    activity::Activity,
    canary::Canary,
    record::Record,
    refusal::Refusal,
    types::{Evidence, Signed, Types},
    wire::{Acks, Envelope},
};
use std::sync::Arc;

impl<T: Types> State<T> {
    pub(super) fn delivered(
        &mut self,
        from: &T::PublicKey,
        envelope: Envelope<T>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let Envelope {
            sequencer,
            headers,
            certificate,
        } = envelope;
        let bare = headers.is_empty();
        if let Some(certificate) = certificate {
            // A bare certificate from the lane's owner that is our base already: it wants it
            // certified in this epoch, or lost our ack.
            let known = self.lane(&sequencer).base.tip == certificate.tip;
            if bare && known && *from == sequencer {
                self.ack_base(&sequencer, effects);
            }
            self.offer(from, certificate, effects);
        }
        // A fetch is answered lowest first; below the base a header is vouched for by the one above.
        for header in headers.iter().rev() {
            if header.height() <= self.lane(&sequencer).base.tip.height {
                self.below(from, header, effects);
            }
        }
        let base = self.lane(&sequencer).base.tip.height;
        if *from == sequencer && headers.last().is_some_and(|it| it.height() < base) {
            self.show_base(&sequencer, effects);
        }
        // Who shows something new repeats what goes before it in case it was lost; who shows nothing new lacks acks.
        let lane = self.lane(&sequencer);
        let held =
            |height: &u64| lane.locks.contains_key(height) || lane.waiting.contains_key(height);
        let resent = *from == sequencer
            && headers
                .iter()
                .all(|it| it.height() <= base || held(&it.height()));
        for header in &headers {
            let base = self.lane(&sequencer).base.tip.height;
            if header.height() <= base {
                continue;
            }
            if header.height() > base.saturating_add(self.genesis.window()) {
                // One is enough to know that the lane is that far.
                self.beyond(from, header, effects);
                break;
            }
            self.above(from, header, resent, effects);
        }
        self.extend(&sequencer, effects);
        if let Some(hole) = self.lane(&sequencer).hole() {
            self.fetch(&sequencer, hole, To::Peer(from.clone()), effects);
        }
    }

    pub(super) fn refuse(
        &self,
        from: &T::PublicKey,
        refusal: Refusal,
        effects: &mut Vec<Effect<T>>,
    ) {
        effects.push(Effect::Refuse {
            from: from.clone(),
            refusal,
        });
    }

    /// A header at or below the base: it fills the chain, asks for the base's ack, or is too late.
    fn below(
        &mut self,
        from: &T::PublicKey,
        header: &Arc<Signed<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let genesis = self.genesis.clone();
        let sequencer = &header.header().sequencer;
        if !header.is_well_formed(&genesis) {
            self.refuse(from, Refusal::Impossible(header.height()), effects);
            return;
        }
        let lacked = self.lane(sequencer).lacks(header);
        // It is served to others, who cut off whoever shows them a bad signature.
        if lacked && !header.verify(&self.header_namespace) {
            self.refuse(from, Refusal::HeaderSignature(header.height()), effects);
            return;
        }
        let lane = self.lane(sequencer);
        if lacked {
            lane.fill(&genesis, header);
            effects.push(Effect::Report(Activity::Linked(header.clone())));
        }
        let (base, certificate) = (lane.base.tip, lane.base.certificate.clone());
        if header.height() < base.height {
            if !lacked {
                self.refuse(from, Refusal::BelowBase(header.height()), effects);
            }
            return;
        }
        if header.digest() == base.digest {
            if from == sequencer {
                self.ack_base(sequencer, effects);
                self.show_base(sequencer, effects);
            }
            return;
        }
        if self.is_convicted(sequencer) {
            return;
        }
        if !self.may_accuse(header) {
            self.refuse(from, Refusal::HeaderSignature(header.height()), effects);
        } else if let Some(certificate) = certificate {
            self.keep(Evidence::Certified(header.clone(), certificate), effects);
        }
    }

    /// The owner of a lane still resends what is certified: it does not know the certificate.
    fn show_base(&mut self, sequencer: &T::PublicKey, effects: &mut Vec<Effect<T>>) {
        let epoch = self.epochs.epoch();
        let Some(certificate) = self.lane(sequencer).base.certificate.clone() else {
            return;
        };
        // A sequencer that left the set is not in the committee its index would be looked up in.
        let gone = self.epochs.current().sequencer_index(sequencer).is_none();
        if certificate.epoch < epoch || *sequencer == self.me || gone {
            return;
        }
        let envelope = Envelope {
            sequencer: sequencer.clone(),
            headers: Vec::new(),
            certificate: Some(certificate),
        };
        effects.push(Effect::Answer {
            to: sequencer.clone(),
            envelope,
        });
    }

    /// A header above the base.
    fn above(
        &mut self,
        from: &T::PublicKey,
        header: &Arc<Signed<T>>,
        resent: bool,
        effects: &mut Vec<Effect<T>>,
    ) {
        let height = header.height();
        let sequencer = header.header().sequencer.clone();
        let lane = self.lane(&sequencer);
        if let Some(lock) = lane.locks.get(&height) {
            if lock.header.header() == header.header() {
                if resent {
                    self.ack_again(&sequencer, height, effects);
                }
                return;
            }
            let locked = lock.header.clone();
            self.conflict(from, locked, header, effects);
            return;
        }
        if let Some(waiting) = lane.waiting.get(&height) {
            if waiting.header() != header.header() {
                let waiting = waiting.clone();
                self.conflict(from, waiting, header, effects);
            }
            return;
        }
        if !header.is_well_formed(&self.genesis) {
            self.refuse(from, Refusal::Impossible(height), effects);
            return;
        }
        // Only who acks keeps headers; the others follow certificates.
        if !self.epochs.current().signs() {
            return;
        }
        if !header.verify(&self.header_namespace) {
            self.refuse(from, Refusal::HeaderSignature(height), effects);
            return;
        }
        self.lane(&sequencer).waiting.insert(height, header.clone());
    }

    /// A header beyond the window is not kept, but its sequencer's word that the lane has come so far starts a fetch:
    /// once until the next tick, so that a replay of it costs no second look at its signature.
    fn beyond(
        &mut self,
        from: &T::PublicKey,
        header: &Arc<Signed<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let height = header.height();
        let sequencer = header.header().sequencer.clone();
        let window = self.genesis.window();
        let lane = self.lane(&sequencer);
        let missing = lane.top.height + 1..=lane.base.tip.height.saturating_add(window);
        if lane.fetching.contains(&(*missing.start(), *missing.end())) {
            self.refuse(from, Refusal::BeyondWindow(height), effects);
        } else if !header.is_well_formed(&self.genesis) {
            self.refuse(from, Refusal::Impossible(height), effects);
        } else if !header.verify(&self.header_namespace) {
            self.refuse(from, Refusal::HeaderSignature(height), effects);
        } else {
            self.refuse(from, Refusal::BeyondWindow(height), effects);
            if !missing.is_empty() {
                self.fetch(&sequencer, missing, To::Peer(from.clone()), effects);
            }
        }
    }

    /// The same acks again, from a resent height up to the end of what is acked.
    fn ack_again(&mut self, sequencer: &T::PublicKey, height: u64, effects: &mut Vec<Effect<T>>) {
        if !self.signs() {
            return;
        }
        let committee = self.epochs.current().clone();
        let Some(lane) = self.lanes.get(sequencer) else {
            return;
        };
        if committee.sequencer_index(sequencer).is_none() {
            return;
        }
        let Some(ack) = lane.locks.get(&height).and_then(|it| it.ack.clone()) else {
            return;
        };
        if let Some(Effect::Ack(last)) = effects.last_mut() {
            let same = last.sequencer == *sequencer && last.committee.epoch() == committee.epoch();
            if same && last.acks.len() < crate::wire::ACKS_MAX {
                last.acks.push(ack);
                return;
            }
        }
        let sequencer = sequencer.clone();
        effects.push(Effect::Ack(Acks {
            committee,
            sequencer,
            acks: vec![ack],
        }));
    }

    /// Locks the waiting headers that extend the run, as far as slots and the lane's lead allow.
    pub(super) fn extend(&mut self, sequencer: &T::PublicKey, effects: &mut Vec<Effect<T>>) {
        if self.entering.is_some() || !self.epochs.current().signs() {
            return;
        }
        let (genesis, canary) = (self.genesis.clone(), self.canary);
        let (epoch, now_ms, finalized_ms) = (self.epochs.epoch(), self.now_ms, self.finalized_ms);
        let mut locked = false;
        while !self.is_backlogged() {
            let lane = self.lane(sequencer);
            let next = lane.top.height + 1;
            if lane.locks.contains_key(&next) {
                // A fork that a certificate overtook holds this height for the rest of the epoch.
                break;
            }
            let Some(header) = lane.waiting.get(&next).cloned() else {
                break;
            };
            if !header.extends(&lane.top) {
                lane.waiting.remove(&next);
                let from = sequencer.clone();
                effects.push(Effect::Refuse {
                    from,
                    refusal: Refusal::BrokenLink(next),
                });
                break;
            }
            let slot_ms = genesis.slot_start_ms(header.header().slot);
            if slot_ms > now_ms {
                self.wake_ms = Some(self.wake_ms.map_or(slot_ms, |it| it.min(slot_ms)));
                break;
            }
            let payload = header.header().payload;
            let room = lane.ahead.admits(next, payload.bytes, payload.items);
            if !room && !canary.is(Canary::NoLead) {
                break;
            }
            lane.waiting.remove(&next);
            let position = self.journal(
                Record::Lock {
                    epoch,
                    header: header.clone(),
                },
                effects,
            );
            self.unsynced.push_back((position, sequencer.clone()));
            self.lane(sequencer)
                .lock(&genesis, header.clone(), position);
            effects.push(Effect::Report(Activity::Tip(header.clone())));
            let expired = genesis
                .expiry_ms(header.header().slot)
                .is_some_and(|it| it < finalized_ms);
            if expired {
                let lock = self
                    .lane(sequencer)
                    .locks
                    .get_mut(&next)
                    .expect("just locked");
                lock.opinion = Opinion::Pending;
            } else {
                effects.push(Effect::Judge(header));
            }
            locked = true;
        }
        if locked && self.canary.is(Canary::AckBeforeSync) {
            self.progress(sequencer, effects);
        }
    }
}
