//! One direction between two nodes: what it does to messages, and what it is in the middle of.

use super::{
    calendar::Flight,
    draw::{Draw, Purpose, Stream},
};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The quality of one direction between two nodes. Every message is subject to it: no channel and no
/// priority is exempt. [`Default`] is a perfect link without latency.
///
/// A message takes `latency_us` plus a uniform draw up to `jitter_us`, and each message draws for
/// itself: without jitter and reordering a link is first in, first out; with either, messages overtake
/// one another. There is no jitter that keeps the order, since then removing one message would move
/// those behind it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Shortest time on the way.
    pub latency_us: u32,
    /// Largest further time on the way.
    pub jitter_us: u32,
    /// Messages lost, of a million.
    pub loss_ppm: u32,
    /// Messages that arrive twice, of a million. The second has a delay of its own.
    pub duplicate_ppm: u32,
    /// Messages held back beyond their jitter, of a million.
    pub reorder_ppm: u32,
    /// Largest time for which such a message is held back.
    pub reorder_us: u32,
}

impl Link {
    /// A link that only takes time.
    pub const fn new(latency_us: u32, jitter_us: u32) -> Self {
        Self {
            latency_us,
            jitter_us,
            loss_ppm: 0,
            duplicate_ppm: 0,
            reorder_ppm: 0,
            reorder_us: 0,
        }
    }

    /// The same latency and jitter with every fault gone.
    pub const fn perfect(self) -> Self {
        Self::new(self.latency_us, self.jitter_us)
    }

    fn validate(&self) {
        for (name, ppm) in [
            ("loss_ppm", self.loss_ppm),
            ("duplicate_ppm", self.duplicate_ppm),
            ("reorder_ppm", self.reorder_ppm),
        ] {
            assert!(
                ppm <= 1_000_000,
                "{name} is {ppm}, at most 1000000 of a million"
            );
        }
    }

    fn delay_us(&self, draw: Draw) -> u64 {
        let mut delay_us = u64::from(self.latency_us) + draw.up_to(Purpose::Jitter, self.jitter_us);
        if draw.chance(Purpose::Reorder, self.reorder_ppm) {
            delay_us += draw.up_to(Purpose::ReorderDelay, self.reorder_us);
        }
        delay_us
    }
}

/// What becomes of a message at the moment it is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Passage {
    Blocked,
    Cut,
    Lost,
    /// Arrives after the first delay and, if duplicated, again after the second.
    Carried {
        delay_us: u64,
        duplicate_us: Option<u64>,
    },
}

/// A link and its present condition.
pub(super) struct State {
    link: Link,
    stream: Stream,
    /// Messages offered so far, whatever became of them: a cut does not shift later draws.
    offered: u64,
    /// Counted, so that overlapping partitions nest.
    cuts: u32,
    /// How often the link was cut: what left before a cut carries an older count and is lost.
    severed: u32,
    /// Counted, like cuts.
    clogs: u32,
    /// Zero, one or both ends block the other.
    blocks: u32,
    /// What arrived while clogged, in order.
    pub(super) held: VecDeque<Flight>,
}

impl State {
    pub(super) fn new(stream: Stream) -> Self {
        Self {
            link: Link::default(),
            stream,
            offered: 0,
            cuts: 0,
            severed: 0,
            clogs: 0,
            blocks: 0,
            held: VecDeque::new(),
        }
    }

    pub(super) fn set(&mut self, link: Link) {
        link.validate();
        self.link = link;
    }

    /// Numbers the next message and draws its passage.
    pub(super) fn offer(&mut self) -> (u64, Passage) {
        let number = self.offered;
        self.offered += 1;
        let draw = self.stream.message(number);
        let passage = if self.blocks > 0 {
            Passage::Blocked
        } else if self.cuts > 0 {
            Passage::Cut
        } else if draw.chance(Purpose::Loss, self.link.loss_ppm) {
            Passage::Lost
        } else {
            let duplicated = draw.chance(Purpose::Duplicate, self.link.duplicate_ppm);
            Passage::Carried {
                delay_us: self.link.delay_us(draw),
                duplicate_us: duplicated.then(|| self.link.delay_us(draw.duplicate())),
            }
        };
        (number, passage)
    }

    pub(super) const fn severed(&self) -> u32 {
        self.severed
    }

    pub(super) const fn is_blocked(&self) -> bool {
        self.blocks > 0
    }

    pub(super) const fn is_clogged(&self) -> bool {
        self.clogs > 0
    }

    pub(super) const fn cut(&mut self) {
        self.cuts += 1;
        self.severed += 1;
    }

    /// A mend that meets no cut does nothing: [`State::perfect`] may have come before it.
    pub(super) const fn mend(&mut self) {
        self.cuts = self.cuts.saturating_sub(1);
    }

    pub(super) const fn clog(&mut self) {
        self.clogs += 1;
    }

    /// Returns what was held, in order, once the last clog is gone.
    pub(super) fn unclog(&mut self) -> VecDeque<Flight> {
        self.clogs = self.clogs.saturating_sub(1);
        if self.clogs > 0 {
            return VecDeque::new();
        }
        std::mem::take(&mut self.held)
    }

    /// Ends every fault and returns what was held. Blocks stay: they are the protocol's decision.
    pub(super) fn perfect(&mut self) -> VecDeque<Flight> {
        self.link = self.link.perfect();
        self.cuts = 0;
        self.clogs = 0;
        std::mem::take(&mut self.held)
    }

    pub(super) const fn block(&mut self) {
        self.blocks += 1;
    }

    pub(super) const fn unblock(&mut self) {
        self.blocks = self
            .blocks
            .checked_sub(1)
            .expect("a block ended that never began");
    }
}
