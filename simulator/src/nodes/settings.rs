//! A node's configuration, from a cluster's options.

use super::{
    deployment::{Bits, Block, Deployed, Key, Known, Named, Nouns, Seats},
    life::Life,
    money,
    options::Options,
    paced::Paced,
    watcher::Watcher,
};
use crate::host::Host;
use crate::{
    chunks::{self, mempool_config, relay_config, store_config},
    lanes::{BOUNDS, Committees, Witness, journal_config},
};
use commonware_parallel::Sequential;
use commonware_runtime::buffer::paged::page_size;
use commonware_utils::{NZU64, NZUsize, NonZeroDuration};
use drystone_actors::{
    block::Parameters,
    builder, certificate_pool, chain,
    chunk::Limits as ChunkLimits,
    executor, mempool,
    node::{Config, LaneConfig},
    orderer::simplex,
    runs, state,
};
use drystone_engine::{
    scheme::fixture::Free,
    types::{Genesis, Limits},
};
use ledger::Ledger;
use std::{
    num::{NonZeroU64, NonZeroUsize},
    sync::Arc,
    time::Duration,
};

/// What the nodes agree on.
pub fn parameters(options: &Options, genesis: &Arc<Genesis>) -> Parameters {
    let lanes = options.chunks.lanes.sequencers.len() as u64;
    let ahead = genesis.lane_ahead_max;
    // Two lanes that ran ahead fit a block, or one.
    let lanes = lanes.min(2);
    Parameters {
        genesis: genesis.clone(),
        live_max: Limits {
            chunks: ahead.chunks * lanes,
            bytes: ahead.bytes * lanes,
            items: ahead.items * lanes,
        },
        headers_max: genesis.lane_headers_max * lanes,
        skew_ms: options.skew_ms,
        execution_lag_max: options.execution_lag_max,
        epoch_blocks: NonZeroU64::new(options.epoch_blocks).expect("positive"),
    }
}

/// Where a node's state lies.
pub fn state_config(partition: &str) -> state::Config {
    state::Config {
        partition: partition.to_owned(),
        // Small pages and files: the simulated disk pays by the byte.
        page_bytes: page_size(1024),
        page_cache: NZUsize!(256),
        items_per_file: NZU64!(512),
        write_buffer_bytes: NZUsize!(1 << 14),
        replay_buffer_bytes: NZUsize!(1 << 14),
        prune_interval_blocks: NZU64!(16),
    }
}

/// The ledger of a run.
pub fn ledger(options: &Options, genesis: &Genesis) -> Paced {
    Paced {
        ledger: Ledger::new(money::genesis(options, genesis.digest), money::Seals),
        pace: None,
    }
}

fn mempool(options: &Options) -> mempool::Config {
    let mut config = mempool_config(&options.chunks);
    config.pool.lifetime_max_ms = options.transaction_window_ms;
    config
}

/// The largest message of any channel.
pub fn message_size_max(
    options: &Options,
    genesis: &Genesis,
    provider: Arc<Committees<Free, Nouns>>,
) -> usize {
    let validators = options.chunks.lanes.validators.iter().map(Vec::len);
    let validators = validators.max().unwrap_or(0) as u32;
    let bounds = drystone_actors::block::Bounds {
        provider,
        validators_max: validators,
        lanes_max: options.chunks.lanes.sequencers.len() as u16,
    };
    [
        drystone_engine::wire::message_size_max::<Nouns>(validators),
        drystone_actors::relay::message_size_max::<Key>(genesis),
        mempool(options).wire.message_size_max(),
        runs::message_size_max::<Nouns>(genesis),
        simplex::message_size_max::<Nouns>(&bounds, validators),
    ]
    .into_iter()
    .max()
    .expect("a few")
}

/// A forger's builder knows no limits.
fn boundless(parameters: Parameters) -> Parameters {
    let max = parameters.live_max;
    Parameters {
        live_max: Limits {
            chunks: max.chunks * 8,
            bytes: max.bytes * 8,
            items: max.items * 8,
        },
        headers_max: parameters.headers_max * 8,
        execution_lag_max: parameters.execution_lag_max * 8,
        ..parameters
    }
}

/// Everything one node is started with.
pub fn config(life: &Life, genesis: Arc<Block>, host: Arc<Host>) -> Config<Deployed> {
    let Life {
        shared,
        prefix,
        forger,
        observer,
        ..
    } = life;
    let (node, world, options) = (life.node, &shared.world, &shared.options);
    let (me, lanes) = (world.names[node].clone(), &options.chunks.lanes);
    let committees = Arc::new(Committees::<Free, Nouns>::new(world.clone(), Some(node)));
    let known = Known::new(options.named);
    let partition = |part: &str| format!("{prefix}{part}");
    let bug = options.chunks.bug;
    let mut parameters = parameters(options, &world.genesis);
    if forger.is_some() {
        parameters = boundless(parameters);
    }
    let mut store = store_config(&options.chunks, &world.genesis, &me, chunks::Role::Honest);
    store.disk.partition = partition("chunks");
    store.retention_blocks = options.retention_blocks;
    let mut application = ledger(options, &world.genesis);
    let slow = options.slow.iter().find(|it| it.0 == node);
    application.pace = slow.map(|(_, ms)| (host, Duration::from_millis(*ms)));
    let followers = (0..world.names.len()).filter(|it| options.follows(*it));
    let followers = followers.map(|it| &world.names[it]);
    let leader_timeout = Duration::from_millis(options.empty_gap_ms + options.patience_ms);
    Config {
        key: world.keys[node].clone(),
        admission: application.ledger.bonds(options.bond_max),
        application,
        watcher: Watcher {
            node,
            world: world.clone(),
            witness: Arc::new(Witness::new(world.clone(), shared.newest.clone())),
            observer: observer.clone(),
            forger: forger.clone(),
            known: known.clone(),
            epoch_blocks: options.epoch_blocks,
            included: shared.included.clone(),
        },
        voters: Seats::new(world.clone(), node, shared.votes.clone(), known.clone()),
        elector: Default::default(),
        signers: Bits(committees.clone()),
        genesis,
        validators_max: world.names.len() as u32,
        lanes_max: world.names.len() as u16,
        lanes: LaneConfig {
            bounds: BOUNDS,
            rebroadcast: Duration::from_millis(lanes.rebroadcast_ms),
            certificate_linger: Duration::from_millis(lanes.linger_ms),
            certificate_interval: Duration::from_millis(lanes.interval_ms),
            priority_proposals: lanes.priority_proposals,
            priority_acks: lanes.priority_acks,
            mailbox_size: NZUsize!(64),
            journal: journal_config(&partition("lanes"), lanes.section_bytes),
            canary: lanes.bug,
        },
        mempool: mempool::Config {
            blocks_only: options.archives.contains(&node),
            ..mempool(options)
        },
        builder: builder::Config {
            me: me.clone(),
            genesis: world.genesis.clone(),
            chunk: ChunkLimits::from(&*world.genesis),
            seal_ms: options.chunks.seal_ms,
            retry_ms: 50,
            canary: bug,
        },
        store,
        relay: relay_config(&options.chunks, &world.genesis, &me),
        pool: certificate_pool::Config {
            genesis: world.genesis.clone(),
            certificates_max: options.chunks.certificates_max,
            mailbox_size: NZUsize!(64),
            canary: bug,
        },
        chain: chain::Config {
            me,
            parameters: Arc::new(parameters),
            provider: Arc::new(Named { committees, known }),
            strategy: Sequential,
            interval_ms: options.interval_ms,
            empty_gap_ms: options.empty_gap_ms,
            retry_ms: NZU64!(250),
            verified_max: 4,
            mailbox_size: NZUsize!(64),
            canary: bug,
        },
        orderer: simplex::Settings {
            unacknowledged_max: NonZeroUsize::new(options.unacknowledged_max).expect("positive"),
            partition: partition("orderer"),
            mailbox_size: NZUsize!(256),
            leader_timeout,
            certification_timeout: 2 * leader_timeout,
            timeout_retry: leader_timeout,
            inactive_timeout: 4 * leader_timeout,
            fetch_timeout: NonZeroDuration::new(Duration::from_millis(500)).expect("positive"),
            view_retention: NZU64!(32),
            section_blocks: NZU64!(32),
            read_at_start: false,
        },
        state: state_config(&partition("state")),
        executor: executor::Config {
            genesis: world.genesis.clone(),
            transaction_window_ms: options.transaction_window_ms,
            ahead_blocks: NonZeroUsize::new(options.unacknowledged_max.min(8)).expect("positive"),
            ahead_bytes: options.ahead_bytes,
            retry_ms: NZU64!(250),
            retention_blocks: options.retention_blocks,
            roots_blocks: NonZeroUsize::new(options.execution_lag_max as usize + 8)
                .expect("positive"),
            events_max: NZUsize!(1 << 12),
            mailbox_size: NZUsize!(64),
            disk: executor::Disk {
                partition: partition("book"),
                page_bytes: page_size(512),
                page_cache: NZUsize!(8),
                write_buffer_bytes: NZUsize!(1 << 16),
                section_blocks: NZU64!(16),
                read_at_start: false,
            },
            canary: bug,
        },
        runs: runs::Config {
            patience_ms: 1_000,
            timeout_ms: options.chunks.timeout_ms.max(200),
            backoff_min_ms: 200,
            backoff_max_ms: 2_000,
            retry_ms: NZU64!(250),
            mailbox_size: NZUsize!(64),
            ..runs::Config::recommended::<Nouns>(world.genesis.clone())
        },
        claims_repeat_ms: NZU64!(1_000),
        followers: followers.cloned().collect(),
        retention_blocks: options.retention_blocks,
    }
}
