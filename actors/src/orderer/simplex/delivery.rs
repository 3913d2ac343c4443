//! What marshal hands out goes to the chain actor, the epochs and the sink, in this order.

use super::epochs;
use crate::{block::Block, chain, orderer::Sink};
use commonware_actor::Feedback;
use commonware_consensus::{Heightable as _, Reporter, marshal::Update};
use commonware_utils::acknowledgement::Acknowledgement as _;
use drystone_engine::types::Types;
use std::num::NonZeroU64;

pub(super) struct Delivery<T: Types, S> {
    pub chain: chain::Mailbox<T>,
    pub epochs: epochs::Mailbox,
    pub epoch_blocks: NonZeroU64,
    pub sink: S,
}

impl<T: Types, S: Clone> Clone for Delivery<T, S> {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            epochs: self.epochs.clone(),
            epoch_blocks: self.epoch_blocks,
            sink: self.sink.clone(),
        }
    }
}

impl<T: Types, S: Sink<T>> Reporter for Delivery<T, S> {
    type Activity = Update<Block<T>>;

    fn report(&mut self, update: Self::Activity) -> Feedback {
        match update {
            Update::Tip(_, height, _) => self.sink.newest(height.get()),
            // The chain begins with it: nothing is left to do.
            Update::Block(block, acknowledgement) if block.height().is_zero() => {
                acknowledgement.acknowledge();
            }
            Update::Block(block, acknowledgement) => {
                let block = block.inner_shared();
                self.chain.finalized(block.clone());
                if (block.height + 1).is_multiple_of(self.epoch_blocks.get()) {
                    self.epochs.finalized(block.height, block.digest());
                }
                self.sink.finalized(block, acknowledgement);
            }
        }
        Feedback::Ok
    }
}
