//! How the actors of a node are bounded and laid out, from a cluster's options.

use super::{
    genesis::Key,
    options::{Options, Role},
};
use commonware_runtime::buffer::paged::page_size;
use commonware_utils::{NZU64, NZUsize};
use drystone_actors::{
    chunk::Limits as ChunkLimits,
    chunk_store::{self, Amount, Disk, Limits, Rate},
    mempool::{self, GossipConfig, PoolConfig, wire},
    relay,
};
use drystone_engine::types::Genesis;
use std::{num::NonZeroU64, sync::Arc};

/// What each producer may have at a node.
fn limits(options: &Options, genesis: &Genesis, role: Role) -> Limits {
    let mut limits = Limits::recommended(genesis);
    let period_slots = (options.rate_period_ms / genesis.slot_ms).max(1);
    limits.rate = Rate {
        period_slots: NonZeroU64::new(period_slots).expect("positive"),
        max: Amount {
            chunks: options.rate_chunks_max,
            bytes: options.rate_chunks_max * u64::from(options.chunk_bytes_max),
        },
    };
    if role == Role::Spams {
        // It does not stop itself.
        let endless = Amount {
            chunks: 1 << 32,
            bytes: 1 << 48,
        };
        (limits.held, limits.rate.max) = (endless, endless);
    }
    limits
}

/// How a mempool is bounded.
pub fn mempool_config(options: &Options) -> mempool::Config {
    let bytes = options.payment_bytes_max as usize;
    let amount = |items: usize| mempool::Amount {
        items,
        bytes: items * bytes,
    };
    let chunk = ChunkLimits {
        bytes_max: options.chunk_bytes_max,
        items_max: options.chunk_items_max,
    };
    let never = 1 << 30;
    mempool::Config {
        pool: PoolConfig {
            pool_max: amount(options.pool_items_max),
            account_max: amount(options.account_items_max),
            peer_max: amount(options.pool_items_max / 2),
            transaction_bytes_max: bytes,
            lifetime_max_ms: 1 << 31,
            retry_after_ms: 100,
            check_batch_max: 64,
            executed_max: 1 << 14,
            lane_marks_max: 1 << 13,
            chunk,
            seal: if options.packs {
                amount(options.seal_items)
            } else {
                amount(never)
            },
            takeover_ms: options.takeover_ms,
            stagger_ms: options.stagger_ms,
        },
        gossip: GossipConfig {
            announce_linger_ms: options.lingers.announce_ms,
            pack_linger_ms: options.lingers.pack_ms,
            reannounce_ms: options.reannounce_ms,
            reannounce_max: 256,
            fanout: options.fanout,
            fetch_linger_ms: options.lingers.fetch_ms,
            fetch_timeout_ms: options.timeout_ms,
            announcers_max: 4,
            wanted_max: 1_024,
            requested_max: 64,
            served_bytes_max: 256 * bytes,
        },
        wire: wire::Limits {
            ids_max: 64,
            transaction_bytes_max: bytes,
            message_bytes_max: 8 * bytes + wire::OVERHEAD_MAX,
        },
        blocks_only: false,
        mailbox_size: NZUsize!(64),
        canary: options.bug,
    }
}

/// How a relay is bounded and paced.
pub fn relay_config(options: &Options, genesis: &Arc<Genesis>, me: &Key) -> relay::Config<Key> {
    let rate = |bodies: u64| relay::Rate {
        bytes_per_second: NZU64!(8 << 20),
        burst_bytes: bodies * u64::from(genesis.chunk_bytes_max),
    };
    relay::Config {
        genesis: genesis.clone(),
        me: me.clone(),
        patience_ms: options.patience_ms,
        timeout_ms: options.timeout_ms,
        backoff_min_ms: options.timeout_ms,
        backoff_max_ms: 8 * options.timeout_ms,
        asking_max: 64,
        serving: rate(64),
        pushed: rate(128),
        requests_max: 64,
        reading_max: 8,
        opening_max: 8,
        mailbox_size: NZUsize!(64),
        canary: options.bug,
    }
}

/// What each producer may have of the memory for its newest chunks: so little that some are read from the disk.
pub const fn recent_bytes_max(chunk_bytes_max: u32) -> u64 {
    2 * chunk_bytes_max as u64
}

/// How a chunk store is bounded and laid out.
pub fn store_config(
    options: &Options,
    genesis: &Arc<Genesis>,
    me: &Key,
    role: Role,
) -> chunk_store::Config<Key> {
    chunk_store::Config {
        genesis: genesis.clone(),
        me: me.clone(),
        limits: limits(options, genesis, role),
        recent_bytes_max: recent_bytes_max(genesis.chunk_bytes_max),
        bucket_ms: NonZeroU64::new(options.bucket_ms).expect("positive"),
        retention_blocks: options.retention_blocks,
        mailbox_size: NZUsize!(64),
        // Small pages and buffers: the simulated disk pays by the byte.
        disk: Disk {
            partition: "chunks".into(),
            page_bytes: page_size(512),
            page_cache: NZUsize!(8),
            write_buffer_bytes: NZUsize!(1 << 16),
            section_blocks: NZU64!(16),
            read_at_start: false,
        },
        canary: options.bug,
    }
}
