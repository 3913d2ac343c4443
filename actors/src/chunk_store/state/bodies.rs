//! Bodies of all producers: asked for, here, checked, durable.

use super::{Done, State, Status};
use crate::{
    Canary,
    chunk::{self, Chunk},
    chunk_store::{message::Effect, record::Record},
    reference::Reference,
};
use commonware_cryptography::PublicKey;
use drystone_engine::Verdict;

impl<P: PublicKey> State<P> {
    pub(super) fn asked(&mut self, reference: Reference<P>, effects: &mut Vec<Effect<P>>) {
        let entry = self
            .producers
            .get(&reference.sequencer)
            .and_then(|it| it.entries.get(&reference.place));
        let Some(entry) = entry else {
            self.reserve(reference, effects);
            return;
        };
        let verdict = match entry.status {
            // Of two claims about one body only the first is looked at; the other expires.
            _ if !entry.is_of(&reference.payload()) => Verdict::Pending,
            Status::Stored(_) => Verdict::Valid,
            Status::Invalid => Verdict::Invalid,
            // The lane was executed past it: nobody looks for its body any more.
            Status::Missing if !entry.held => Verdict::Pending,
            Status::Missing | Status::Checking | Status::Writing(_) => return,
        };
        effects.push(Effect::Answer(reference, verdict));
    }

    pub(super) fn reserve(&mut self, reference: Reference<P>, effects: &mut Vec<Effect<P>>) {
        if reference.sequencer == self.config.me && self.seal(&reference, effects) {
            return;
        }
        let limits = self.config.limits;
        let (finalized_ms, executed_ms) = (self.finalized_ms, self.executed_ms);
        let expiry_ms = self.config.genesis.expiry_ms(reference.place.slot);
        let expiry_ms = expiry_ms.filter(|it| *it >= executed_ms);
        let producer = self.producer(&reference.sequencer);
        let granted = expiry_ms.is_some_and(|expiry_ms| {
            reference.place.height > producer.executed
                && producer.reserve(&limits, &reference, expiry_ms, finalized_ms)
        });
        if !granted {
            effects.push(Effect::Answer(reference, Verdict::Pending));
            return;
        }
        match producer.early.remove(&reference.place) {
            // It stays counted in memory until it was checked.
            Some(chunk) if chunk.payload() == reference.payload() => {
                self.look(reference, Ok(chunk), effects);
            }
            Some(chunk) => {
                let found = chunk.payload();
                producer.forget(found.bytes);
                let claimed = reference.payload();
                let error = chunk::Error::OtherPayload { claimed, found };
                self.look(reference, Err(error), effects);
            }
            None => effects.push(Effect::Want(reference)),
        }
    }

    pub(super) fn arrived(
        &mut self,
        reference: Reference<P>,
        chunk: Result<Chunk, chunk::Error>,
        pushed: bool,
        effects: &mut Vec<Effect<P>>,
    ) {
        if chunk
            .as_ref()
            .is_ok_and(|it| it.payload() != reference.payload())
        {
            return;
        }
        let (limits, executed_ms) = (self.config.limits, self.executed_ms);
        let expiry_ms = self.config.genesis.expiry_ms(reference.place.slot);
        let live = expiry_ms.is_some_and(|it| it >= executed_ms);
        let producer = self.producer(&reference.sequencer);
        match (producer.entries.get(&reference.place), chunk) {
            (Some(entry), chunk) => {
                let wanted = entry.status == Status::Missing && entry.held;
                if !wanted || !entry.is_of(&reference.payload()) {
                    return;
                }
                // If it does not fit, the relay is not told and goes on: the body comes again.
                if chunk.is_ok() && !producer.remember(&limits, reference.bytes) {
                    return;
                }
                effects.push(Effect::Settle(reference.clone()));
                self.look(reference, chunk, effects);
            }
            (None, Ok(chunk)) if pushed && live && reference.place.height > producer.executed => {
                producer.keep_early(&limits, reference.place, chunk);
            }
            _ => {}
        }
    }

    /// A body that is wanted is in memory, or it is known that there is no valid one.
    pub(super) fn look(
        &mut self,
        reference: Reference<P>,
        chunk: Result<Chunk, chunk::Error>,
        effects: &mut Vec<Effect<P>>,
    ) {
        let producer = self.producer(&reference.sequencer);
        let entry = producer
            .entries
            .get_mut(&reference.place)
            .expect("it is wanted");
        match chunk {
            Ok(chunk) => {
                entry.status = Status::Checking;
                effects.push(Effect::Check(reference, chunk));
            }
            Err(_) => {
                entry.status = Status::Invalid;
                effects.push(Effect::Answer(reference, Verdict::Invalid));
            }
        }
    }

    pub(super) fn checked(
        &mut self,
        reference: Reference<P>,
        chunk: &Chunk,
        valid: bool,
        effects: &mut Vec<Effect<P>>,
    ) {
        let producer = self.producer(&reference.sequencer);
        producer.forget(reference.bytes);
        let Some(entry) = producer.entries.get_mut(&reference.place) else {
            // It expired meanwhile.
            return;
        };
        assert_eq!(entry.status, Status::Checking, "a body is checked once");
        if !valid {
            entry.status = Status::Invalid;
            effects.push(Effect::Answer(reference, Verdict::Invalid));
            return;
        }
        let expiry_ms = entry.expiry_ms;
        let location = self.allocate(expiry_ms, 0);
        let status = location.map_or(Status::Missing, Status::Writing);
        let entry = self
            .producer(&reference.sequencer)
            .entries
            .get_mut(&reference.place);
        entry.expect("just seen").status = status;
        let Some(location) = location else {
            // A full bucket, or a time beyond all buckets: such a chunk can only expire.
            effects.push(Effect::Answer(reference, Verdict::Pending));
            return;
        };
        self.await_sync(Done::Stored(reference.clone()));
        let body = chunk.body().clone();
        if self.config.canary.is(Canary::ValidBeforeSync) {
            effects.push(Effect::Answer(reference.clone(), Verdict::Valid));
        }
        effects.push(Effect::Write(location, Record::Body { reference, body }));
    }

    pub(super) fn stored(&mut self, reference: Reference<P>, effects: &mut Vec<Effect<P>>) {
        let producer = self.producer(&reference.sequencer);
        let entry = producer.entries.get_mut(&reference.place);
        if let Some(entry) = entry
            && let Status::Writing(location) = entry.status
        {
            entry.status = Status::Stored(location);
            effects.push(Effect::Answer(reference, Verdict::Valid));
        }
    }
}
