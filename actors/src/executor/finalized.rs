//! What the orderer hands on.

use crate::block::Block;
use commonware_cryptography::PublicKey;
use commonware_utils::acknowledgement::Exact;
use drystone_engine::types::{Digest, Tip, Types};
use std::collections::BTreeMap;

/// A finalized block, as far as execution is concerned. Blocks come in the order of their heights, each at least once.
#[derive(Debug)]
pub struct Finalized<P> {
    /// Its height: the first block's is 1.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Chain time.
    pub timestamp_ms: u64,
    /// The tip of each lane that the block moves.
    pub tips: BTreeMap<P, Tip>,
    /// Given once the block is executed and its state is durable. Dropped, the orderer hands the block out again.
    pub acknowledgement: Exact,
}

impl<P> Finalized<P> {
    /// What execution needs of a block.
    pub fn new<T: Types<PublicKey = P>>(block: &Block<T>, acknowledgement: Exact) -> Self
    where
        P: PublicKey,
    {
        let tips = block.tips.iter();
        Self {
            height: block.height,
            digest: block.digest(),
            timestamp_ms: block.timestamp_ms,
            tips: tips.map(|it| (it.sequencer().clone(), it.tip())).collect(),
            acknowledgement,
        }
    }
}
