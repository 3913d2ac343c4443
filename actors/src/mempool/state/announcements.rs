//! Which ids are announced to whom, and when.

use crate::mempool::GossipConfig;
use drystone_engine::types::Digest;
use std::collections::BTreeMap;

/// One message to some peers.
pub type Announcement<P> = (Vec<P>, Vec<Digest>);

/// Whose a transaction is, as far as announcing it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A client's of this node, which packs it.
    Packed,
    /// A client's of this node, which has no lane.
    Own,
    /// Another node's.
    Fetched,
}

/// Ids by the time at which they are due.
type Queue = BTreeMap<u64, Vec<Digest>>;

/// What waits to be announced, and where the round of what is still pending stands.
pub struct Announcements {
    /// What clients submitted here: for every peer.
    own: Queue,
    /// What was fetched from others: for a few peers.
    fetched: Queue,
    tick_ms: u64,
    /// The next pending transaction to announce again, in the order of arrival.
    pub cursor: u64,
    /// Where the round of what no validator certifies stands.
    pub stuck: usize,
}

impl Announcements {
    pub const fn new() -> Self {
        Self {
            own: Queue::new(),
            fetched: Queue::new(),
            tick_ms: 0,
            cursor: 0,
            stuck: 0,
        }
    }

    /// A transaction was checked. What waits here is bounded: only what the pool held comes, once, and goes in time.
    pub fn push(&mut self, now_ms: u64, id: Digest, kind: Kind, config: &GossipConfig) {
        let (queue, linger_ms) = match kind {
            Kind::Packed => (&mut self.own, config.pack_linger_ms),
            Kind::Own => (&mut self.own, 0),
            Kind::Fetched => (&mut self.fetched, 0),
        };
        // All that come within one turn are due at its end: a message a turn, whatever the rate.
        let turn_ms = config.announce_linger_ms;
        let turn = now_ms.saturating_add(linger_ms) / turn_ms;
        let at_ms = turn.saturating_add(1).saturating_mul(turn_ms);
        queue.entry(at_ms).or_default().push(id);
    }

    /// What is due: for every peer, and for a few.
    pub fn due(&mut self, now_ms: u64) -> (Vec<Digest>, Vec<Digest>) {
        (due(&mut self.own, now_ms), due(&mut self.fetched, now_ms))
    }

    /// Whether it is time to announce again what is still pending.
    pub fn tick(&mut self, now_ms: u64, config: &GossipConfig) -> bool {
        let due = self.tick_ms <= now_ms;
        if due {
            self.tick_ms = now_ms.saturating_add(config.reannounce_ms);
        }
        due
    }

    pub fn wake_ms(&self) -> u64 {
        let first = |queue: &Queue| queue.keys().next().copied();
        let first = [first(&self.own), first(&self.fetched)];
        first.into_iter().flatten().fold(self.tick_ms, u64::min)
    }
}

fn due(queue: &mut Queue, now_ms: u64) -> Vec<Digest> {
    let later = queue.split_off(&now_ms.saturating_add(1));
    let due = std::mem::replace(queue, later);
    due.into_values().flatten().collect()
}

/// Addresses ids to the peers that lack them, in as few messages as may be: peers that lack the same ids share
/// a message.
pub fn address<P: Ord + Clone>(
    ids: &[Digest],
    peers: &[P],
    lacks: impl Fn(&Digest, &P) -> bool,
    ids_max: usize,
) -> Vec<Announcement<P>> {
    let mut groups: BTreeMap<Vec<Digest>, Vec<P>> = BTreeMap::new();
    for peer in peers {
        let lacking = ids.iter().filter(|id| lacks(id, peer));
        let lacking: Vec<_> = lacking.copied().collect();
        if !lacking.is_empty() {
            groups.entry(lacking).or_default().push(peer.clone());
        }
    }
    let parts = groups.into_iter().flat_map(|(ids, peers)| {
        let parts: Vec<_> = ids.chunks(ids_max).map(<[_]>::to_vec).collect();
        parts.into_iter().map(move |ids| (peers.clone(), ids))
    });
    parts.collect()
}
