//! This node's own bodies: durable before any header names them.

use super::{Done, Draft, Entry, State, Status, period};
use crate::{
    chunk::Chunk,
    chunk_store::{
        message::{Effect, Location},
        record::Record,
    },
    reference::Reference,
};
use commonware_cryptography::PublicKey;
use drystone_engine::Verdict;

impl<P: PublicKey> State<P> {
    /// A header of this node's own names a body that was persisted before it. Its quota was reserved then. (A body that
    /// an earlier header named too is counted again, whatever the limits: this header is signed already.)
    pub(super) fn seal(&mut self, reference: &Reference<P>, effects: &mut Vec<Effect<P>>) -> bool {
        let (genesis, bucket_ms) = (&self.config.genesis, self.config.bucket_ms);
        let draft = self.drafts.get(&reference.place.digest).copied();
        let draft = draft.filter(|it| it.durable && it.payload == reference.payload());
        let from = draft
            .map(|it| it.location)
            .or_else(|| self.sealed_before(reference));
        let expiry_ms = genesis.expiry_ms(reference.place.slot);
        let (Some(from), Some(expiry_ms)) = (from, expiry_ms.filter(|it| *it >= self.executed_ms))
        else {
            return false;
        };
        let bucket = expiry_ms / bucket_ms;
        // A draft packed long before its header must lie where it is not pruned too early.
        let stays = draft.is_some() && bucket <= from.bucket;
        let spare = if stays { from.bucket - bucket } else { 0 };
        let Some(location) = self.allocate(expiry_ms, spare) else {
            return false;
        };
        let period = period(&self.config.limits.rate, reference.place.slot);
        let producer = self
            .producers
            .entry(reference.sequencer.clone())
            .or_default();
        if let Some(draft) = draft {
            self.drafts.remove(&reference.place.digest);
            producer.uncharge(draft.period, reference.bytes);
            if draft.held {
                producer.unhold(reference.bytes);
            }
        }
        let entry = Entry {
            bytes: reference.bytes,
            items: reference.items,
            expiry_ms,
            period,
            held: false,
            status: if stays {
                Status::Stored(from)
            } else {
                Status::Writing(location)
            },
        };
        producer.insert(reference.place, entry, true);
        let reference = reference.clone();
        if stays {
            // Nobody waits for this write: the body is durable.
            self.position += 1;
            effects.push(Effect::Write(
                location,
                Record::Sealed {
                    reference: reference.clone(),
                    draft: from,
                    body: None,
                },
            ));
            effects.push(Effect::Answer(reference, Verdict::Valid));
        } else {
            self.await_sync(Done::Stored(reference.clone()));
            effects.push(Effect::Move {
                from,
                to: location,
                reference,
                sealed: draft.is_some(),
            });
        }
        true
    }

    /// Where the same body lies under an earlier header.
    fn sealed_before(&self, reference: &Reference<P>) -> Option<Location> {
        let own = &self.producers.get(&reference.sequencer)?.entries;
        own.iter().find_map(|(place, entry)| match entry.status {
            Status::Stored(location)
                if place.digest == reference.place.digest && entry.is_of(&reference.payload()) =>
            {
                Some(location)
            }
            _ => None,
        })
    }

    pub(super) fn packed(&mut self, now_ms: u64, chunk: &Chunk, effects: &mut Vec<Effect<P>>) {
        let payload = chunk.payload();
        let genesis = &self.config.genesis;
        let slot = genesis.slot_at(now_ms);
        // By a clock that is behind, a chunk packed now has expired: nothing is kept for it.
        let expiry_ms = genesis.expiry_ms(slot);
        let expiry_ms = expiry_ms.filter(|it| *it >= self.executed_ms);
        if let Some(draft) = self.drafts.get(&payload.digest).copied() {
            let bucket = expiry_ms.map(|it| it / self.config.bucket_ms);
            if bucket.is_some_and(|it| it <= draft.location.bucket) || !draft.durable {
                if draft.durable {
                    effects.push(Effect::Persisted(payload.digest, true));
                }
                return;
            }
            // It goes before a header made now would expire: it is written anew.
            self.drafts.remove(&payload.digest);
            self.drop_draft(draft);
        }
        let (limits, me) = (self.config.limits, self.config.me.clone());
        let room = self.producer(&me).admits(&limits, slot, payload.bytes);
        // Its header is sealed a little later than now: a bucket more is spare.
        let Some(location) = expiry_ms
            .filter(|_| room)
            .and_then(|it| self.allocate(it, 1))
        else {
            effects.push(Effect::Persisted(payload.digest, false));
            return;
        };
        let period = period(&limits.rate, slot);
        let producer = self.producer(&me);
        producer.charge(period, payload.bytes);
        producer.hold(payload.bytes);
        let draft = Draft {
            payload,
            slot,
            period,
            location,
            durable: false,
            held: true,
        };
        self.drafts.insert(payload.digest, draft);
        self.await_sync(Done::Drafted(payload.digest));
        let body = chunk.body().clone();
        effects.push(Effect::Write(
            location,
            Record::Draft {
                payload,
                slot,
                body,
            },
        ));
    }
}
