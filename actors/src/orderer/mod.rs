//! Puts blocks into one order that all honest nodes share.
//!
//! ```text
//!   chain (judge, build) <---- orderer ----> sink: finalized blocks, in order, each acknowledged once it is executed
//!                                 |
//!                             other nodes
//! ```
//!
//! [`Orderer`] and [`Sink`] are the seam: what is above knows neither views nor leaders. An orderer asks the
//! [chain actor](crate::chain) for blocks and verdicts, hands finalized blocks to the sink, and holds back once too many
//! are not acknowledged, so that the chain cannot outrun execution without bound.
//!
//! [`simplex`] is the one for networks that trust no single operator.

pub mod simplex;

use crate::block::Block;
use commonware_codec::Encode;
use commonware_utils::acknowledgement::Exact;
use drystone_engine::types::{Digest, Types};
use std::{future::Future, sync::Arc};

/// Takes what is final.
pub trait Sink<T: Types>: Clone + Send + 'static {
    /// The next block is final, durable here, and the chain actor knows it. Blocks come in the order of their heights,
    /// each at least once: after a restart again from the first that was not acknowledged. Acknowledge once the block is
    /// executed and its state durable; if the acknowledgement is dropped while the node runs, the orderer stops.
    fn finalized(&mut self, block: Arc<Block<T>>, acknowledgement: Exact);

    /// Blocks up to this height are final, whether or not they are here. Never goes back, but may skip heights.
    fn newest(&mut self, height: u64);
}

/// What the rest of a node asks of an orderer that runs.
pub trait Orderer<T: Types>: Clone + Send + Sync + 'static {
    /// Shows to anybody that knows an epoch's validators that a block is final.
    type Finality: Encode + Send;

    /// The final block at a height, if it is here.
    fn at(&self, height: u64) -> impl Future<Output = Option<Arc<Block<T>>>> + Send;

    /// A block by its digest, if it is here. It need not be final.
    fn named(&self, digest: Digest) -> impl Future<Output = Option<Arc<Block<T>>>> + Send;

    /// What shows that the block at a height is final; nothing if only one above it shows that.
    fn finality(&self, height: u64) -> impl Future<Output = Option<Self::Finality>> + Send;

    /// The newest height known to be final.
    fn newest(&self) -> impl Future<Output = Option<u64>> + Send;

    /// The validators of an epoch are known now: to the providers, before this is said.
    fn known(&self, epoch: u64);

    /// Blocks below a height are not needed any more. What the protocol itself needs is kept.
    fn prune(&self, below: u64);
}
