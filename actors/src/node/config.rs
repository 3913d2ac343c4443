//! How a node is bounded, paced and laid out.

use super::{Deployment, Nouns, ports::Reporter};
use crate::{
    block::Block, builder, certificate_pool, chain, chunk_store, executor, lane::Owner, mempool,
    orderer::simplex, relay, runs, state,
};
use drystone_engine::{Canary, journal, types::Bounds};
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// How the engine of the lanes runs on this node.
#[derive(Clone, Debug)]
pub struct LaneConfig {
    /// Epochs around the current one that are taken part in.
    pub bounds: Bounds,
    /// How often what is missing or uncertified is asked for or sent again.
    pub rebroadcast: Duration,
    /// How long a new certificate waits for a header to travel with before it is sent alone.
    pub certificate_linger: Duration,
    /// Least time from one certificate of this node's lane to the next.
    pub certificate_interval: Duration,
    /// Whether new headers overtake other messages on the wire.
    pub priority_proposals: bool,
    /// Whether acks overtake other messages on the wire.
    pub priority_acks: bool,
    /// Messages an actor's mailbox holds before it coalesces them.
    pub mailbox_size: NonZeroUsize,
    /// Where and how the journal lies on the disk.
    pub journal: journal::Config<()>,
    /// The planted bug, if any.
    pub canary: Canary,
}

impl LaneConfig {
    /// What the engine is started with.
    pub(super) fn engine<D: Deployment>(
        self,
        key: D::PrivateKey,
        epoch: u64,
        chain: &chain::Config<Nouns<D>>,
        automaton: Owner<D::PublicKey, builder::Mailbox>,
        reporter: Reporter<D>,
    ) -> drystone_engine::Config<Nouns<D>> {
        drystone_engine::Config {
            genesis: chain.parameters.genesis.clone(),
            key,
            provider: chain.provider.clone(),
            epoch,
            bounds: self.bounds,
            automaton,
            reporter,
            strategy: chain.strategy.clone(),
            rebroadcast: self.rebroadcast,
            certificate_linger: self.certificate_linger,
            certificate_interval: self.certificate_interval,
            priority_proposals: self.priority_proposals,
            priority_acks: self.priority_acks,
            mailbox_size: self.mailbox_size,
            journal: self.journal,
            canary: self.canary,
        }
    }
}

/// Parameters of a node.
pub struct Config<D: Deployment> {
    /// This node's key: its name on the network, and what signs its lane.
    pub key: D::PrivateKey,
    /// What executes transactions.
    pub application: D::Application,
    /// What a place in a chunk is charged.
    pub admission: D::Admission,
    /// Sees what the node does.
    pub watcher: D::Watcher,
    /// Knows who votes.
    pub voters: D::Voters,
    /// Chooses leaders.
    pub elector: D::Elector,
    /// Tells who signed the certificate of a lane.
    pub signers: D::Signers,
    /// The block that every chain of the deployment begins with.
    pub genesis: Arc<Block<Nouns<D>>>,
    /// Validators in an epoch, at most.
    pub validators_max: u32,
    /// Lanes in a block, at most: the sequencers of two epochs.
    pub lanes_max: u16,
    /// The engine of the lanes.
    pub lanes: LaneConfig,
    /// The mempool.
    pub mempool: mempool::Config,
    /// The builder of chunks.
    pub builder: builder::Config<D::PublicKey>,
    /// The chunk store.
    pub store: chunk_store::Config<D::PublicKey>,
    /// The relay of bodies.
    pub relay: relay::Config<D::PublicKey>,
    /// The pool of certificates.
    pub pool: certificate_pool::Config,
    /// How blocks are judged and built. What the deployment agrees on is here.
    pub chain: chain::Config<Nouns<D>>,
    /// How blocks are ordered.
    pub orderer: simplex::Settings,
    /// The state.
    pub state: state::Config,
    /// The executor.
    pub executor: executor::Config,
    /// The headers of executed blocks.
    pub runs: runs::Config,
    /// A claim of what is executed here is repeated after so long without a newer one.
    pub claims_repeat_ms: NonZeroU64,
    /// Who follows without being in any set: what their clients bring is taken from them.
    pub followers: Vec<D::PublicKey>,
    /// Blocks below the newest executed one that are kept for those who are behind.
    pub retention_blocks: u64,
}

impl<D: Deployment> Config<D> {
    /// Panics if the parts keep what they have for different numbers of blocks.
    pub(super) fn check(&self) {
        let (blocks, bodies, records) = (
            self.retention_blocks,
            self.store.retention_blocks,
            self.executor.retention_blocks,
        );
        assert!(
            bodies == blocks && records == blocks,
            "blocks are kept for {blocks} blocks, bodies for {bodies} and records for {records}: whoever is behind needs all three"
        );
    }
}
