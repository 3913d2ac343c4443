//! What may be packed, by whom, and when.

use super::{Effect, Effects, Place, State, chunks::Holding, pool::Entry};
use crate::{
    chunk::Size,
    mempool::{Batch, Built, Rank, Readiness, Sighting},
    transaction::Admission as _,
    types::Types,
};
use drystone_engine::types::Digest;

impl<T: Types> State<T> {
    /// How long this node leaves a transaction to others. The order in which nodes take over is another one
    /// for each transaction, so that no node packs all that a dead one leaves behind.
    pub(super) fn takeover_ms(&self, id: &Digest) -> u64 {
        let config = &self.config.pool;
        let Some(Rank { index, count }) = self.rank else {
            return config.takeover_ms;
        };
        let first: [u8; 8] = id[..8].try_into().expect("a digest is longer");
        let count = u64::from(count.max(1));
        let turn = (u64::from(index) + u64::from_be_bytes(first) % count) % count;
        let stagger_ms = config.stagger_ms.saturating_mul(turn);
        config.takeover_ms.saturating_add(stagger_ms)
    }

    fn place(&self, entry: &Entry<T::PublicKey>, holding: Holding) -> Place {
        let facts = &entry.transaction.facts;
        if holding.own || entry.building {
            return Place::Packed;
        }
        if entry.stale {
            return Place::Barred;
        }
        if let Some(certified_ms) = holding.certified_ms {
            // A certified chunk should be included; when half the time is over, it is not waited for.
            let half = facts.expiry_ms.saturating_sub(certified_ms) / 2;
            let until_ms = certified_ms.saturating_add(half);
            if self.chain_ms < until_ms {
                return Place::Held(until_ms);
            }
        }
        // An uncertified chunk may be withheld, so it earns its producer no more than the usual delay.
        let seen_ms = holding.seen_ms.unwrap_or(0);
        let left_ms = holding.seen_ms.map_or(0, |_| self.takeover_ms(&facts.id));
        let ready_ms = entry.ready_ms.max(seen_ms.saturating_add(left_ms));
        if self.now_ms < ready_ms {
            return Place::Delayed(ready_ms);
        }
        Place::Ready
    }

    /// Puts a checked transaction where it stands, and gives back what no chunk of this node needs.
    pub(super) fn settle_arrival(&mut self, arrival: u64) {
        let Some(entry) = self.pool.get(arrival) else {
            return;
        };
        if entry.place() == Place::Unchecked {
            return;
        }
        let holding = self.chunks.holding(&entry.transaction.facts.id);
        let place = self.place(entry, holding);
        let release = entry.charged && place != Place::Packed;
        self.pool.settle(arrival, place);
        if release {
            let entry = self.pool.get_mut(arrival).expect("it is held");
            entry.charged = false;
            self.admission.release(&entry.transaction);
        }
    }

    pub(super) fn settle(&mut self, ids: &[Digest]) {
        for id in ids {
            if let Some(arrival) = self.pool.arrival(id) {
                self.settle_arrival(arrival);
            }
        }
    }

    pub(super) fn sighted(&mut self, sighting: Sighting<T::PublicKey>) {
        let changed = self.chunks.sighted(sighting, self.now_ms, self.chain_ms);
        for id in &changed {
            // Its bytes are here.
            self.fetches.forget(id, &mut self.peers);
        }
        self.settle(&changed);
    }

    /// Takes transactions for a chunk, in the order of arrival: those of one account may build on each other.
    pub(super) fn hand(&mut self, batch: Batch, effects: &mut Effects<T>) {
        assert!(
            self.building.is_none(),
            "the builder builds one chunk at a time"
        );
        let limits = self.config.pool.chunk;
        let mut size = Size::default();
        let (mut taken, mut refused, mut transactions) = (Vec::new(), Vec::new(), Vec::new());
        // Only sequencers have a lane to pack for.
        let ready = self.rank.map(|_| self.pool.ready());
        for (arrival, transaction) in ready.into_iter().flatten() {
            let mut with = size;
            if !with.add(&transaction.bytes, &limits) {
                break;
            }
            if self.admission.charge(transaction) {
                size = with;
                taken.push(arrival);
                transactions.push(transaction.clone());
            } else {
                refused.push(arrival);
            }
        }
        for arrival in refused {
            self.pool.settle(arrival, Place::Barred);
        }
        for arrival in &taken {
            let entry = self.pool.get_mut(*arrival).expect("it was ready");
            entry.charged = true;
            entry.building = true;
            self.settle_arrival(*arrival);
        }
        if !taken.is_empty() {
            self.building = Some(taken);
        }
        effects.push(Effect::Hand {
            batch,
            transactions,
        });
    }

    /// A build ended: its transactions are in a live chunk, or candidates again.
    pub(super) fn built(&mut self, built: Built<T::PublicKey>) {
        let arrivals = self.building.take().expect("a chunk is being built");
        if let Built::Sealed(sighting) = built {
            self.sealed_ms = Some(self.now_ms);
            self.sighted(sighting);
        }
        for arrival in arrivals {
            if let Some(entry) = self.pool.get_mut(arrival) {
                entry.building = false;
                self.settle_arrival(arrival);
            }
        }
    }

    /// Whether this node packs one chunk after the other: what is ready and a client brought is packed in its turn.
    pub(super) fn packs(&self) -> bool {
        let linger_ms = self.config.gossip.pack_linger_ms;
        self.sealed_ms
            .is_some_and(|it| self.now_ms < it.saturating_add(linger_ms))
    }

    /// Tells the builder when there is another amount to pack: nothing, something, enough.
    pub(super) fn ripen(&mut self, effects: &mut Effects<T>) {
        let (ready, seal) = (self.pool.ready_total(), self.config.pool.seal);
        let readiness = if self.rank.is_none() || ready.items == 0 {
            Readiness::Nothing
        } else if ready.items >= seal.items || ready.bytes >= seal.bytes {
            Readiness::Full
        } else {
            Readiness::Some
        };
        if readiness != self.readiness {
            self.readiness = readiness;
            effects.push(Effect::Ripened(readiness));
        }
    }
}
