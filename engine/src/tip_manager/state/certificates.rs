//! Certificates and gossip.

use super::{Effect, State, To, earlier};
use crate::{
    activity::Activity,
    canary::Canary,
    record::Record,
    refusal::Refusal,
    tip_manager::ingress::Candidate,
    types::{Certificate, Types},
    wire::{CERTIFICATES_MAX, Envelope, Gossip, Told},
};
use std::sync::Arc;

/// Certificates waiting to be checked, at most. There is one of each lane from each peer at a time, and what finds no room
/// is shown again at the next rebroadcast.
const CANDIDATES_MAX: usize = 4096;

impl<T: Types> State<T> {
    /// Whether a certificate takes the place of its lane's base. At one height, a base of another
    /// digest may have been acked in this epoch: what only an earlier one certified would be acked
    /// beside it, so it stays out.
    fn is_news(&mut self, certificate: &Certificate<T>) -> bool {
        let current = self.epochs.epoch();
        let (height, epoch) = certificate.rank();
        let base = &self.lane(&certificate.sequencer).base;
        let newer = (height, Some(epoch)) > base.rank();
        let split = height == base.tip.height && certificate.tip.digest != base.tip.digest;
        newer && self.epochs.contain(epoch) && (!split || epoch >= current)
    }

    /// A peer showed a certificate: it is checked if it is news, together with others that are.
    pub(super) fn offer(
        &mut self,
        from: &T::PublicKey,
        certificate: Arc<Certificate<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        if self.is_backlogged() || !self.is_news(&certificate) {
            return;
        }
        if self.canary.is(Canary::TrustCertificates) {
            self.adopt(from, certificate, effects);
            return;
        }
        let key = (certificate.sequencer.clone(), from.clone());
        let newest = self.candidates.get(&key).map(|it| it.certificate.rank());
        let room = newest.is_some() || self.candidates.len() < CANDIDATES_MAX;
        if newest.is_some_and(|it| it >= certificate.rank()) || !room {
            return;
        }
        self.candidates.insert(
            key,
            Candidate {
                from: from.clone(),
                certificate,
            },
        );
        self.check(effects);
    }

    /// Hands out what is waiting, unless a check is under way already.
    fn check(&mut self, effects: &mut Vec<Effect<T>>) {
        if self.checking || self.candidates.is_empty() {
            return;
        }
        let mut batch: Vec<Candidate<T>> = Vec::new();
        for ((sequencer, _), candidate) in std::mem::take(&mut self.candidates) {
            let (height, epoch) = candidate.certificate.rank();
            let base = self.lanes.get(&sequencer).map(|it| it.base.rank());
            let stale = base.is_some_and(|it| (height, Some(epoch)) <= it);
            // They come lane by lane, so the same one from another peer is among the last.
            let mut lane = batch
                .iter()
                .rev()
                .take_while(|it| it.certificate.sequencer == sequencer);
            if !stale && !lane.any(|it| it.certificate == candidate.certificate) {
                batch.push(candidate);
            }
        }
        if !batch.is_empty() {
            self.checking = true;
            effects.push(Effect::Check(batch));
        }
    }

    pub(super) fn checked(
        &mut self,
        results: Vec<(Candidate<T>, bool)>,
        effects: &mut Vec<Effect<T>>,
    ) {
        self.checking = false;
        for (Candidate { from, certificate }, valid) in results {
            if valid {
                self.adopt(&from, certificate, effects);
            } else {
                let (height, epoch) = certificate.rank();
                let refusal = Refusal::CertificateSignature { height, epoch };
                effects.push(Effect::Refuse { from, refusal });
            }
        }
        self.check(effects);
    }

    /// A certificate is valid: it is the lane's base if it is the newest.
    pub(super) fn adopt(
        &mut self,
        from: &T::PublicKey,
        certificate: Arc<Certificate<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        let sequencer = certificate.sequencer.clone();
        // It may have been checked while the epoch moved on.
        if !self.is_news(&certificate) {
            return;
        }
        let tip = certificate.tip;
        let record = Record::Base {
            sequencer: sequencer.clone(),
            tip,
            certificate: Some(certificate.clone()),
        };
        let position = self.journal(record, effects);
        self.unsynced.push_back((position, sequencer.clone()));
        let genesis = self.genesis.clone();
        let lane = self.lane(&sequencer);
        // A header that waits at this height beside another certified one is proof.
        let waiting = lane
            .waiting
            .get(&tip.height)
            .filter(|it| it.digest() != tip.digest)
            .cloned();
        let locked = lane.locks.get(&tip.height).map(|it| it.header.clone());
        let conflicting = waiting.or(locked.filter(|it| it.digest() != tip.digest));
        lane.rebase(&genesis, tip, Some(certificate.clone()), position);
        if sequencer != self.me {
            let now_ms = self.now_ms;
            let lane = self.lane(&sequencer);
            lane.redeem(now_ms);
            let until_ms = lane.patience.until_ms();
            self.wake_ms = earlier(self.wake_ms, until_ms);
        }
        if let Some(header) = conflicting {
            self.keep(
                crate::types::Evidence::Certified(header, certificate.clone()),
                effects,
            );
        }
        effects.push(Effect::Report(Activity::Certified(certificate)));
        self.extend(&sequencer, effects);
        self.progress(&sequencer, effects);
        let lane = self.lane(&sequencer);
        let wanted = [lane.missing(), lane.hole()];
        for range in wanted.into_iter().flatten() {
            self.fetch(&sequencer, range, To::Peer(from.clone()), effects);
        }
    }

    /// The newest certificate of every lane of the epochs within the bounds.
    pub(super) fn newest(&self) -> Vec<Arc<Certificate<T>>> {
        let certificates = self
            .lanes
            .values()
            .filter_map(|it| it.base.certificate.clone());
        certificates
            .filter(|it| self.epochs.contain(it.epoch))
            .collect()
    }

    pub(super) fn gossiped(
        &mut self,
        from: T::PublicKey,
        gossip: Gossip<T>,
        effects: &mut Vec<Effect<T>>,
    ) {
        match gossip {
            Gossip::Certificates {
                reply,
                certificates,
            } => {
                let newer = if reply {
                    Vec::new()
                } else {
                    self.newer_than(&certificates)
                };
                for certificate in certificates {
                    self.offer(&from, certificate, effects);
                }
                for certificates in newer.chunks(CERTIFICATES_MAX) {
                    let gossip = Gossip::Certificates {
                        reply: true,
                        certificates: certificates.to_vec(),
                    };
                    effects.push(Effect::Gossip {
                        to: To::Peer(from.clone()),
                        gossip,
                    });
                }
            }
            Gossip::Fetch {
                sequencer,
                from: lowest,
                to: highest,
            } => {
                self.serve(from, &sequencer, lowest, highest, effects);
            }
            Gossip::Ask { nonce } => self.tell(from, nonce, effects),
        }
    }

    /// What this node knows that the certificates shown are older than.
    fn newer_than(&self, shown: &[Arc<Certificate<T>>]) -> Vec<Arc<Certificate<T>>> {
        let mut newer = Vec::new();
        for certificate in shown {
            let Some(lane) = self.lanes.get(&certificate.sequencer) else {
                continue;
            };
            let Some(known) = &lane.base.certificate else {
                continue;
            };
            if known.rank() > certificate.rank() && self.epochs.contain(known.epoch) {
                newer.push(known.clone());
            }
        }
        newer
    }

    fn serve(
        &mut self,
        to: T::PublicKey,
        sequencer: &T::PublicKey,
        from: u64,
        upto: u64,
        effects: &mut Vec<Effect<T>>,
    ) {
        if *sequencer == self.me {
            effects.push(Effect::Serve { to, from, upto });
            return;
        }
        if self.epochs.holding(sequencer).is_none() {
            return;
        }
        let Some(lane) = self.lanes.get(sequencer) else {
            return;
        };
        let headers = lane.serve(from, upto, self.durable);
        let certificate = lane
            .base
            .certificate
            .clone()
            .filter(|it| self.epochs.contain(it.epoch));
        if headers.is_empty() && certificate.is_none() {
            return;
        }
        let envelope = Envelope {
            sequencer: sequencer.clone(),
            headers,
            certificate,
        };
        effects.push(Effect::Answer { to, envelope });
    }

    /// Answers a node that lost its disk with the newest epoch entered and its lane as it is here.
    fn tell(&mut self, to: T::PublicKey, nonce: u64, effects: &mut Vec<Effect<T>>) {
        let epoch = self.epochs.epoch();
        let (headers, certificate) = match self.lanes.get(&to) {
            Some(lane) => (
                lane.serve(lane.base.tip.height.max(1), u64::MAX, self.durable),
                lane.base.certificate.clone(),
            ),
            None => (Vec::new(), None),
        };
        effects.push(Effect::Tell {
            to,
            told: Told {
                nonce,
                epoch,
                headers,
                certificate,
            },
        });
    }
}
