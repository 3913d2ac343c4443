use super::Ahead;
use crate::{
    testing::{NOW_MS, World, genesis, payload},
    types::{Limits, Payload, Signed},
};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::Arc};

type Header = Arc<Signed<crate::testing::Nouns>>;

/// The same rules with nothing kept in step: every question is a walk over all heights.
#[derive(Default)]
struct Naive {
    included: u64,
    top: u64,
    known: BTreeMap<u64, Header>,
    /// Heights at and below which everything expired or was included, however much is learned later.
    floor: u64,
}

impl Naive {
    fn rise(&mut self, height: u64) {
        self.floor = self.floor.max(height);
        self.top = self.top.max(self.floor);
    }

    fn include(&mut self, height: u64) {
        self.included = self.included.max(height);
        self.rise(height);
    }

    /// The highest known header that expired takes all below it with it.
    fn expire(&mut self, now_ms: u64) {
        let expiry_ms = |it: &Header| genesis().expiry_ms(it.tip().slot).unwrap();
        let expired = self
            .known
            .iter()
            .filter(|(height, it)| **height <= self.top && expiry_ms(it) < now_ms);
        let highest = expired.map(|(height, _)| *height).max().unwrap_or(0);
        self.rise(highest);
    }

    fn live(&self) -> Limits {
        let mut live = Limits::default();
        for height in self.floor + 1..=self.top {
            let (bytes, items) = match self.known.get(&height) {
                Some(it) => (it.header().payload.bytes, it.header().payload.items),
                None => (1_000, 100),
            };
            live.chunks += 1;
            live.bytes += u64::from(bytes);
            live.items += u64::from(items);
        }
        live
    }

    fn admits(&self, height: u64, bytes: u32, items: u32) -> bool {
        let (live, genesis) = (self.live(), genesis());
        let max = genesis.lane_ahead_max;
        height <= self.floor
            || live.chunks < max.chunks
                && live.bytes + u64::from(bytes) <= max.bytes
                && live.items + u64::from(items) <= max.items
                && self.top - self.included < genesis.lane_headers_max
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push,
    Jump(u64),
    Fill(u64),
    Truncate(u64),
    Include(u64),
    Expire(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => Just(Step::Push),
        1 => (0..6u64).prop_map(Step::Jump),
        3 => (0..60u64).prop_map(Step::Fill),
        1 => (0..60u64).prop_map(Step::Truncate),
        1 => (0..60u64).prop_map(Step::Include),
        2 => (0..60u64).prop_map(Step::Expire),
    ]
}

/// A lane of payloads of all sizes, with slots at all distances.
fn lane(world: &World, sizes: &[(u32, u32, u64)]) -> Vec<Header> {
    let mut below = world.root(1);
    let mut slot = NOW_MS;
    let next = |(bytes, items, gap): &(u32, u32, u64)| {
        slot += gap;
        let header = world.header(
            1,
            below,
            slot,
            Payload {
                bytes: *bytes,
                items: *items,
                ..payload(0)
            },
        );
        below = header.tip();
        header
    };
    sizes.iter().map(next).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    // D-10, R-07
    #[test]
    fn what_is_counted_in_steps_is_what_a_walk_over_the_lane_counts(
        sizes in prop::collection::vec((1..=1_000u32, 1..=100u32, 1..500u64), 80),
        steps in prop::collection::vec(step(), 1..80),
    ) {
        let world = World::new();
        let lane = lane(&world, &sizes);
        let at = |height: u64| &lane[usize::try_from(height).unwrap() - 1];
        let mut ahead = Ahead::new(&world.genesis);
        let mut naive = Naive::default();
        for step in steps {
            match step {
                Step::Push if naive.top < 80 => {
                    let header = at(naive.top + 1);
                    ahead.push(&world.genesis, header);
                    naive.top += 1;
                    naive.known.insert(naive.top, header.clone());
                }
                Step::Push => {}
                Step::Jump(by) => {
                    let height = (naive.top + by).min(80);
                    ahead.jump(height);
                    naive.top = height;
                }
                Step::Fill(height) => {
                    let header = at(height + 1);
                    ahead.fill(&world.genesis, header);
                    if (naive.floor + 1..=naive.top).contains(&(height + 1)) {
                        naive.known.insert(height + 1, header.clone());
                    }
                }
                Step::Truncate(height) => {
                    ahead.truncate(height);
                    naive.top = naive.top.min(height.max(naive.floor));
                    naive.known.split_off(&(naive.top + 1));
                }
                Step::Include(height) => {
                    ahead.include(height);
                    naive.include(height);
                }
                Step::Expire(after) => {
                    // Times around the expiry of some header.
                    let slot = at(after + 1).tip().slot;
                    let now_ms = world.genesis.expiry_ms(slot).unwrap() + after % 2;
                    ahead.expire(now_ms);
                    naive.expire(now_ms);
                }
            }
            prop_assert_eq!(ahead.top(), naive.top);
            prop_assert_eq!(ahead.live(), naive.live());
            for (bytes, items) in [(1, 1), (500, 50), (1_000, 100)] {
                for height in [naive.floor, naive.top + 1] {
                    prop_assert_eq!(ahead.admits(height, bytes, items), naive.admits(height, bytes, items));
                }
            }
        }
    }
}

// D-10: exactly at the limit is within it.
#[test]
fn the_last_byte_and_the_last_item_are_admitted_and_one_more_is_not() {
    let mut genesis = genesis();
    genesis.lane_ahead_max = Limits {
        chunks: 4,
        bytes: 1_000,
        items: 100,
    };
    let world = World::with(genesis);
    let mut ahead = Ahead::new(&world.genesis);
    ahead.push(&world.genesis, &lane(&world, &[(400, 40, 1)])[0]);
    assert!(ahead.admits(2, 600, 60));
    assert!(!ahead.admits(2, 601, 60) && !ahead.admits(2, 600, 61));
}

// D-10: expired headers count as headers only, and inclusion frees those.
#[test]
fn expired_headers_fill_the_lane_up_to_the_header_limit() {
    let world = World::new();
    let sizes = vec![(10, 1, 1); 65];
    let lane = lane(&world, &sizes);
    let mut ahead = Ahead::new(&world.genesis);
    for header in &lane[..64] {
        assert!(ahead.admits(header.height(), 10, 1));
        ahead.push(&world.genesis, header);
        ahead.expire(u64::MAX);
    }
    assert_eq!(
        (ahead.live(), ahead.admits(65, 10, 1)),
        (Limits::default(), false)
    );
    ahead.include(1);
    assert!(ahead.admits(65, 10, 1));
}

// The chain may include what this node has not locked yet.
#[test]
fn what_is_included_before_it_is_counted_is_never_counted() {
    let world = World::new();
    let lane = lane(&world, &[(10, 1, 1), (10, 1, 1), (10, 1, 1)]);
    let mut ahead = Ahead::new(&world.genesis);
    ahead.include(2);
    ahead.push(&world.genesis, &lane[0]);
    ahead.push(&world.genesis, &lane[1]);
    assert_eq!((ahead.top(), ahead.live().chunks), (2, 0));
    ahead.push(&world.genesis, &lane[2]);
    assert_eq!((ahead.top(), ahead.live().chunks), (3, 1));
}

// a new node may meet a certificate of any height before it hears of the chain.
#[test]
fn a_jump_takes_no_memory_however_far_it_goes() {
    let world = World::new();
    let lane = lane(&world, &[(10, 1, 1), (10, 1, 1)]);
    let mut ahead = Ahead::new(&world.genesis);
    ahead.push(&world.genesis, &lane[0]);
    let far = u64::MAX - 1;
    ahead.jump(far);
    ahead.fill(&world.genesis, &lane[1]);
    assert_eq!((ahead.top(), ahead.live().chunks), (far, far));
    assert_eq!(ahead.live().bytes, u64::MAX, "more than can be counted");
    assert_eq!(ahead.known.len(), 2);
    assert!(!ahead.admits(far + 1, 1, 1));
    ahead.include(far);
    assert_eq!(ahead.live(), Limits::default());
    assert!(ahead.known.is_empty() && ahead.admits(far + 1, 1, 1));
}
