//! The transaction window: which transactions may be executed in a block, and which were already.
//!
//! ```text
//!   block time <= expiry <= block time + span      else: expired, or not valid yet
//!   an id that was executed while it could be      else: executed
//! ```
//!
//! A transaction executed in a block at `t` expires at `t + span` at the latest. So the ids of a block are kept until
//! chain time is past that: whoever comes later with one of them is expired. There is no time between the two: at the
//! last millisecond of its life an id is still here.
//!
//! It is not on the disk. What a block executed is in its list of results, and the window is made of these.

#[cfg(test)]
mod tests;

use crate::{transaction::Facts, unordered};
use drystone_engine::types::Digest;
use std::collections::VecDeque;

/// Why a transaction is left out of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// Its expiry is before the block's time, or further after it than the span.
    Untimely,
    /// It was executed before.
    Duplicate,
}

/// What one block executed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Past {
    /// The block's time.
    pub time_ms: u64,
    /// Its executed transactions.
    pub ids: Vec<Digest>,
}

/// See the [module](self).
#[derive(Debug)]
pub struct Window {
    span_ms: u64,
    ids: unordered::Set<Digest>,
    /// Oldest first.
    blocks: VecDeque<Past>,
    /// The time of the oldest block that is here, if blocks before it are missing.
    since_ms: Option<u64>,
}

impl Window {
    /// The window of a chain that begins here.
    pub fn new(span_ms: u64) -> Self {
        Self {
            span_ms,
            ids: unordered::Set::default(),
            blocks: VecDeque::new(),
            since_ms: None,
        }
    }

    /// The window of a chain whose blocks before a time are not known: whatever was executed in them is missing.
    pub fn since(span_ms: u64, since_ms: u64) -> Self {
        let mut window = Self::new(span_ms);
        window.since_ms = Some(since_ms);
        window
    }

    /// Whether it holds everything that may be asked of it in a block at this time. What a missing block executed
    /// expires a span after it at the latest. A window that is not complete must not be asked.
    pub const fn is_complete(&self, block_ms: u64) -> bool {
        match self.since_ms {
            Some(since_ms) => since_ms.saturating_add(self.span_ms) <= block_ms,
            None => true,
        }
    }

    /// Begins the next block: what no transaction of it can repeat is forgotten.
    ///
    /// # Panics
    /// If time does not move on.
    pub fn begin(&mut self, block_ms: u64) {
        let newest = self.blocks.back().map(|it| it.time_ms);
        assert!(
            newest.is_none_or(|it| it < block_ms),
            "chain time goes from {newest:?} to {block_ms}"
        );
        while let Some(oldest) = self.blocks.front()
            && oldest.time_ms.saturating_add(self.span_ms) < block_ms
        {
            for id in &oldest.ids {
                self.ids.remove(id);
            }
            self.blocks.pop_front();
        }
        self.blocks.push_back(Past {
            time_ms: block_ms,
            ids: Vec::new(),
        });
    }

    /// Whether a transaction may be executed in the block that was begun.
    ///
    /// # Errors
    /// Why not.
    pub fn judge(&self, facts: &Facts) -> Result<(), Unfit> {
        let block_ms = self.current().time_ms;
        let timely = block_ms..=block_ms.saturating_add(self.span_ms);
        if !timely.contains(&facts.expiry_ms) {
            return Err(Unfit::Untimely);
        }
        if self.ids.contains(&facts.id) {
            return Err(Unfit::Duplicate);
        }
        Ok(())
    }

    /// A transaction was executed in the block that was begun.
    ///
    /// # Panics
    /// If it was executed before.
    pub fn insert(&mut self, id: Digest) {
        assert!(self.ids.insert(id), "{id} was executed twice");
        let block = self.blocks.back_mut();
        block.expect("a block was begun").ids.push(id);
    }

    fn current(&self) -> &Past {
        self.blocks.back().expect("a block was begun")
    }

    /// Blocks that are held, the one that was begun among them.
    pub fn blocks(&self) -> u64 {
        self.blocks.len() as u64
    }

    /// Ids that are held.
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none are.
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}
