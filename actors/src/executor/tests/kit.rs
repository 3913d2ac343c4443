//! A chain, and a node that executes it.

use super::{doors::Doors, stand::Stand};
use crate::{
    chunk::Chunk,
    executor::{
        Block, Config, Disk, Error, Finalized, Inbox, Mailbox, Ports, Types, mailbox, open,
    },
    reference::Reference,
    state::{self, State},
    testing::{Key, LIMITS, Nouns, World, genesis},
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_parallel::Sequential;
use commonware_runtime::{Clock as _, Handle, Supervisor as _, deterministic::Context};
use commonware_utils::{
    NZU64, NZUsize,
    acknowledgement::{Acknowledgement, Exact},
};
use drystone_engine::types::Signed;
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// Resolves when a block is acknowledged.
pub type Waiter = <Exact as Acknowledgement>::Waiter;

/// How long before its expiry a transaction may be executed.
pub const SPAN_MS: u64 = 500;

/// A header and its body.
pub type Link = (Arc<Signed<Nouns>>, Chunk);

/// Lanes, and blocks that include them.
pub struct Chain {
    pub world: World,
    pub lanes: BTreeMap<usize, Vec<Link>>,
    pub blocks: Vec<Block<Key>>,
}

/// For a random chain that fails.
impl std::fmt::Debug for Chain {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Chain")
            .field("blocks", &self.blocks)
            .field("lanes", &self.lanes)
            .finish_non_exhaustive()
    }
}

impl Chain {
    pub fn new() -> Self {
        Self {
            world: World::new(),
            lanes: BTreeMap::new(),
            blocks: Vec::new(),
        }
    }

    /// The next chunk of a lane.
    pub fn chunk(
        &mut self,
        who: usize,
        slot: u64,
        transactions: impl Into<Vec<Bytes>>,
    ) -> &mut Self {
        let chunk = Chunk::pack(&transactions.into(), &LIMITS).expect("within limits");
        let lane = self.lanes.entry(who).or_default();
        let root = self.world.root(who);
        let below = lane.last().map_or(root, |(header, _)| header.tip());
        let header = self.world.header(who, below, slot, chunk.payload());
        lane.push((header, chunk));
        self
    }

    /// The next block: it takes whatever there is of these lanes.
    pub fn block(&mut self, time_ms: u64, lanes: &[usize]) -> &mut Self {
        let height = self.blocks.len() as u64 + 1;
        let tip = |who: &usize| {
            let (header, _) = self.lanes[who].last().expect("a chunk");
            (self.world.key(*who), header.tip())
        };
        self.blocks.push(Block {
            height,
            digest: Sha256::hash(&[b"block", &height.to_be_bytes()]),
            time_ms,
            tips: lanes.iter().map(tip).collect(),
        });
        self
    }

    /// Where a lane's chunk is, and what it holds.
    pub fn reference(&self, who: usize, index: usize) -> Reference<Key> {
        Reference::from(self.lanes[&who][index].0.header())
    }
}

/// The nouns.
pub struct Tested;

impl Types for Tested {
    type Engine = Nouns;
    type Application = Doors;
    type Lanes = Stand;
    type Store = Stand;
    type Fetcher = Stand;
    type Outlets = Stand;
}

pub fn config() -> Config {
    Config {
        transaction_window_ms: SPAN_MS,
        ahead_blocks: NZUsize!(4),
        ahead_bytes: 2_000,
        retry_ms: NZU64!(50),
        retention_blocks: 8,
        roots_blocks: NZUsize!(6),
        events_max: NZUsize!(3),
        mailbox_size: NZUsize!(16),
        disk: Disk {
            section_blocks: NZU64!(4),
            write_buffer_bytes: NZUsize!(1 << 12),
            ..Disk::recommended("book")
        },
        ..Config::recommended(Arc::new(genesis()), "book")
    }
}

/// A node's executor.
pub struct Node {
    pub mailbox: Mailbox<Nouns>,
    pub reader: state::Reader,
    pub handle: Handle<Result<(), Error>>,
}

impl Node {
    /// Opens what is on the disk, and starts.
    pub async fn start(context: &Context, stand: &Stand) -> Self {
        let (mailbox, inbox) = mailbox(context.child("executor"), &config());
        let attached = Self::attach(context, stand, config(), Doors::default(), mailbox, inbox);
        attached.await.expect("the disk is sound")
    }

    pub async fn attach(
        context: &Context,
        stand: &Stand,
        config: Config,
        application: Doors,
        mailbox: Mailbox<Nouns>,
        inbox: Inbox<Nouns>,
    ) -> Result<Self, Error> {
        let layout = state::Config {
            items_per_file: NZU64!(64),
            page_cache: NZUsize!(64),
            write_buffer_bytes: NZUsize!(1 << 12),
            replay_buffer_bytes: NZUsize!(1 << 12),
            prune_interval_blocks: NZU64!(3),
            ..state::Config::recommended("state")
        };
        let state = State::open(context.child("state"), layout, Sequential).await?;
        let reader = state.reader();
        let ports = Ports {
            lanes: stand.clone(),
            store: stand.clone(),
            fetcher: stand.clone(),
            outlets: stand.clone(),
        };
        let context = context.child("executor");
        let actor = open::<_, Tested>(context, config, state, application, ports, inbox).await?;
        Ok(Self {
            mailbox,
            reader,
            handle: actor.start(),
        })
    }

    /// The node dies.
    pub async fn stop(self, context: &Context) {
        self.handle.abort();
        let _ = self.handle.await;
        drop(self.reader);
        // What it started ends a turn later.
        context.sleep(Duration::from_millis(10)).await;
    }

    pub fn deliver(&self, block: &Block<Key>) -> Waiter {
        deliver(&self.mailbox, block)
    }
}

/// Hands a block out.
pub fn deliver(mailbox: &Mailbox<Nouns>, block: &Block<Key>) -> Waiter {
    let (acknowledgement, waiter) = Exact::handle();
    mailbox.finalized(Finalized {
        height: block.height,
        digest: block.digest,
        timestamp_ms: block.time_ms,
        tips: block.tips.clone(),
        acknowledgement,
    });
    waiter
}
