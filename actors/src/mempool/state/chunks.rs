//! Which live chunks hold which transactions.

use crate::{mempool::Sighting, unordered};
use drystone_engine::types::Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    iter,
};

struct Chunk<P> {
    sequencer: P,
    height: u64,
    digest: Digest,
    ids: Vec<Digest>,
    expiry_ms: u64,
    /// When it came, by the local clock.
    seen_ms: u64,
    /// Chain time when it was known to be certified.
    certified_ms: Option<u64>,
}

/// The chunks that hold one transaction. Nearly always it is one, and that takes no memory of its own.
struct Holders {
    first: u64,
    more: Vec<u64>,
}

impl Holders {
    fn iter(&self) -> impl Iterator<Item = &u64> {
        iter::once(&self.first).chain(&self.more)
    }

    /// Says whether there are others.
    fn remove(&mut self, key: u64) -> bool {
        if self.first != key {
            self.more.retain(|it| *it != key);
            return true;
        }
        let next = self.more.pop();
        self.first = next.unwrap_or(key);
        next.is_some()
    }
}

struct Lane {
    certified: u64,
    executed: u64,
    live: BTreeMap<(u64, Digest), u64>,
    marks: usize,
}

/// What live chunks say of one transaction.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holding {
    /// This node packed it.
    pub own: bool,
    /// When the first chunk of another that is not certified came, by the local clock: who shows one after the other
    /// delays nobody for longer than with one.
    pub seen_ms: Option<u64>,
    /// Chain time when the last chunk of another that is certified was.
    pub certified_ms: Option<u64>,
}

/// The live chunks whose bodies are here. What is remembered of one lane is bounded, and so are the lanes,
/// by the epochs' sets: bodies of no others are kept.
pub struct Chunks<P> {
    me: P,
    lane_marks_max: usize,
    lanes: BTreeMap<P, Lane>,
    chunks: BTreeMap<u64, Chunk<P>>,
    holders: unordered::Map<Digest, Holders>,
    expiries: BTreeSet<(u64, u64)>,
    next: u64,
}

impl<P: Ord + Clone> Chunks<P> {
    pub fn new(me: P, lane_marks_max: usize) -> Self {
        Self {
            me,
            lane_marks_max,
            lanes: BTreeMap::new(),
            chunks: BTreeMap::new(),
            holders: unordered::Map::default(),
            expiries: BTreeSet::new(),
            next: 0,
        }
    }

    fn lane(&mut self, sequencer: &P) -> &mut Lane {
        self.lanes.entry(sequencer.clone()).or_insert(Lane {
            certified: 0,
            executed: 0,
            live: BTreeMap::new(),
            marks: 0,
        })
    }

    /// Remembers a chunk. Returns the transactions whose holding changed.
    pub fn sighted(&mut self, sighting: Sighting<P>, now_ms: u64, chain_ms: u64) -> Vec<Digest> {
        let Sighting {
            sequencer,
            height,
            digest,
            expiry_ms,
            ids,
        } = sighting;
        let (own, max, key) = (sequencer == self.me, self.lane_marks_max, self.next);
        let lane = self.lane(&sequencer);
        if let Some(known) = lane.live.get(&(height, digest)).copied() {
            // Its header was not signed yet when it was sealed here.
            let chunk = self.chunks.get_mut(&known).expect("live");
            self.expiries.remove(&(chunk.expiry_ms, known));
            chunk.expiry_ms = chunk.expiry_ms.max(expiry_ms);
            self.expiries.insert((chunk.expiry_ms, known));
            return Vec::new();
        }
        let over = !own && lane.marks + ids.len() > max;
        if height <= lane.executed || expiry_ms <= chain_ms || over {
            return Vec::new();
        }
        lane.live.insert((height, digest), key);
        lane.marks += ids.len();
        let certified_ms = (height <= lane.certified).then_some(chain_ms);
        self.next += 1;
        for id in &ids {
            match self.holders.get_mut(id) {
                Some(holders) => holders.more.push(key),
                None => {
                    let more = Vec::new();
                    self.holders.insert(*id, Holders { first: key, more });
                }
            }
        }
        self.expiries.insert((expiry_ms, key));
        let chunk = Chunk {
            sequencer,
            height,
            digest,
            ids: ids.clone(),
            expiry_ms,
            seen_ms: now_ms,
            certified_ms,
        };
        self.chunks.insert(key, chunk);
        ids
    }

    /// A lane is certified up to a height. Returns the transactions whose holding changed.
    pub fn certified(&mut self, sequencer: &P, height: u64, chain_ms: u64) -> Vec<Digest> {
        let lane = self.lane(sequencer);
        if height <= lane.certified {
            return Vec::new();
        }
        let below = std::mem::replace(&mut lane.certified, height);
        let fresh: Vec<_> = lane.live.iter().map(|(at, key)| (at.0, *key)).collect();
        let mut changed = Vec::new();
        for (_, key) in fresh.iter().filter(|(at, _)| below < *at && *at <= height) {
            let chunk = self.chunks.get_mut(key).expect("live");
            chunk.certified_ms = Some(chain_ms);
            changed.extend_from_slice(&chunk.ids);
        }
        changed
    }

    /// Forgets what was included and what expired. Returns the transactions whose holding changed.
    pub fn executed(&mut self, lanes: &BTreeMap<P, u64>, chain_ms: u64) -> Vec<Digest> {
        // A block after the one executed last has a later time.
        let expired = self.expiries.range(..=(chain_ms, u64::MAX));
        let mut over: Vec<_> = expired.map(|(_, key)| *key).collect();
        for (sequencer, height) in lanes {
            let lane = self.lane(sequencer);
            lane.executed = lane.executed.max(*height);
            let included = lane.live.range(..=(*height, Digest::from([u8::MAX; 32])));
            over.extend(included.map(|(_, key)| *key));
        }
        let mut changed = Vec::new();
        for key in over {
            // An included chunk may have expired as well.
            if let Some(chunk) = self.chunks.remove(&key) {
                self.expiries.remove(&(chunk.expiry_ms, key));
                let lane = self.lane(&chunk.sequencer);
                lane.live.remove(&(chunk.height, chunk.digest));
                lane.marks -= chunk.ids.len();
                self.release(key, &chunk.ids);
                changed.extend(chunk.ids);
            }
        }
        changed
    }

    fn release(&mut self, key: u64, ids: &[Digest]) {
        for id in ids {
            let holders = self.holders.get_mut(id);
            if holders.is_some_and(|it| !it.remove(key)) {
                self.holders.remove(id);
            }
        }
    }

    /// What live chunks say of a transaction.
    pub fn holding(&self, id: &Digest) -> Holding {
        let mut holding = Holding::default();
        let holders = self.holders.get(id).into_iter();
        for key in holders.flat_map(Holders::iter) {
            let chunk = &self.chunks[key];
            if chunk.sequencer == self.me {
                holding.own = true;
            } else if chunk.certified_ms.is_some() {
                holding.certified_ms = holding.certified_ms.max(chunk.certified_ms);
            } else {
                let seen_ms = holding.seen_ms.unwrap_or(chunk.seen_ms);
                holding.seen_ms = Some(seen_ms.min(chunk.seen_ms));
            }
        }
        holding
    }

    /// What chunks of this node hold that are not certified although they came before a time by the local clock.
    pub fn stuck(&self, before_ms: u64) -> impl Iterator<Item = &Digest> {
        let own = self.lanes.get(&self.me);
        let chunks = own.into_iter().flat_map(|lane| lane.live.values());
        let chunks = chunks.map(|key| &self.chunks[key]);
        let stuck = chunks.filter(move |it| it.certified_ms.is_none() && it.seen_ms < before_ms);
        stuck.flat_map(|it| &it.ids)
    }

    /// Whether a live chunk holds a transaction.
    pub fn hold(&self, id: &Digest) -> bool {
        self.holders.contains_key(id)
    }

    /// Transactions remembered, once for each chunk.
    pub fn marks(&self) -> usize {
        self.lanes.values().map(|lane| lane.marks).sum()
    }
}
