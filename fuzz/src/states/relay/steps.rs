//! What happens to a relay, and what must follow.

use super::{
    Driver, HEIGHTS, P, PUSHED, REQUESTS_MAX, SERVING,
    meter::{Meter, Queue},
};
use crate::{nouns::NODES, states::bodies::reference};
use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use drystone_actors::{
    Reference,
    chunk::{Chunk, Limits},
    chunk_store::Absence,
    relay::{Answer, Effect, Message, Parcel, Refusal, Request},
};
use std::collections::VecDeque;

impl Driver {
    pub fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=15)?;
        let effects = match u.int_in_range(0..=19)? {
            0 => {
                let (validators, sequencers) = (u.arbitrary()?, u.arbitrary()?);
                self.entered(validators, sequencers);
                Vec::new()
            }
            1 => self.certified(u)?,
            2 => self.sealed(u)?,
            3..=5 => self.sought(u)?,
            6..=8 => self.honest(u)?,
            9 | 10 => self.hostile(u)?,
            11..=13 => self.opened(u)?,
            14 | 15 => self.asked(u)?,
            16 | 17 if self.reading > 0 => {
                self.reading -= 1;
                let (peer, unpaid_bytes) = (self.peer(u)?, 0);
                self.apply(Message::Served { peer, unpaid_bytes })
            }
            _ => self.woken(),
        };
        assert!(effects.is_empty(), "for nothing: {effects:?}");
        Ok(())
    }

    fn certified(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let (sequencer, height) = (self.peer(u)?, u.int_in_range(0..=HEIGHTS)?);
        let signers = self.some(u.arbitrary()?);
        self.signers.extend(signers.iter().cloned());
        Ok(self.apply(Message::Certified {
            sequencer,
            height,
            signers,
        }))
    }

    fn sealed(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let own = reference(self.world, 0, u.int_in_range(1..=HEIGHTS)?);
        let others = self.validators.iter().filter(|it| **it != self.peers[0]);
        let push = Effect::Push(own.clone(), others.cloned().collect());
        let effects = self.apply(Message::Sealed(own));
        assert_eq!(effects, [push]);
        Ok(Vec::new())
    }

    fn sought(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let reference = self.reference(u)?;
        Ok(match u.int_in_range(0..=5)? {
            0 | 1 => {
                self.wants.want(reference.clone()).stored = true;
                self.apply(Message::Wanted(reference))
            }
            2 | 3 => {
                let height = u.int_in_range(1..=9)?;
                self.wants.needed(reference.clone(), height);
                self.apply(Message::Needed { reference, height })
            }
            4 => {
                self.wants.unwant(&reference, |it| it.stored = false);
                self.apply(Message::Settled(reference))
            }
            _ => {
                self.wants.unwant(&reference, |it| it.height = None);
                self.apply(Message::Dropped(reference))
            }
        })
    }

    /// A producer pushes a body, or somebody answers what it was asked: nobody is accused.
    fn honest(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let owing = self.wants.owing();
        if owing.is_empty() || u.ratio(1, 3)? {
            let lane = u.int_in_range(1..=NODES - 1)?;
            let reference = reference(self.world, lane, u.int_in_range(1..=HEIGHTS)?);
            let from = reference.sequencer.clone();
            let answer = Answer::Body(self.body(&reference));
            return Ok(self.delivered(from, reference, answer, true));
        }
        let (reference, from) = u.choose(&owing)?.clone();
        let absences = [Absence::Unknown, Absence::Expired, Absence::Pruned];
        let answer = match u.int_in_range(0..=3)? {
            0 | 1 => Answer::Body(self.body(&reference)),
            2 => Answer::Absent(*u.choose(&absences)?),
            _ => Answer::Busy,
        };
        Ok(self.delivered(from, reference, answer, false))
    }

    /// Anybody sends anything.
    fn hostile(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let (from, reference) = (self.peer(u)?, self.reference(u)?);
        let answer = match u.int_in_range(0..=3)? {
            0 | 1 => Answer::Body(self.body(&self.reference(u)?)),
            2 => Answer::Body(Bytes::copy_from_slice(u.bytes(3)?)),
            _ => Answer::Busy,
        };
        let pushed = matches!(answer, Answer::Body(_)) && u.arbitrary()?;
        Ok(self.delivered(from, reference, answer, pushed))
    }

    /// What is opened was asked for, or may be pushed. Nothing else is looked at.
    fn delivered(
        &mut self,
        from: P,
        reference: Reference<P>,
        answer: Answer,
        pushed: bool,
    ) -> Vec<Effect<P>> {
        let bytes = match &answer {
            Answer::Body(body) => Some(body.clone()),
            Answer::Absent(_) | Answer::Busy => None,
        };
        let length = bytes.as_ref().map_or(0, |it| it.len() as u64);
        let (now_ms, height) = (self.now_ms, reference.place.height);
        let refusal = if !pushed {
            let owed = self.wants.answered(&from, &reference);
            (!owed).then_some(Refusal::Unasked(height))
        } else if reference.sequencer != from {
            Some(Refusal::NotProducer(height))
        } else if !self.sequencers.contains(&from) {
            Some(Refusal::NotSequencer)
        } else if length != u64::from(reference.bytes) {
            Some(Refusal::OtherBody(height))
        } else {
            // The work that each makes costs as well.
            let cost = (512 + length).min(PUSHED.burst_bytes);
            let meter = self.pushed.entry(from.clone());
            let meter = meter.or_insert_with(|| Meter::full(&PUSHED, now_ms));
            let affords = meter.affords(&PUSHED, now_ms, cost);
            if affords {
                meter.take(cost);
            }
            (!affords).then_some(Refusal::TooFast)
        };
        let parcel = Parcel {
            reference: reference.clone(),
            answer,
            pushed,
        };
        let mut effects = self.apply(Message::Delivered {
            from: from.clone(),
            parcel,
        });
        let expected = match (refusal, bytes) {
            (Some(refusal), _) => Some(Effect::Refuse(from, refusal)),
            (None, Some(body)) => {
                let came = (from.clone(), reference.clone(), body.clone(), pushed);
                self.opening.push(came);
                Some(Effect::Open {
                    from,
                    reference,
                    body,
                    pushed,
                })
            }
            (None, None) => None,
        };
        assert_eq!(effects.pop(), expected);
        effects
    }

    /// A body is handed on, once, to whoever looked for it, if it is the one wanted.
    fn opened(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        if self.opening.is_empty() {
            return Ok(Vec::new());
        }
        let at = u.choose_index(self.opening.len())?;
        let (from, reference, body, pushed) = self.opening.swap_remove(at);
        let limits = Limits::from(&*self.world.genesis);
        let chunk = Chunk::open(body, &reference.payload(), &limits);
        let mut expected = Vec::new();
        if chunk.as_ref().is_err_and(|it| it.is_senders()) {
            self.faulty.insert(from.clone());
            let refusal = Refusal::OtherBody(reference.place.height);
            expected.push(Effect::Refuse(from.clone(), refusal));
        } else {
            let (stored, needed) = self.wants.arrived(&reference);
            if needed {
                expected.push(Effect::Give(reference.clone(), chunk.clone()));
            }
            if stored || (pushed && chunk.is_ok()) {
                expected.push(Effect::Store {
                    reference: reference.clone(),
                    chunk: chunk.clone(),
                    pushed,
                });
            }
        }
        let effects = self.apply(Message::Opened {
            from,
            reference,
            chunk,
            pushed,
        });
        assert_eq!(effects, expected);
        Ok(Vec::new())
    }

    fn asked(&mut self, u: &mut Unstructured<'_>) -> Result<Vec<Effect<P>>> {
        let (from, reference) = (self.peer(u)?, self.reference(u)?);
        let height = u.arbitrary::<bool>()?.then_some(4);
        let request = Request { reference, height };
        let now_ms = self.now_ms;
        let queue = self.queues.entry(from.clone()).or_insert_with(|| Queue {
            requests: VecDeque::new(),
            meter: Meter::full(&SERVING, now_ms),
        });
        let mut turned = None;
        if !queue.requests.contains(&request) {
            if queue.requests.len() < REQUESTS_MAX {
                queue.requests.push_back(request.clone());
            } else {
                let reference = request.reference.clone();
                turned = Some(Effect::TurnAway(from.clone(), reference));
            }
        }
        let mut effects = self.apply(Message::Asked { from, request });
        assert_eq!(effects.pop(), turned);
        Ok(effects)
    }
}
