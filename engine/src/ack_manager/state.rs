//! All decisions of the ack manager. Pure: no clock, no disk, no await.

use crate::{
    refusal::Refusal,
    types::{Bounds, Certificate, Committee, Tip, Types},
    wire::Acks,
};
use commonware_cryptography::certificate::{Attestation, Verification};
use commonware_utils::Participant;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What the state is told.
pub enum Message<T: Types> {
    /// Acks arrived; each is by the peer that delivered it (checked when they were decoded).
    Acked {
        /// Who.
        from: T::PublicKey,
        /// What.
        acks: Acks<T>,
    },
    /// The sequencer sent a header, or wants its tip certified in a new epoch.
    Sealed(Tip),
    /// The lane's newest certificate is known: nothing below it is collected any more.
    Certified(Arc<Certificate<T>>),
    /// The lane's place in the executed lane table.
    Executed(Tip),
    /// The epoch moved on.
    Entered(u64),
    /// An assembly ended.
    Assembled {
        /// What was assembled.
        job: Job<T>,
        /// The proof, or which signatures verify and whose do not.
        result: Result<crate::types::Proof<T>, Verification<T::Scheme>>,
    },
    /// The time of [`State::wake_ms`] has come.
    Woken,
}

/// How often a lane is certified. Every validator checks every certificate, so one for many chunks is what makes chunks
/// cheap; and a lane whose window fills up waits for one.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Least time from one assembly to the next, unless there is a stride.
    pub interval_ms: u64,
    /// This many heights more are certified at once.
    pub stride: u64,
}

/// One attempt to assemble a certificate.
pub struct Job<T: Types> {
    /// The committee of the epoch.
    pub committee: Arc<Committee<T>>,
    /// Whose lane.
    pub sequencer: T::PublicKey,
    /// The place to certify.
    pub tip: Tip,
    /// Signatures not checked yet.
    pub pending: Vec<Attestation<T::Scheme>>,
    /// Signatures that an earlier attempt found valid.
    pub verified: Vec<Attestation<T::Scheme>>,
}

/// What the actor carries out.
pub enum Effect<T: Types> {
    /// Assemble, off the loop, and report.
    Assemble(Job<T>),
    /// A certificate of this node's lane.
    Certified(Arc<Certificate<T>>),
    /// A peer's ack was refused.
    Refuse {
        /// Whose.
        from: T::PublicKey,
        /// Why.
        refusal: Refusal,
    },
}

/// The acks for one place in one epoch.
struct Tally<T: Types> {
    committee: Arc<Committee<T>>,
    pending: BTreeMap<Participant, Attestation<T::Scheme>>,
    verified: BTreeMap<Participant, Attestation<T::Scheme>>,
    refused: BTreeSet<Participant>,
}

impl<T: Types> Tally<T> {
    fn len(&self) -> usize {
        self.pending.len() + self.verified.len()
    }
}

/// Counts the acks of this node's own lane.
pub struct State<T: Types> {
    me: T::PublicKey,
    bounds: Bounds,
    pace: Pace,
    epoch: u64,
    now_ms: u64,
    /// When the last assembly that succeeded was begun.
    assembled_ms: Option<u64>,
    /// When a quorum that is there already is to be assembled.
    wake_ms: Option<u64>,
    /// The places that acks are collected for: what is in flight, and the tip certified last.
    sealed: BTreeMap<u64, Tip>,
    /// By height, then epoch.
    tallies: BTreeMap<(u64, u64), Tally<T>>,
    /// Height and epoch of the newest certificate.
    newest: Option<(u64, u64)>,
    assembling: bool,
}

impl<T: Types> State<T> {
    /// Starts with nothing in flight.
    pub const fn new(me: T::PublicKey, bounds: Bounds, pace: Pace, epoch: u64) -> Self {
        Self {
            me,
            bounds,
            pace,
            epoch,
            now_ms: 0,
            assembled_ms: None,
            wake_ms: None,
            sealed: BTreeMap::new(),
            tallies: BTreeMap::new(),
            newest: None,
            assembling: false,
        }
    }

    /// Signatures held in memory.
    pub fn acks_held(&self) -> usize {
        self.tallies.values().map(Tally::len).sum()
    }

    /// When to send [`Message::Woken`].
    pub const fn wake_ms(&self) -> Option<u64> {
        self.wake_ms
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Acked { from, acks } => self.acked(&from, acks, effects),
            Message::Sealed(tip) => self.seal(tip),
            Message::Certified(certificate) => self.certified(&certificate),
            Message::Executed(tip) => {
                self.sealed = self.sealed.split_off(&tip.height);
                self.tallies.retain(|(height, _), _| *height >= tip.height);
            }
            Message::Entered(epoch) => {
                self.epoch = self.epoch.max(epoch);
                // Out of bounds it certifies nothing any more: the lane may start again lower down.
                let newest = self.newest;
                self.newest = newest.filter(|(_, of)| self.bounds.contain(self.epoch, *of));
                let (bounds, epoch) = (self.bounds, self.epoch);
                self.tallies.retain(|(_, of), _| bounds.contain(epoch, *of));
            }
            Message::Assembled { job, result } => self.assembled(job, result, effects),
            Message::Woken => {}
        }
        self.assemble(effects);
    }

    /// Collects acks for a place. A lane that a lost disk split may go on from another header at a
    /// height: acks for the one say nothing of the other.
    fn seal(&mut self, tip: Tip) {
        let before = self.sealed.insert(tip.height, tip);
        if before.is_some_and(|it| it != tip) {
            self.tallies.retain(|(height, _), _| *height != tip.height);
        }
    }

    /// Whether a certificate over this place would be news.
    fn is_news(&self, height: u64, epoch: u64) -> bool {
        self.newest.is_none_or(|it| (height, epoch) > it)
    }

    fn acked(&mut self, from: &T::PublicKey, acks: Acks<T>, effects: &mut Vec<Effect<T>>) {
        let Acks {
            committee,
            sequencer,
            acks,
        } = acks;
        let epoch = committee.epoch();
        if sequencer != self.me || !self.bounds.contain(self.epoch, epoch) {
            return;
        }
        let mut refuse = |refusal| {
            effects.push(Effect::Refuse {
                from: from.clone(),
                refusal,
            })
        };
        for ack in acks {
            // A quorum never waits for the slowest: acks that come after it are normal.
            if !self.is_news(ack.height, epoch) {
                continue;
            }
            let Some(tip) = self.sealed.get(&ack.height) else {
                refuse(Refusal::NotInFlight(ack.height));
                continue;
            };
            if tip.digest != ack.digest {
                refuse(Refusal::OtherHeader(ack.height));
                continue;
            }
            let tally = self
                .tallies
                .entry((ack.height, epoch))
                .or_insert_with(|| Tally {
                    committee: committee.clone(),
                    pending: BTreeMap::new(),
                    verified: BTreeMap::new(),
                    refused: BTreeSet::new(),
                });
            let signer = ack.attestation.signer;
            if tally.pending.contains_key(&signer) || tally.verified.contains_key(&signer) {
                refuse(Refusal::DuplicateAck(ack.height));
            } else if !tally.refused.contains(&signer) {
                tally.pending.insert(signer, ack.attestation);
            }
        }
    }

    /// When a place with a quorum may be assembled: at once if it is far above the last certificate or of a later epoch,
    /// at the pace otherwise.
    fn due_ms(&self, height: u64, epoch: u64) -> u64 {
        let (Some((certified, of)), Some(before_ms)) = (self.newest, self.assembled_ms) else {
            return 0;
        };
        if epoch > of || height >= certified.saturating_add(self.pace.stride) {
            return 0;
        }
        before_ms.saturating_add(self.pace.interval_ms)
    }

    /// Starts an attempt at the highest place with a quorum, unless one is under way: what arrives
    /// meanwhile is served by the next one.
    fn assemble(&mut self, effects: &mut Vec<Effect<T>>) {
        self.wake_ms = None;
        if self.assembling {
            return;
        }
        let quorum = self.tallies.iter().rev().find(|((height, epoch), tally)| {
            self.newest.is_none_or(|it| (*height, *epoch) > it)
                && tally.len() >= tally.committee.quorum()
        });
        let Some(((height, epoch), _)) = quorum else {
            return;
        };
        let (height, epoch) = (*height, *epoch);
        let due_ms = self.due_ms(height, epoch);
        if due_ms > self.now_ms {
            self.wake_ms = Some(due_ms);
            return;
        }
        self.assembling = true;
        self.assembled_ms = Some(self.now_ms);
        let tally = self.tallies.get_mut(&(height, epoch)).expect("just found");
        effects.push(Effect::Assemble(Job {
            committee: tally.committee.clone(),
            sequencer: self.me.clone(),
            tip: self.sealed[&height],
            pending: std::mem::take(&mut tally.pending).into_values().collect(),
            verified: tally.verified.values().cloned().collect(),
        }));
    }

    fn assembled(
        &mut self,
        job: Job<T>,
        result: Result<crate::types::Proof<T>, Verification<T::Scheme>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        self.assembling = false;
        let epoch = job.committee.epoch();
        match result {
            Ok(proof) => {
                let sequencer = self.me.clone();
                let certificate = Arc::new(Certificate {
                    epoch,
                    sequencer,
                    tip: job.tip,
                    proof,
                });
                // The epoch may have left the bounds meanwhile: nobody would take it.
                let within = self.bounds.contain(self.epoch, epoch);
                if within && self.is_news(job.tip.height, epoch) {
                    self.certified(&certificate);
                    effects.push(Effect::Certified(certificate));
                }
            }
            Err(Verification { verified, invalid }) => {
                self.assembled_ms = None;
                for signer in &invalid {
                    if let Some(from) = job.committee.validators().get(usize::from(*signer)) {
                        let refusal = Refusal::AckSignature(job.tip.height);
                        effects.push(Effect::Refuse {
                            from: from.clone(),
                            refusal,
                        });
                    }
                }
                // What was checked for another place says nothing of this one.
                if self.sealed.get(&job.tip.height) != Some(&job.tip) {
                    return;
                }
                let Some(tally) = self.tallies.get_mut(&(job.tip.height, epoch)) else {
                    return;
                };
                // A signer may have sent its ack again while the first one was being checked.
                for signer in invalid {
                    tally.pending.remove(&signer);
                    tally.refused.insert(signer);
                }
                for attestation in verified {
                    tally.pending.remove(&attestation.signer);
                    tally.verified.insert(attestation.signer, attestation);
                }
            }
        }
    }

    fn certified(&mut self, certificate: &Certificate<T>) {
        // Out of bounds it certifies nothing, however late word of it comes: the lane may start again lower down.
        let within = self.bounds.contain(self.epoch, certificate.epoch);
        if !within || !self.is_news(certificate.tip.height, certificate.epoch) {
            return;
        }
        self.newest = Some(certificate.rank());
        // The tip itself stays: a new epoch certifies it again.
        self.sealed = self.sealed.split_off(&certificate.tip.height);
        self.seal(certificate.tip);
        let newest = certificate.rank();
        self.tallies.retain(|rank, _| *rank > newest);
    }
}
