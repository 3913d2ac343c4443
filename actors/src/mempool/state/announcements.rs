//! Which ids are announced to whom, and when.

use crate::mempool::GossipConfig;
use drystone_engine::types::Digest;
use std::collections::BTreeMap;

/// One message to some peers.
pub type Announcement<P> = (Vec<P>, Vec<Digest>);

/// What waits to be announced, and where the round of what is still pending stands.
pub struct Announcements {
    /// What clients submitted here: for every peer.
    own: Vec<Digest>,
    /// What was fetched from others: for a few peers.
    fetched: Vec<Digest>,
    flush_ms: Option<u64>,
    tick_ms: u64,
    /// The next pending transaction to announce again, in the order of arrival.
    pub cursor: u64,
}

impl Announcements {
    pub const fn new() -> Self {
        Self {
            own: Vec::new(),
            fetched: Vec::new(),
            flush_ms: None,
            tick_ms: 0,
            cursor: 0,
        }
    }

    /// A transaction was checked. What waits here is bounded: only what the pool holds comes, once.
    pub fn push(&mut self, now_ms: u64, id: Digest, own: bool, config: &GossipConfig) {
        if own {
            self.own.push(id);
        } else {
            self.fetched.push(id);
        }
        let at_ms = now_ms.saturating_add(config.announce_linger_ms);
        self.flush_ms = Some(self.flush_ms.map_or(at_ms, |it| it.min(at_ms)));
    }

    /// What is due: for every peer, and for a few.
    pub fn flush(&mut self, now_ms: u64, ids_max: usize) -> Option<(Vec<Digest>, Vec<Digest>)> {
        let full = self.own.len().max(self.fetched.len()) >= ids_max;
        let due = self.flush_ms.is_some_and(|it| it <= now_ms);
        if !full && !due {
            return None;
        }
        self.flush_ms = None;
        Some((
            std::mem::take(&mut self.own),
            std::mem::take(&mut self.fetched),
        ))
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
        self.flush_ms
            .map_or(self.tick_ms, |it| it.min(self.tick_ms))
    }
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
