//! What a node is built with, from what the deployment agrees on and what its operator says.

use super::{
    genesis::Agreement,
    nouns::{Sets, Standard},
    settings::{Settings, UNACKNOWLEDGED_MAX},
};
use crate::{
    Canary,
    application::Application,
    block, builder, certificate_pool, chain,
    chunk::Limits,
    chunk_store, executor,
    http::Watch,
    mempool::{self, Amount, GossipConfig, PoolConfig, wire},
    node::{self, LaneConfig, Nouns},
    orderer::simplex,
    relay, runs, state,
    transaction::Admission,
};
use commonware_consensus::simplex::elector::RoundRobin;
use commonware_cryptography::{
    Signer as _,
    ed25519::{PrivateKey, PublicKey},
};
use commonware_parallel::Rayon;
use commonware_utils::{NZDuration, NZU64, NZUsize};
use drystone_engine::{self as engine, journal, types::Bounds};
use std::{num::NonZeroUsize, sync::Arc, time::Duration};

/// Messages an actor's mailbox holds before its overflow policy sets in.
const MAILBOX: NonZeroUsize = NZUsize!(1_024);
/// The same for the mempool, where clients send one by one or by up to a thousand.
const CLIENTS: NonZeroUsize = NZUsize!(2_048);

/// What a node has beside its settings.
pub struct Parts<A, M> {
    /// Its key.
    pub key: PrivateKey,
    /// What executes.
    pub application: A,
    /// What a place in a chunk is charged.
    pub admission: M,
    /// What looks on.
    pub watcher: Watch<PublicKey>,
    /// Where signatures are checked.
    pub strategy: Rayon,
}

/// Memory for chunks that wait for their block, of all sequencers together: a second at the highest rates that were measured.
const RECENT_BYTES: u64 = 64 << 20;

/// Puts a node's configuration together.
pub fn config<A, M>(
    agreement: &Agreement,
    settings: &Settings,
    parts: Parts<A, M>,
) -> node::Config<Standard<A, M>>
where
    A: Application,
    M: Admission,
{
    let genesis = agreement.parameters.genesis.clone();
    let me = parts.key.public_key();
    let sets = Sets::new(agreement, Some(&parts.key));
    let retention_blocks = settings.storage.retention_blocks;
    let followers = settings.network.followers.iter();
    node::Config {
        application: parts.application,
        admission: parts.admission,
        watcher: parts.watcher,
        voters: sets.clone(),
        elector: RoundRobin::default(),
        signers: sets.clone(),
        genesis: Arc::new(agreement.block::<Standard<A, M>>()),
        validators_max: agreement.validators_max(),
        lanes_max: agreement.lanes_max(),
        lanes: lanes(),
        mempool: mempool(agreement, settings),
        builder: builder::Config {
            me: me.clone(),
            chunk: Limits::from(&*genesis),
            seal_ms: settings.chain.seal_ms,
            retry_ms: 20,
            canary: Canary::None,
            genesis: genesis.clone(),
        },
        store: chunk_store::Config {
            me: me.clone(),
            limits: chunk_store::Limits::recommended(&genesis),
            recent_bytes_max: recent(agreement),
            bucket_ms: NZU64!(10_000),
            retention_blocks,
            mailbox_size: MAILBOX,
            disk: chunk_store::Disk {
                read_at_start: settings.storage.check,
                ..chunk_store::Disk::recommended(partition("chunks"))
            },
            canary: Canary::None,
            genesis: genesis.clone(),
        },
        relay: relay(agreement, &me),
        pool: certificate_pool::Config {
            certificates_max: 16,
            mailbox_size: MAILBOX,
            canary: Canary::None,
            genesis: genesis.clone(),
        },
        chain: chain::Config {
            me,
            parameters: agreement.parameters.clone(),
            provider: Arc::new(sets),
            strategy: parts.strategy,
            interval_ms: settings.chain.interval_ms,
            empty_gap_ms: settings.chain.empty_gap_ms,
            retry_ms: NZU64!(100),
            verified_max: 64,
            mailbox_size: MAILBOX,
            canary: Canary::None,
        },
        orderer: orderer(settings),
        state: state::Config {
            page_cache: settings.storage.state_pages,
            ..state::Config::recommended(partition("state"))
        },
        executor: executed(agreement, settings),
        runs: runs::Config::recommended::<Nouns<Standard<A, M>>>(genesis),
        claims_repeat_ms: NZU64!(1_000),
        followers: followers.map(|it| it.0.clone()).collect(),
        retention_blocks,
        key: parts.key,
    }
}

/// The partitions of a part of the node begin with this.
pub fn partition(part: &str) -> String {
    part.to_owned()
}

fn lanes() -> LaneConfig {
    LaneConfig {
        bounds: Bounds { past: 1, future: 1 },
        rebroadcast: Duration::from_millis(500),
        certificate_linger: Duration::from_millis(5),
        certificate_interval: Duration::from_millis(5),
        priority_proposals: true,
        priority_acks: true,
        mailbox_size: MAILBOX,
        journal: journal::Config::recommended(partition("lanes"), ()),
        canary: engine::Canary::None,
    }
}

/// What each sequencer may have of the memory for chunks that wait for their block. Where that is less than a chunk takes, its
/// large chunks are read from the disk.
fn recent(agreement: &Agreement) -> u64 {
    RECENT_BYTES / (agreement.sequencers.len().max(1) as u64)
}

fn mempool(agreement: &Agreement, settings: &Settings) -> mempool::Config {
    let chain = &settings.chain;
    let transaction_bytes_max = agreement.transactions.bytes_max as usize;
    let message_bytes_max = wire::OVERHEAD_MAX + transaction_bytes_max.max(256 << 10);
    let pool_max = Amount {
        items: chain.pool_items_max,
        bytes: chain.pool_bytes_max,
    };
    let half = Amount {
        items: pool_max.items / 2,
        bytes: pool_max.bytes / 2,
    };
    let pool = PoolConfig {
        pool_max,
        account_max: Amount {
            items: chain.account_items_max,
            bytes: chain.account_items_max * transaction_bytes_max,
        },
        peer_max: half,
        transaction_bytes_max,
        lifetime_max_ms: agreement.transactions.window_ms,
        retry_after_ms: 100,
        check_batch_max: 1_024,
        executed_max: 1 << 20,
        lane_marks_max: 1 << 17,
        chunk: Limits::from(&*agreement.parameters.genesis),
        seal: Amount {
            items: chain.seal_items,
            bytes: chain.seal_bytes,
        },
        takeover_ms: 3_000,
        stagger_ms: 1_000,
    };
    let gossip = GossipConfig {
        announce_linger_ms: 20,
        // By then it is in a chunk of this node, or waits its turn while this node makes others.
        pack_linger_ms: 980,
        reannounce_ms: 2_000,
        reannounce_max: 4_096,
        fanout: 4,
        // A chunk of the node that took it is nearly always sooner here.
        fetch_linger_ms: 1_000,
        fetch_timeout_ms: 500,
        announcers_max: 4,
        wanted_max: 1 << 16,
        requested_max: 1_024,
        served_bytes_max: (16 << 20).max(transaction_bytes_max),
    };
    mempool::Config {
        pool,
        gossip,
        wire: wire::Limits {
            ids_max: 1_024,
            transaction_bytes_max,
            message_bytes_max,
        },
        blocks_only: chain.blocks_only,
        mailbox_size: CLIENTS,
        canary: Canary::None,
    }
}

fn relay(agreement: &Agreement, me: &PublicKey) -> relay::Config<PublicKey> {
    let genesis = agreement.parameters.genesis.clone();
    let body = u64::from(genesis.chunk_bytes_max);
    let rate = |bodies: u64| relay::Rate {
        bytes_per_second: NZU64!(64 << 20),
        burst_bytes: bodies * body,
    };
    relay::Config {
        genesis,
        me: me.clone(),
        patience_ms: 250,
        timeout_ms: 500,
        backoff_min_ms: 500,
        backoff_max_ms: 8_000,
        asking_max: 256,
        serving: rate(64),
        pushed: rate(128),
        requests_max: 256,
        reading_max: 16,
        opening_max: 16,
        mailbox_size: MAILBOX,
        canary: Canary::None,
    }
}

fn executed(agreement: &Agreement, settings: &Settings) -> executor::Config {
    let genesis = agreement.parameters.genesis.clone();
    let config = executor::Config::recommended(genesis, partition("executor"));
    executor::Config {
        transaction_window_ms: agreement.transactions.window_ms,
        retention_blocks: settings.storage.retention_blocks,
        disk: executor::Disk {
            read_at_start: settings.storage.check,
            ..config.disk
        },
        ..config
    }
}

fn orderer(settings: &Settings) -> simplex::Settings {
    let leader = Duration::from_millis(settings.chain.leader_timeout_ms);
    simplex::Settings {
        unacknowledged_max: UNACKNOWLEDGED_MAX,
        partition: partition("consensus"),
        mailbox_size: MAILBOX,
        leader_timeout: leader,
        certification_timeout: leader * 2,
        timeout_retry: leader,
        inactive_timeout: leader * 3,
        fetch_timeout: NZDuration!(Duration::from_secs(1)),
        view_retention: NZU64!(256),
        section_blocks: NZU64!(1_024),
        read_at_start: settings.storage.check,
    }
}

/// What decoders of blocks hold claims against.
pub(super) fn bounds<A, M>(
    agreement: &Agreement,
    sets: Sets,
) -> block::Bounds<Nouns<Standard<A, M>>>
where
    A: Application,
    M: Admission,
{
    block::Bounds {
        provider: Arc::new(sets),
        validators_max: agreement.validators_max(),
        lanes_max: agreement.lanes_max(),
    }
}
