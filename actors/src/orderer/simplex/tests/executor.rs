//! What stands for the executor.

use crate::{
    block::{Block, Executed},
    certificate_pool,
    chain::{self, Table},
    claims,
    orderer::Sink,
    testing::{
        Key, Nouns, World,
        blocks::{digest, first},
    },
};
use commonware_utils::{
    acknowledgement::{Acknowledgement as _, Exact},
    sync::Mutex,
};
use drystone_engine::{Horizon, types::Digest};
use std::{collections::BTreeMap, sync::Arc};

/// What a node's disk holds of its execution.
#[derive(Clone)]
pub struct Disk {
    pub table: Table<Key>,
    /// The digests of what was executed, from height 1.
    pub digests: Vec<Digest>,
}

/// Where an executor tells of what it did.
pub struct Outlets {
    pub chain: chain::Mailbox<Nouns>,
    pub pool: certificate_pool::Mailbox<Nouns>,
    /// Who tells the others.
    pub claims: claims::Mailbox,
}

struct Desk {
    disk: Disk,
    held: bool,
    /// Whether it comes to other states than the others.
    faulty: bool,
    waiting: Vec<(Arc<Block<Nouns>>, Exact)>,
    waiting_max: usize,
    newest: u64,
    blocks: Vec<Arc<Block<Nouns>>>,
    outlets: Option<Outlets>,
}

/// Executes at once, unless it is held.
#[derive(Clone)]
pub struct Executor(Arc<Mutex<Desk>>);

impl Executor {
    pub fn new(world: &World) -> Self {
        let table = Table {
            height: 0,
            digest: first(world).digest(),
            lanes: Arc::default(),
        };
        let desk = Desk {
            disk: Disk {
                table,
                digests: Vec::new(),
            },
            held: false,
            faulty: false,
            waiting: Vec::new(),
            waiting_max: 0,
            newest: 0,
            blocks: Vec::new(),
            outlets: None,
        };
        Self(Arc::new(Mutex::new(desk)))
    }

    /// A start of the node: what was not executed comes again.
    pub fn start(&self, outlets: Outlets) {
        let mut desk = self.0.lock();
        desk.waiting.clear();
        desk.outlets = Some(outlets);
    }

    pub fn disk(&self) -> Disk {
        self.0.lock().disk.clone()
    }

    /// Executed blocks, from height 1.
    pub fn blocks(&self) -> Vec<Arc<Block<Nouns>>> {
        self.0.lock().blocks.clone()
    }

    pub fn height(&self) -> u64 {
        self.0.lock().disk.table.height
    }

    pub fn newest(&self) -> u64 {
        self.0.lock().newest
    }

    /// The most blocks that ever waited.
    pub fn waiting_max(&self) -> usize {
        self.0.lock().waiting_max
    }

    pub fn hold(&self) {
        self.0.lock().held = true;
    }

    pub fn fail(&self) {
        self.0.lock().faulty = true;
    }

    pub fn release(&self) {
        let mut desk = self.0.lock();
        desk.held = false;
        for (block, acknowledgement) in std::mem::take(&mut desk.waiting) {
            execute(&mut desk, &block);
            acknowledgement.acknowledge();
        }
    }
}

/// The state after a block is told by its height alone.
fn execute(desk: &mut Desk, block: &Arc<Block<Nouns>>) {
    if !desk.disk.table.advance(block) {
        return;
    }
    desk.disk.digests.push(block.digest());
    desk.blocks.push(block.clone());
    let outlets = desk.outlets.as_ref().expect("started");
    let height = block.height;
    outlets.chain.executed(Executed {
        height,
        root: digest(if desk.faulty { height + 1 } else { height }),
    });
    let tips: BTreeMap<_, _> = block
        .tips
        .iter()
        .map(|it| (it.sequencer().clone(), it.tip()))
        .collect();
    outlets.pool.advanced(Horizon {
        finalized_ms: block.timestamp_ms,
        executed_ms: block.timestamp_ms,
        included: tips.clone(),
        executed: tips,
    });
    outlets.claims.executed(height);
}

impl Sink<Nouns> for Executor {
    fn finalized(&mut self, block: Arc<Block<Nouns>>, acknowledgement: Exact) {
        let mut desk = self.0.lock();
        assert!(block.height > 0, "nobody executes the genesis block");
        if desk.held {
            desk.waiting.push((block, acknowledgement));
            desk.waiting_max = desk.waiting_max.max(desk.waiting.len());
        } else {
            execute(&mut desk, &block);
            acknowledgement.acknowledge();
        }
    }

    fn newest(&mut self, height: u64) {
        let mut desk = self.0.lock();
        assert!(height >= desk.newest, "it never goes back");
        desk.newest = height;
    }
}
