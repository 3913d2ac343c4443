//! How far a lane runs ahead of the chain.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::types::{Genesis, Limits, Signed, Types};
use std::collections::BTreeMap;

/// What one header stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    bytes: u64,
    items: u64,
    expiry_ms: u64,
}

/// The load of one lane above its last finalized inclusion, kept in step with the lane. A height whose header is not here
/// counts as a live chunk of the largest size; it takes no memory, however far a certificate is above all that is known.
#[derive(Clone, Debug)]
pub struct Ahead {
    chunk_max: Limits,
    limits: Limits,
    headers_max: u64,
    /// Height of the last finalized inclusion.
    included: u64,
    /// Heights up to here are included or expired: what is counted begins just above.
    floor: u64,
    /// The highest height counted, never below `floor`.
    top: u64,
    /// The known headers among those counted, by height.
    known: BTreeMap<u64, Load>,
    /// What the known headers stand for.
    load: Limits,
}

impl Ahead {
    /// An empty lane.
    pub fn new(genesis: &Genesis) -> Self {
        Self {
            chunk_max: Limits {
                chunks: 1,
                bytes: u64::from(genesis.chunk_bytes_max),
                items: u64::from(genesis.chunk_items_max),
            },
            limits: genesis.lane_ahead_max,
            headers_max: genesis.lane_headers_max,
            included: 0,
            floor: 0,
            top: 0,
            known: BTreeMap::new(),
            load: Limits::default(),
        }
    }

    /// The height of the highest header counted.
    pub const fn top(&self) -> u64 {
        self.top
    }

    /// What is live above the last finalized inclusion.
    pub fn live(&self) -> Limits {
        let unknown = self.top - self.floor - self.known.len() as u64;
        let add = |known: u64, each: u64| known.saturating_add(unknown.saturating_mul(each));
        Limits {
            chunks: add(self.load.chunks, self.chunk_max.chunks),
            bytes: add(self.load.bytes, self.chunk_max.bytes),
            items: add(self.load.items, self.chunk_max.items),
        }
    }

    /// Whether a chunk of this size may follow at a height that is counted already or next.
    pub fn admits(&self, height: u64, bytes: u32, items: u32) -> bool {
        if height <= self.floor {
            return true;
        }
        let (limits, live) = (self.limits, self.live());
        live.chunks < limits.chunks
            && live.bytes.saturating_add(u64::from(bytes)) <= limits.bytes
            && live.items.saturating_add(u64::from(items)) <= limits.items
            && self.top.saturating_sub(self.included) < self.headers_max
    }

    fn load<T: Types>(genesis: &Genesis, header: &Signed<T>) -> Load {
        let payload = header.header().payload;
        Load {
            bytes: u64::from(payload.bytes),
            items: u64::from(payload.items),
            expiry_ms: genesis
                .expiry_ms(header.header().slot)
                .expect("a well-formed header"),
        }
    }

    fn add(&mut self, height: u64, load: Load) {
        self.load.chunks += 1;
        self.load.bytes += load.bytes;
        self.load.items += load.items;
        let before = self.known.insert(height, load);
        assert!(before.is_none(), "a header is counted once");
    }

    fn subtract(&mut self, loads: impl IntoIterator<Item = Load>) {
        for load in loads {
            self.load.chunks -= 1;
            self.load.bytes -= load.bytes;
            self.load.items -= load.items;
        }
    }

    /// Counts the header above [`Self::top`]. The chain may be ahead of the lane as it stands here:
    /// what is included already is not counted.
    ///
    /// # Panics
    /// If it leaves a hole.
    pub fn push<T: Types>(&mut self, genesis: &Genesis, header: &Signed<T>) {
        if header.height() <= self.floor {
            return;
        }
        assert_eq!(
            header.height(),
            self.top + 1,
            "headers are counted in order"
        );
        self.top = header.height();
        self.add(self.top, Self::load(genesis, header));
    }

    /// Counts unknown headers up to a height.
    pub fn jump(&mut self, height: u64) {
        self.top = self.top.max(height);
    }

    /// Learns the header of a height counted as unknown.
    pub fn fill<T: Types>(&mut self, genesis: &Genesis, header: &Signed<T>) {
        let height = header.height();
        let counted = height > self.floor && height <= self.top;
        if counted && !self.known.contains_key(&height) {
            self.add(height, Self::load(genesis, header));
        }
    }

    /// Forgets the headers above a height: their locks were dropped.
    pub fn truncate(&mut self, height: u64) {
        let height = height.max(self.floor);
        if height < self.top {
            let above = self.known.split_off(&(height + 1));
            self.subtract(above.into_values());
            self.top = height;
        }
    }

    /// The lane was included up to a height.
    pub fn include(&mut self, height: u64) {
        self.included = self.included.max(height);
        self.rise(height);
    }

    /// Chain time has come this far: what expired before no longer counts as live.
    pub fn expire(&mut self, now_ms: u64) {
        // Slots rise with height, so all below an expired header has expired as well, and nothing
        // above one that is alive has. Unknown heights go with the next known one above them.
        let expired = self
            .known
            .iter()
            .take_while(|(_, it)| it.expiry_ms < now_ms);
        let highest = expired.last().map_or(self.floor, |(height, _)| *height);
        self.rise(highest);
    }

    fn rise(&mut self, floor: u64) {
        if self.floor < floor {
            let above = self.known.split_off(&floor.saturating_add(1));
            let below = std::mem::replace(&mut self.known, above);
            self.subtract(below.into_values());
            self.floor = floor;
            self.top = self.top.max(floor);
        }
    }
}
