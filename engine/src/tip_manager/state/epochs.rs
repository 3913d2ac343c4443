//! Epochs: entering one, and what becomes of bases, locks and proofs then.

use super::{Effect, State, sign};
use crate::{
    activity::Activity,
    canary::Canary,
    record::{Key, Record},
    types::Types,
    wire::Acks,
};

impl<T: Types> State<T> {
    /// The epoch this node is in or about to be in.
    pub fn newest_epoch(&self) -> u64 {
        match self.entering {
            Some((epoch, _)) => epoch,
            None => self.epochs.epoch(),
        }
    }

    /// Begins to enter an epoch: what follows waits until that is durable.
    pub(super) fn enter(&mut self, epoch: u64, effects: &mut Vec<Effect<T>>) {
        let ahead = self.entering.map_or(self.epochs.epoch(), |(it, _)| it);
        if epoch <= ahead || self.epochs.committee(epoch).is_none() {
            return;
        }
        if self.canary.is(Canary::ForgetEpoch) {
            self.entering = Some((epoch, self.durable));
            self.entered(effects);
            return;
        }
        let position = self.journal(Record::Entered { epoch }, effects);
        self.entering = Some((epoch, position));
    }

    /// The epoch is durable: locks are scoped to it from here on.
    pub(super) fn entered(&mut self, effects: &mut Vec<Effect<T>>) {
        let (epoch, _) = self.entering.take().expect("entering");
        assert!(self.epochs.enter(epoch), "a known, later epoch");
        effects.push(Effect::Report(Activity::Entered(epoch)));
        self.candidates
            .retain(|_, it| self.epochs.contain(it.certificate.epoch));
        let sequencers: Vec<_> = self.lanes.keys().cloned().collect();
        for sequencer in sequencers {
            if !self.fit_base(&sequencer, effects) {
                let lane = self.lanes.get_mut(&sequencer).expect("listed");
                lane.drop_locks(&self.genesis);
            }
            self.ack_base(&sequencer, effects);
        }
        self.fit_evidence(effects);
    }

    /// The node starts from its journal, and asks for every verdict anew.
    ///
    /// It may have stopped after an epoch was durable and before the bases that replace those out of its bounds were:
    /// then they are replaced now. No ack of this epoch left, since each comes behind them in the journal.
    pub(super) fn started(&mut self, effects: &mut Vec<Effect<T>>) {
        let sequencers: Vec<_> = self.lanes.keys().cloned().collect();
        for sequencer in sequencers {
            self.fit_base(&sequencer, effects);
            // Whoever kept no memory of these over the stop is told again.
            let lane = self.lanes.get(&sequencer).expect("listed");
            let locked = lane.locks.values().map(|it| &it.header);
            let headers = lane.chain.values().chain(locked).cloned();
            effects.extend(headers.map(|it| Effect::Report(Activity::Linked(it))));
            let certificate = lane.base.certificate.clone();
            effects.extend(certificate.map(|it| Effect::Report(Activity::Certified(it))));
        }
        self.ask_again(effects);
    }

    /// Replaces a base that is out of bounds, or does not descend from the executed entry, by that entry.
    fn fit_base(&mut self, sequencer: &T::PublicKey, effects: &mut Vec<Effect<T>>) -> bool {
        let lane = self.lanes.get(sequencer).expect("listed");
        let certificate = lane.base.certificate.as_ref();
        let within = certificate.is_none_or(|it| self.epochs.contain(it.epoch));
        if within && !lane.departs_from_executed() {
            return false;
        }
        let record = Record::Base {
            sequencer: sequencer.clone(),
            tip: lane.executed,
            certificate: None,
        };
        let position = self.journal(record, effects);
        let lane = self.lanes.get_mut(sequencer).expect("just seen");
        lane.restart(&self.genesis, position);
        self.unsynced.push_back((position, sequencer.clone()));
        true
    }

    /// Acks the base header in the current epoch, if its certificate is an earlier epoch's.
    pub(super) fn ack_base(&mut self, sequencer: &T::PublicKey, effects: &mut Vec<Effect<T>>) {
        if !self.signs() || self.epochs.current().sequencer_index(sequencer).is_none() {
            return;
        }
        let epoch = self.epochs.epoch();
        let committee = self.epochs.current().clone();
        let Some(lane) = self.lanes.get_mut(sequencer) else {
            return;
        };
        let base = &mut lane.base;
        let certified = base
            .certificate
            .as_ref()
            .is_some_and(|it| it.epoch >= epoch);
        if base.tip.height == 0 || certified || base.contested || base.position > self.durable {
            return;
        }
        if base.ack.is_none() {
            base.ack = sign(&committee, sequencer, &base.tip);
            let tip = base.tip;
            let sequencer = sequencer.clone();
            effects.push(Effect::Report(Activity::Acked {
                epoch,
                sequencer,
                tip,
            }));
        }
        let acks = base.ack.iter().cloned().collect();
        effects.push(Effect::Ack(Acks {
            committee,
            sequencer: sequencer.clone(),
            acks,
        }));
    }

    /// Proofs are kept for the epochs within the bounds: each was reported when it was found.
    fn fit_evidence(&mut self, effects: &mut Vec<Effect<T>>) {
        let epochs = &self.epochs;
        let outside = |(epoch, _): &(u64, T::PublicKey), _: &mut u64| !epochs.contain(*epoch);
        for ((epoch, sequencer), _) in self.evidence.extract_if(.., outside) {
            let key = Key::Evidence(sequencer, epoch);
            effects.push(Effect::Forget(key.clone()..=key));
        }
    }
}
