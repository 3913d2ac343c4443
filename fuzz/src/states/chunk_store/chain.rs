//! The chain that executes the chunks.

use crate::nouns::{NODES, Name};
use drystone_actors::Reference;
use drystone_engine::scheme::fixture::Free;

/// A block: the same one whenever it is executed.
pub struct Block {
    pub height: u64,
    pub time_ms: u64,
    /// The height up to which it executes each lane.
    pub lanes: [u64; NODES],
    /// What of that is not expired.
    pub references: Vec<Reference<Name<Free>>>,
}

/// What was executed, and what is being.
#[derive(Default)]
pub struct Chain {
    pub height: u64,
    pub time_ms: u64,
    pub lanes: [u64; NODES],
    /// The block whose bodies are being accepted, and whether the store was told.
    pub block: Option<Block>,
    pub asked: bool,
    /// Executed time as the store was told.
    pub told_ms: u64,
}

impl Chain {
    /// A block was executed.
    pub fn commit(&mut self) {
        let block = self.block.take().expect("a block is being executed");
        self.asked = false;
        self.height = block.height;
        self.time_ms = block.time_ms;
        self.lanes = block.lanes;
    }

    /// Empty blocks go on for long.
    pub fn end(&mut self, end_ms: u64) {
        self.time_ms = end_ms;
    }
}
