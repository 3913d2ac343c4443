//! The dialog with peers: announce, get, contents.

use super::{
    Answer, Effect, Effects, Place, Refusal, Source, State,
    announcements::{Kind, address},
    pool::Entry,
    wire,
};
use crate::{
    Canary,
    transaction::{Invalid, Transaction},
    types::Types,
};
use drystone_engine::types::Digest;
use std::{collections::BTreeMap, sync::Arc};

impl<T: Types> State<T> {
    /// Whether a peer is one; if not, what it sent is refused.
    fn is_peer(&self, from: &T::PublicKey, effects: &mut Effects<T>) -> bool {
        let is_peer = self.peers.get(from).is_some();
        if !is_peer {
            refuse(effects, from, Refusal::Stranger);
        }
        is_peer
    }

    pub(super) fn announced(
        &mut self,
        from: T::PublicKey,
        ids: &[Digest],
        effects: &mut Effects<T>,
    ) {
        if self.blocks_only || !self.is_peer(&from, effects) {
            return;
        }
        let mut dropped = 0;
        for id in ids {
            if self.pool.arrival(id).is_some() {
                self.known.insert(*id, &from);
            } else if !self.knows(id) && !self.refused.contains(id) && !self.chunks.hold(id) {
                let (now_ms, config) = (self.now_ms, &self.config.gossip);
                let kept = self
                    .fetches
                    .announced(now_ms, &from, *id, &mut self.peers, config);
                dropped += usize::from(!kept);
            }
        }
        if dropped > 0 {
            refuse(effects, &from, Refusal::NoRoom(dropped));
        }
    }

    /// Serves what was announced: what is checked, and within what one peer is served.
    pub(super) fn requested(
        &mut self,
        from: T::PublicKey,
        request: u64,
        ids: &[Digest],
        effects: &mut Effects<T>,
    ) {
        if !self.is_peer(&from, effects) {
            return;
        }
        let (mut contents, mut missing, mut greedy) = (Vec::new(), Vec::new(), 0);
        let peer = self.peers.get_mut(&from).expect("just seen");
        for id in ids {
            let entry = self.pool.arrival(id).and_then(|it| self.pool.get(it));
            let Some(entry) = entry.filter(|it| it.place() != Place::Unchecked) else {
                missing.push(*id);
                continue;
            };
            let bytes = &entry.transaction.bytes;
            if peer.served + bytes.len() > self.config.gossip.served_bytes_max {
                greedy += 1;
                missing.push(*id);
                continue;
            }
            peer.served += bytes.len();
            contents.push(bytes.clone());
        }
        let parts = self.config.wire.split(contents).into_iter();
        let parts = parts.map(|contents| wire::Message::Contents { request, contents });
        let missing = Some(missing).filter(|it| !it.is_empty());
        let missing = missing.map(|ids| wire::Message::Missing { request, ids });
        effects.extend(parts.chain(missing).map(|message| Effect::Send {
            to: vec![from.clone()],
            message,
        }));
        if greedy > 0 {
            refuse(effects, &from, Refusal::Greedy(greedy));
        }
    }

    pub(super) fn missed(
        &mut self,
        from: T::PublicKey,
        request: u64,
        ids: &[Digest],
        effects: &mut Effects<T>,
    ) {
        if self.blocks_only || !self.is_peer(&from, effects) {
            return;
        }
        let answered = self
            .fetches
            .answered(&from, request, ids, false, &mut self.peers);
        if let Err(refusal) = answered {
            refuse(effects, &from, refusal);
        }
    }

    pub(super) fn delivered(
        &mut self,
        from: T::PublicKey,
        request: u64,
        transactions: Vec<Result<Arc<Transaction>, Invalid>>,
        effects: &mut Effects<T>,
    ) {
        if self.blocks_only || !self.is_peer(&from, effects) {
            return;
        }
        let transactions: Result<Vec<_>, _> = transactions.into_iter().collect();
        let transactions = match transactions {
            Ok(transactions) => transactions,
            Err(invalid) => {
                self.fetches.failed(&from, request, &mut self.peers);
                return refuse(effects, &from, Refusal::Undecodable(invalid));
            }
        };
        let ids: Vec<_> = transactions.iter().map(|it| it.facts.id).collect();
        let answered = self
            .fetches
            .answered(&from, request, &ids, true, &mut self.peers);
        let wanted = match answered {
            Ok(wanted) => wanted,
            Err(refusal) => return refuse(effects, &from, refusal),
        };
        let mut by_id: BTreeMap<_, _> = ids.into_iter().zip(transactions).collect();
        let source = Source::Peer(from.clone());
        let mut dropped = 0;
        for id in wanted {
            let transaction = by_id.remove(&id).expect("it was delivered");
            match self.admit(&transaction, &source) {
                Ok(()) => {
                    self.insert(transaction, source.clone());
                    self.known.insert(id, &from);
                }
                // A client brought it, or it was executed, meanwhile; a closed mempool asks nobody.
                Err(Answer::Accepted | Answer::Duplicate | Answer::Closed) => {}
                Err(Answer::Busy { .. }) if self.is_early(&transaction) => {
                    self.remember_refused(id);
                }
                Err(Answer::Busy { .. }) => dropped += 1,
                Err(Answer::Invalid(invalid)) => {
                    self.remember_refused(id);
                    refuse(effects, &from, Refusal::Rejected { id, invalid });
                }
            }
        }
        if dropped > 0 {
            refuse(effects, &from, Refusal::NoRoom(dropped));
        }
    }

    /// Does what is due by the clock.
    pub(super) fn wake(&mut self, effects: &mut Effects<T>) {
        for arrival in self.pool.due(self.now_ms, self.chain_ms) {
            self.come_back(arrival);
        }
        let ids_max = self.config.wire.ids_max;
        let config = &self.config.gossip;
        let asks = self
            .fetches
            .wake(self.now_ms, &mut self.peers, ids_max, config);
        effects.extend(asks.into_iter().map(|(to, message)| Effect::Send {
            to: vec![to],
            message,
        }));
        let (own, fetched) = self.announcements.due(self.now_ms);
        let own = self.unless_next(own);
        let (all, few) = (self.peers.len(), self.config.gossip.fanout);
        for (ids, count) in [(own, all), (fetched, few)] {
            let ids = self.unpacked(&ids);
            let known = |it: &Self, id: &_, peer: &_| it.known.contains(id, peer);
            self.announce(&ids, count, known, effects);
        }
        if self.announcements.tick(self.now_ms, &self.config.gossip) {
            self.peers.refill();
            let (mut pending, few) = (self.pending(), self.config.gossip.fanout);
            pending.extend(self.stuck());
            // Who announced it once may have lost it in a crash since. Who brought it answers for it.
            self.announce(&pending, few, Self::is_source, effects);
        }
    }

    /// Announces ids to so many peers, the next in turn, without those that have them.
    fn announce(
        &mut self,
        ids: &[Digest],
        count: usize,
        has: impl Fn(&Self, &Digest, &T::PublicKey) -> bool,
        effects: &mut Effects<T>,
    ) {
        if self.blocks_only || ids.is_empty() || self.config.canary.is(Canary::KeepToItself) {
            return;
        }
        let peers = self.peers.next(count);
        let lacks = |id: &Digest, peer: &T::PublicKey| !has(self, id, peer);
        let addressed = address(ids, &peers, lacks, self.config.wire.ids_max);
        effects.extend(addressed.into_iter().map(|(to, ids)| Effect::Send {
            to,
            message: wire::Message::Announce(ids),
        }));
    }

    fn is_source(&self, id: &Digest, peer: &T::PublicKey) -> bool {
        let entry = self.pool.arrival(id).and_then(|it| self.pool.get(it));
        entry.is_some_and(|it| matches!(&it.source, Source::Peer(source) if source == peer))
    }

    /// Without those whose turn comes: they wait as long again, in case it does not.
    fn unless_next(&mut self, ids: Vec<Digest>) -> Vec<Digest> {
        if !self.packs() {
            return ids;
        }
        let entry = |id: &Digest| self.pool.arrival(id).and_then(|it| self.pool.get(it));
        let (next, others): (Vec<_>, _) = ids
            .into_iter()
            .partition(|id| entry(id).is_some_and(is_next));
        for id in next {
            let config = &self.config.gossip;
            self.announcements
                .push(self.now_ms, id, Kind::Packed, config);
        }
        others
    }

    /// Those still held that are pending: no chunk carries them which this node relies on.
    fn unpacked(&self, ids: &[Digest]) -> Vec<Digest> {
        let unpacked = ids.iter().filter(|id| {
            let entry = self.pool.arrival(id).and_then(|it| self.pool.get(it));
            entry.is_some_and(|it| it.place().is_pending())
        });
        unpacked.copied().collect()
    }

    /// The next of what chunks of this node hold that nobody certifies. They may never be: the others must learn of it. What
    /// was executed out of another chunk has left, and could not be served.
    fn stuck(&mut self) -> Vec<Digest> {
        let before_ms = self.now_ms.saturating_sub(self.config.pool.takeover_ms);
        let held = |id: &&Digest| {
            let entry = self.pool.arrival(id).and_then(|it| self.pool.get(it));
            entry.is_some_and(|it| it.place() == Place::Packed)
        };
        let stuck: Vec<_> = self.chunks.stuck(before_ms).filter(held).copied().collect();
        let max = self.config.gossip.reannounce_max.min(stuck.len());
        let from = self.announcements.stuck;
        self.announcements.stuck = (from + max).checked_rem(stuck.len()).unwrap_or(0);
        let round = stuck.iter().cycle().skip(from).take(max);
        round.copied().collect()
    }

    /// The next of what is still pending, in the order of arrival.
    fn pending(&mut self) -> Vec<Digest> {
        let cursor = self.announcements.cursor;
        let before = self.pool.pending(0).take_while(|at| *at < cursor);
        let round = self.pool.pending(cursor).chain(before);
        let arrivals: Vec<_> = round.take(self.config.gossip.reannounce_max).collect();
        if let Some(last) = arrivals.last() {
            self.announcements.cursor = last + 1;
        }
        let packs = self.packs();
        let entries = arrivals.iter().filter_map(|it| self.pool.get(*it));
        let entries = entries.filter(|it| !(packs && is_next(it)));
        entries.map(|it| it.transaction.facts.id).collect()
    }
}

/// Whether the next chunks of this node take it. Where more comes than is packed, announcing all that waits for its turn, and
/// bringing it to nodes that have a backlog of their own, was a third of what the nodes did.
fn is_next<P: PartialEq>(entry: &Entry<P>) -> bool {
    entry.source == Source::Client && entry.place() == Place::Ready
}

fn refuse<T: Types>(effects: &mut Effects<T>, from: &T::PublicKey, refusal: Refusal) {
    let from = from.clone();
    effects.push(Effect::Refuse { from, refusal });
}
