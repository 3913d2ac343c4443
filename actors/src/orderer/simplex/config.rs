//! How simplex and marshal run on this node.

use super::{Consensus, Key, Ordered};
use crate::block::Bounds;
use commonware_consensus::{
    marshal::{self, standard::Standard},
    simplex,
};
use commonware_p2p::utils::mux::prefixed;
use commonware_utils::NonZeroDuration;
use drystone_engine::{
    Channel, Transport,
    types::{Digest, Provider, Types},
};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// The channels of an orderer.
pub struct Network<N: Transport> {
    /// Votes.
    pub votes: Channel<N>,
    /// Certificates that votes add up to.
    pub certificates: Channel<N>,
    /// Certificates that were missed, asked for and answered.
    pub resolver: Channel<N>,
    /// Blocks, as they are proposed.
    pub blocks: Channel<N>,
    /// Blocks and finalizations that were missed, asked for and answered.
    pub backfill: Channel<N>,
    /// Cuts off faulty peers.
    pub blocker: N::Blocker,
}

/// How an orderer runs on its node.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Blocks that are handed out and not acknowledged, at most.
    pub unacknowledged_max: NonZeroUsize,
    /// The prefix of the partitions.
    pub partition: String,
    /// Messages a mailbox holds before its overflow policy takes over.
    pub mailbox_size: NonZeroUsize,
    /// How long a leader may take to propose.
    pub leader_timeout: Duration,
    /// How long a view may take until its block is notarized. More than `leader_timeout`.
    pub certification_timeout: Duration,
    /// After how long a vote to leave a view is repeated.
    pub timeout_retry: Duration,
    /// After how long without a sign of it a leader's views are left at once. More than `certification_timeout`.
    pub inactive_timeout: Duration,
    /// How long a peer may take to answer a request.
    pub fetch_timeout: NonZeroDuration,
    /// Views for which votes are kept below the last final one.
    pub view_retention: NonZeroU64,
    /// Blocks in a section of an archive: whole sections are dropped.
    pub section_blocks: NonZeroU64,
    /// Whether all blocks and finalizations are read at a start: what is damaged stops the node then, and not when a peer asks
    /// for it.
    pub read_at_start: bool,
}

/// Parameters of an orderer.
pub struct Config<C: Consensus> {
    /// This node.
    pub me: Key<C>,
    /// Knows the committees.
    pub provider: Arc<dyn Provider<C::Types>>,
    /// Knows the schemes of votes.
    pub schemes: C::Schemes,
    /// Chooses leaders.
    pub elector: C::Elector,
    /// Where signatures are checked and blocks hashed.
    pub strategy: <C::Types as Types>::Strategy,
    /// The genesis block.
    pub genesis: Arc<Ordered<C>>,
    /// What a decoder of blocks holds claims against.
    pub bounds: Bounds<C::Types>,
    /// Blocks in an epoch. More than are handed out at once.
    pub epoch_blocks: NonZeroU64,
    /// How it runs on this node.
    pub settings: Settings,
    /// The chain actor's gap before an empty block, in milliseconds: it must be over before the leader is given up.
    pub empty_gap_ms: u64,
}

impl<C: Consensus> Config<C> {
    /// Panics if the parameters contradict each other.
    pub(super) fn check(&self) {
        assert!(
            Duration::from_millis(self.empty_gap_ms) < self.settings.leader_timeout,
            "empty_gap_ms is {}: with a link's delay and the checks it must be below leader_timeout, {:?}",
            self.empty_gap_ms,
            self.settings.leader_timeout
        );
        assert!(
            self.epoch_blocks.get() > self.settings.unacknowledged_max.get() as u64,
            "epoch_blocks is {}: it must be above unacknowledged_max, {}",
            self.epoch_blocks,
            self.settings.unacknowledged_max
        );
        assert_eq!(
            self.genesis.height, 0,
            "the chain begins with a block at height 0"
        );
    }

    /// The epoch of a height.
    pub(super) fn epoch(&self, height: u64) -> u64 {
        height / self.epoch_blocks
    }

    /// The height of the last block of an epoch.
    pub(super) fn last(&self, epoch: u64) -> u64 {
        (epoch + 1) * self.epoch_blocks.get() - 1
    }
}

/// The largest message of any channel, for a network with up to `validators` in an epoch.
pub fn message_size_max<C: Consensus>(bounds: &Bounds<C::Types>, validators: u32) -> usize {
    let votes = simplex::max_payload_size::<C::Scheme, Digest>(validators);
    let blocks = marshal::max_payload_size::<Standard<Ordered<C>>, C::Scheme>(validators, bounds);
    prefixed(votes).max(blocks)
}
