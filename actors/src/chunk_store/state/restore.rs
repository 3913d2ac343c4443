//! What a restart finds on the disk.

use super::{Config, Draft, Entry, Location, Producer, State, Status, period};
use crate::{chunk_store::record::Record, reference::Reference};
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Payload};
use std::collections::{BTreeMap, VecDeque};

/// One entry of the archive of bodies that wait for a block, without the body.
#[derive(Clone, Debug)]
pub struct Resident<P> {
    /// Where it lies.
    pub location: Location,
    /// Whether its body lies under a block height as well.
    pub accepted: bool,
    content: Content<P>,
}

#[derive(Clone, Debug)]
enum Content<P> {
    Body(Reference<P>),
    Draft { payload: Payload, slot: u64 },
    Sealed(Reference<P>),
}

impl<P> Resident<P> {
    /// What of a record is needed here.
    pub fn new(location: Location, accepted: bool, record: Record<P>) -> Self {
        let content = match record {
            Record::Body { reference, .. } => Content::Body(reference),
            Record::Draft { payload, slot, .. } => Content::Draft { payload, slot },
            Record::Sealed { reference } => Content::Sealed(reference),
        };
        Self {
            location,
            accepted,
            content,
        }
    }
}

/// What a state starts from.
#[derive(Clone, Debug)]
pub struct Restored<P> {
    /// Timestamp and height of the newest block executed here, from the state's commit. 0 for a new node.
    pub executed_ms: u64,
    /// See `executed_ms`.
    pub executed_height: u64,
    /// What is on the disk, in the order of the locations.
    pub residents: Vec<Resident<P>>,
}

impl<P: PublicKey> State<P> {
    /// Rebuilds every quota from what is on the disk. What expired is left out, and what was accepted is not held.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn restore(config: Config<P>, restored: Restored<P>) -> Self {
        config.check();
        let window_ms = config.genesis.window_ms;
        let mut state = Self {
            producers: BTreeMap::new(),
            drafts: BTreeMap::new(),
            numbers: BTreeMap::new(),
            // A block was executed, so it was finalized.
            finalized_ms: restored.executed_ms,
            executed_ms: restored.executed_ms,
            executed_height: restored.executed_height,
            recent: VecDeque::new(),
            // No slot in the newest block is ahead of its time by more than a window.
            retire_after_ms: restored
                .executed_ms
                .saturating_add(window_ms.saturating_mul(2)),
            pruned: 0,
            retired: 0,
            position: 0,
            unsynced: VecDeque::new(),
            config,
        };
        let mut bodies: BTreeMap<Digest, Location> = BTreeMap::new();
        let mut named = Vec::new();
        for resident in restored.residents {
            let Location { bucket, number } = resident.location;
            let next = state.numbers.entry(bucket).or_insert(0);
            *next = (*next).max(number + 1);
            match resident.content {
                Content::Draft { payload, slot } => {
                    bodies.insert(payload.digest, resident.location);
                    if !resident.accepted {
                        state.restore_draft(resident.location, payload, slot);
                    }
                }
                Content::Body(reference) => {
                    named.push((reference, Some(resident.location), resident.accepted))
                }
                Content::Sealed(reference) => named.push((reference, None, resident.accepted)),
            }
        }
        for (reference, location, accepted) in named {
            let location = location.or_else(|| bodies.get(&reference.place.digest).copied());
            if let Some(location) = location {
                state.restore_chunk(&reference, location, accepted);
            }
        }
        state
    }

    fn restore_draft(&mut self, location: Location, payload: Payload, slot: u64) {
        if location.bucket < self.executed_ms / self.config.bucket_ms {
            return;
        }
        let draft = Draft {
            payload,
            period: period(&self.config.limits.rate, slot),
            location,
            durable: true,
        };
        let me = self.config.me.clone();
        let producer = self.producer(&me);
        producer.charge(draft.period, payload.bytes);
        producer.hold(payload.bytes);
        if let Some(same) = self.drafts.insert(payload.digest, draft) {
            self.drop_draft(same);
        }
    }

    fn restore_chunk(&mut self, reference: &Reference<P>, location: Location, accepted: bool) {
        if reference.sequencer == self.config.me
            && let Some(draft) = self.drafts.remove(&reference.place.digest)
        {
            self.drop_draft(draft);
        }
        let expiry_ms = self.config.genesis.expiry_ms(reference.place.slot);
        let Some(expiry_ms) = expiry_ms.filter(|it| *it >= self.executed_ms) else {
            return;
        };
        let entry = Entry {
            bytes: reference.bytes,
            items: reference.items,
            expiry_ms,
            period: period(&self.config.limits.rate, reference.place.slot),
            held: false,
            status: Status::Stored(location),
        };
        let producer = self.producer(&reference.sequencer);
        // A draft that was moved lies twice.
        if !producer.entries.contains_key(&reference.place) {
            producer.insert(reference.place, entry, !accepted);
        }
    }

    /// A draft is counted no more.
    pub(super) fn drop_draft(&mut self, draft: Draft) {
        let me = self.config.me.clone();
        let producer: &mut Producer = self.producer(&me);
        producer.uncharge(draft.period, draft.payload.bytes);
        producer.unhold(draft.payload.bytes);
    }
}
