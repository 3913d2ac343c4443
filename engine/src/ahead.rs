//! How far a lane runs ahead of the chain.

#[cfg(all(test, feature = "mocks"))]
mod tests;

use crate::types::{Genesis, Limits, Signed, Types};
use std::collections::VecDeque;

/// What one header stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    bytes: u64,
    items: u64,
    expiry_ms: u64,
}

/// The load of one lane above its last finalized inclusion, kept in step with the lane in O(1) a
/// header. A height whose header is not here counts as a live chunk of the largest size.
#[derive(Clone, Debug)]
pub struct Ahead {
    chunk_max: Limits,
    limits: Limits,
    headers_max: u64,
    /// Height of the last finalized inclusion.
    included: u64,
    /// Heights up to here are included or expired: `loads` begins just above.
    floor: u64,
    loads: VecDeque<Option<Load>>,
    live: Limits,
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
            loads: VecDeque::new(),
            live: Limits::default(),
        }
    }

    /// The height of the highest header counted.
    pub fn top(&self) -> u64 {
        self.floor + self.loads.len() as u64
    }

    /// What is live above the last finalized inclusion.
    pub const fn live(&self) -> Limits {
        self.live
    }

    /// Whether a chunk of this size may follow at a height that is counted already or next.
    pub fn admits(&self, height: u64, bytes: u32, items: u32) -> bool {
        if height <= self.floor {
            return true;
        }
        let (limits, live) = (self.limits, self.live);
        live.chunks < limits.chunks
            && live.bytes.saturating_add(u64::from(bytes)) <= limits.bytes
            && live.items.saturating_add(u64::from(items)) <= limits.items
            && self.top().saturating_sub(self.included) < self.headers_max
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

    fn count(&self, load: Option<Load>) -> Limits {
        load.map_or(self.chunk_max, |it| Limits {
            chunks: 1,
            bytes: it.bytes,
            items: it.items,
        })
    }

    fn add(&mut self, load: Option<Load>) {
        let it = self.count(load);
        self.live.chunks += it.chunks;
        self.live.bytes += it.bytes;
        self.live.items += it.items;
    }

    fn subtract(&mut self, load: Option<Load>) {
        let it = self.count(load);
        self.live.chunks -= it.chunks;
        self.live.bytes -= it.bytes;
        self.live.items -= it.items;
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
            self.top() + 1,
            "headers are counted in order"
        );
        let load = Some(Self::load(genesis, header));
        self.loads.push_back(load);
        self.add(load);
    }

    /// Counts unknown headers up to a height.
    pub fn jump(&mut self, height: u64) {
        while self.top() < height {
            self.loads.push_back(None);
            self.add(None);
        }
    }

    /// Learns the header of a height counted as unknown.
    pub fn fill<T: Types>(&mut self, genesis: &Genesis, header: &Signed<T>) {
        let Some(index) = header.height().checked_sub(self.floor + 1) else {
            return;
        };
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        if self.loads.get(index) != Some(&None) {
            return;
        }
        let load = Some(Self::load(genesis, header));
        self.subtract(None);
        self.add(load);
        self.loads[index] = load;
    }

    /// Forgets the headers above a height: their locks were dropped.
    pub fn truncate(&mut self, height: u64) {
        while self.top() > height.max(self.floor) {
            let load = self.loads.pop_back().expect("top is above the floor");
            self.subtract(load);
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
        let mut expired = 0;
        for (index, load) in self.loads.iter().enumerate() {
            match load {
                Some(it) if it.expiry_ms < now_ms => expired = index + 1,
                Some(_) => break,
                None => {}
            }
        }
        self.rise(self.floor + expired as u64);
    }

    fn rise(&mut self, floor: u64) {
        while self.floor < floor {
            self.floor += 1;
            if let Some(load) = self.loads.pop_front() {
                self.subtract(load);
            }
        }
    }
}
