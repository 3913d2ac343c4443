//! What a restart finds on the disk.

use super::{Config, Draft, Entry, Location, Producer, State, Status, period};
use crate::{Canary, chunk_store::record::Record, reference::Reference};
use commonware_cryptography::PublicKey;
use drystone_engine::types::Payload;
use std::collections::{BTreeMap, BTreeSet, VecDeque};

/// One entry of the archive of bodies that wait for a block, without the body.
#[derive(Clone, Debug)]
pub struct Resident<P> {
    /// Where it lies.
    pub location: Location,
    /// Whether the same body lies under a block height as well.
    pub accepted: bool,
    content: Content<P>,
}

#[derive(Clone, Debug)]
enum Content<P> {
    Body(Reference<P>),
    Draft {
        payload: Payload,
        slot: u64,
    },
    Sealed {
        reference: Reference<P>,
        draft: Location,
        /// Where the body lies.
        body: Location,
    },
}

impl<P> Resident<P> {
    /// What of a record is needed here.
    pub fn new(location: Location, accepted: bool, record: Record<P>) -> Self {
        let content = match record {
            Record::Body { reference, .. } => Content::Body(reference),
            Record::Draft { payload, slot, .. } => Content::Draft { payload, slot },
            Record::Sealed {
                reference,
                draft,
                body,
            } => Content::Sealed {
                reference,
                draft,
                body: body.map_or(draft, |_| location),
            },
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
    /// The height of each lane's last chunk included in it or below.
    pub lanes: BTreeMap<P, u64>,
    /// What is on the disk, in the order of the locations.
    pub residents: Vec<Resident<P>>,
}

impl<P: PublicKey> State<P> {
    /// Rebuilds every quota from what is on the disk. What expired is left out, and what was executed is not held.
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
            // What an earlier life may have retired. Sections go whole, so some of it may still be found.
            retired: restored
                .executed_height
                .saturating_sub(config.retention_blocks),
            position: 0,
            unsynced: VecDeque::new(),
            config,
        };
        for (sequencer, height) in restored.lanes {
            state.producer(&sequencer).execute(height);
        }
        let (mut named, mut drafted) = (Vec::new(), BTreeSet::new());
        for resident in restored.residents {
            let Location { bucket, number } = resident.location;
            let next = state.numbers.entry(bucket).or_insert(0);
            *next = (*next).max(number + 1);
            match resident.content {
                Content::Draft { payload, slot } => {
                    drafted.insert(resident.location);
                    state.restore_draft(resident.location, payload, slot, resident.accepted);
                }
                Content::Body(reference) => {
                    named.push((reference, None, resident.location));
                }
                Content::Sealed {
                    reference,
                    draft,
                    body,
                } => named.push((reference, Some(draft), body)),
            }
        }
        for (reference, draft, body) in named {
            // A draft may be pruned before what names it.
            let lies = draft != Some(body) || drafted.contains(&body);
            if lies {
                state.restore_chunk(&reference, draft, body);
            }
        }
        state
    }

    fn restore_draft(&mut self, location: Location, payload: Payload, slot: u64, accepted: bool) {
        if location.bucket < self.executed_ms / self.config.bucket_ms {
            return;
        }
        let draft = Draft {
            payload,
            slot,
            period: period(&self.config.limits.rate, slot),
            location,
            durable: true,
            held: !accepted,
        };
        let me = self.config.me.clone();
        let producer = self.producer(&me);
        producer.charge(draft.period, payload.bytes);
        if draft.held {
            producer.hold(payload.bytes);
        }
        if let Some(same) = self.drafts.insert(payload.digest, draft) {
            self.drop_draft(same);
        }
    }

    fn restore_chunk(
        &mut self,
        reference: &Reference<P>,
        draft: Option<Location>,
        location: Location,
    ) {
        // Another draft of the same transactions waits for a header of its own.
        let digest = reference.place.digest;
        let named = self.drafts.get(&digest).copied();
        if let Some(named) = named.filter(|it| Some(it.location) == draft) {
            self.drafts.remove(&digest);
            self.drop_draft(named);
        }
        let expiry_ms = self.config.genesis.expiry_ms(reference.place.slot);
        let Some(expiry_ms) = expiry_ms.filter(|it| *it >= self.executed_ms) else {
            return;
        };
        let mut entry = Entry {
            bytes: reference.bytes,
            items: reference.items,
            expiry_ms,
            period: period(&self.config.limits.rate, reference.place.slot),
            held: false,
            status: Status::Stored(location),
        };
        let forget = self.config.canary.is(Canary::ForgetQuota);
        let producer = self.producer(&reference.sequencer);
        if !producer.entries.contains_key(&reference.place) {
            if forget {
                entry.period = u64::MAX;
            }
            let held = reference.place.height > producer.executed;
            producer.insert(reference.place, entry, held && !forget);
        }
    }

    /// A draft is counted no more.
    pub(super) fn drop_draft(&mut self, draft: Draft) {
        let me = self.config.me.clone();
        let producer: &mut Producer = self.producer(&me);
        producer.uncharge(draft.period, draft.payload.bytes);
        if draft.held {
            producer.unhold(draft.payload.bytes);
        }
    }
}
