//! What a mempool is built with.

use crate::{Canary, chunk};
use std::num::NonZeroUsize;

/// An amount of transactions: how many, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// Number of transactions.
    pub items: usize,
    /// Their bytes.
    pub bytes: usize,
}

/// What the pool holds, and when it may be packed.
#[derive(Clone, Debug)]
pub struct PoolConfig {
    /// What the pool may hold in all.
    pub pool_max: Amount,
    /// What it may hold of one account.
    pub account_max: Amount,
    /// What it may hold that one peer delivered: a flood leaves room for the others and for clients.
    pub peer_max: Amount,
    /// The largest transaction.
    pub transaction_bytes_max: usize,
    /// How far beyond chain time a transaction may expire.
    pub lifetime_max_ms: u64,
    /// What a client is told when there is no room.
    pub retry_after_ms: u64,
    /// Transactions checked at once.
    pub check_batch_max: usize,
    /// Ids of executed transactions that are remembered until they expire.
    pub executed_max: usize,
    /// Transactions of one lane's live chunks that are remembered. What is beyond may travel twice.
    pub lane_marks_max: usize,
    /// What one chunk may hold.
    pub chunk: chunk::Limits,
    /// As soon as this much may be packed, a chunk is due.
    pub seal: Amount,
    /// How long another node's client's transaction is left to that node, or to a chunk not certified.
    pub takeover_ms: u64,
    /// How much longer each further node in the order of takeover waits.
    pub stagger_ms: u64,
}

impl PoolConfig {
    /// What all peers together may have delivered: a quarter of the pool is left to clients, however many peers lie.
    pub(super) const fn delivered_max(&self) -> Amount {
        Amount {
            items: self.pool_max.items - self.pool_max.items / 4,
            bytes: self.pool_max.bytes - self.pool_max.bytes / 4,
        }
    }
}

/// How transactions spread.
#[derive(Clone, Debug)]
pub struct GossipConfig {
    /// How long a new id waits for others to be announced with, at most: announcements go out once in so long. At least 1.
    pub announce_linger_ms: u64,
    /// How much longer an id waits that a client brought and this node may pack: a chunk of its own makes most
    /// announcements needless. For as long after a chunk of this node what waits for the next ones is not announced at all.
    pub pack_linger_ms: u64,
    /// How often what is still pending is announced again.
    pub reannounce_ms: u64,
    /// Ids announced again at once.
    pub reannounce_max: usize,
    /// Peers that what was fetched, and what is still pending, is announced to. What a client submitted
    /// here is announced to all.
    pub fanout: usize,
    /// How long an announced id waits for others to be asked for with, or for its chunk.
    pub fetch_linger_ms: u64,
    /// How long an answer may take before another announcer is asked. It doubles with each request in a row that a peer leaves
    /// without an answer.
    pub fetch_timeout_ms: u64,
    /// Announcers of an id that are remembered.
    pub announcers_max: usize,
    /// Ids remembered because one peer announced them.
    pub wanted_max: usize,
    /// Ids asked of one peer at a time.
    pub requested_max: usize,
    /// Bytes served to one peer between two ticks of `reannounce_ms`.
    pub served_bytes_max: usize,
}

/// Parameters of one node's mempool.
#[derive(Clone, Debug)]
pub struct Config {
    /// What it holds.
    pub pool: PoolConfig,
    /// How it spreads.
    pub gossip: GossipConfig,
    /// The largest messages.
    pub wire: super::wire::Limits,
    /// Whether this node follows blocks only for good, as an archive does, however well it is in step with the chain.
    pub blocks_only: bool,
    /// Messages the mailbox holds before its policy sets in.
    pub mailbox_size: NonZeroUsize,
    /// The planted bug, if any.
    pub canary: Canary,
}

impl Config {
    /// Asserts what the mempool rests on.
    ///
    /// # Panics
    /// If a relation does not hold.
    pub fn check(&self) {
        let (pool, gossip) = (&self.pool, &self.gossip);
        assert!(
            pool.transaction_bytes_max <= pool.chunk.bytes_max as usize / 2,
            "a transaction of the largest size fits a chunk"
        );
        assert!(
            pool.transaction_bytes_max == self.wire.transaction_bytes_max,
            "what is kept can be served"
        );
        assert!(
            self.wire.message_bytes_max
                >= self.wire.transaction_bytes_max + super::wire::OVERHEAD_MAX,
            "a message fits a transaction of the largest size"
        );
        assert!(
            gossip.served_bytes_max >= pool.transaction_bytes_max,
            "the largest transaction can be served"
        );
        for (name, value) in [
            ("check_batch_max", pool.check_batch_max),
            ("seal.items", pool.seal.items),
            ("seal.bytes", pool.seal.bytes),
            ("fanout", gossip.fanout),
            ("announce_linger_ms", gossip.announce_linger_ms as usize),
            ("announcers_max", gossip.announcers_max),
            ("requested_max", gossip.requested_max),
            ("wire.ids_max", self.wire.ids_max),
        ] {
            assert!(value > 0, "{name} must be at least 1");
        }
    }
}
