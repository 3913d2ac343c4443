//! What the nodes of a run share outside the network.

use super::{
    chain::{Blocks, Headers},
    door::{Ask, Picked},
    genesis::{Key, Nouns, World},
    ledger::{Ledger, Table},
    observation::Seen,
    options::Options,
    payment::Payment,
    report::{Certified, Promises},
};
use crate::lanes::{Newest, Short};
use commonware_utils::{
    channel::{mpsc, watch},
    sync::Mutex,
};
use drystone_actors::{
    Reference, certificate_pool,
    chunk_store::{self, Executed, Found},
    mempool::{Members, Rank},
    relay,
};
use drystone_engine::{Engine, Horizon, types::Digest};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// What one node is told of the chain, kept over its lives, and what it made of it.
pub struct Feed {
    pub epoch: u64,
    pub finalized: watch::Sender<u64>,
    pub ledger: Arc<Mutex<Ledger>>,
    /// See [`Promises`].
    pub promises: Arc<Mutex<Promises>>,
}

/// A running node, as the doubles reach it.
#[derive(Clone)]
pub struct Running {
    pub engine: Engine<Nouns>,
    pub store: chunk_store::Mailbox<Key>,
    pub pool: certificate_pool::Mailbox<Nouns>,
    pub relay: relay::Mailbox<Key>,
    pub door: mpsc::UnboundedSender<Ask>,
}

/// What the nodes of a run share.
#[derive(Clone)]
pub struct Shared {
    pub world: Arc<World>,
    pub options: Arc<Options>,
    pub payments: Arc<BTreeMap<Digest, Payment>>,
    pub running: Arc<Mutex<BTreeMap<usize, Running>>>,
    pub initialised: Arc<Mutex<BTreeSet<usize>>>,
    pub feeds: Arc<Mutex<Vec<Feed>>>,
    pub blocks: Blocks,
    pub headers: Arc<Mutex<Headers>>,
    pub certified: Certified,
    pub newest: Newest<Nouns>,
    pub picked: Picked,
    pub seed: u64,
}

impl Shared {
    /// Who takes part in an epoch: validators, and the sequencers of this one and the last.
    pub fn parties(&self, epoch: u64) -> (Vec<Key>, Vec<Key>) {
        let name = |node: &usize| self.world.names[*node].clone();
        let validators = self.world.options.validators_of(epoch).iter().map(name);
        let sequencers = self.world.options.sequencers.iter().map(name);
        (validators.collect(), sequencers.collect())
    }

    pub fn members(&self, node: usize) -> Members<Key> {
        let others = self.world.names.iter().enumerate();
        let others = others.filter(|(other, _)| *other != node);
        let sequencers = &self.world.options.sequencers;
        let index = sequencers.iter().position(|it| *it == node);
        Members {
            peers: others.map(|(_, name)| name.clone()).collect(),
            rank: index.map(|index| Rank {
                index: index as u32,
                count: sequencers.len() as u32,
            }),
        }
    }

    /// A running node enters an epoch.
    pub fn enter(&self, node: &Running, epoch: u64) {
        node.engine
            .entered(epoch)
            .expect("every epoch of a run has a committee");
        let (validators, sequencers) = self.parties(epoch);
        node.relay.entered(validators, sequencers);
    }

    /// The bodies that a node may answer for, as far as it has executed: what it locked or made that is live still.
    pub fn promised(&self, node: usize) -> Vec<Reference<Key>> {
        let (ledger, promises) = {
            let feed = &self.feeds.lock()[node];
            (feed.ledger.clone(), feed.promises.clone())
        };
        let (height, time_ms) = {
            let ledger = ledger.lock();
            (ledger.height, ledger.time_ms)
        };
        let executed = self.horizon(height, height).executed;
        let mut promises = promises.lock();
        promises.retain(|(lane, height, _), it| {
            let expiry_ms = self.world.genesis.expiry_ms(it.place.slot);
            executed.get(lane).is_none_or(|tip| tip.height < *height)
                && expiry_ms.is_some_and(|it| it >= time_ms)
        });
        promises.values().cloned().collect()
    }

    /// How far a node has executed.
    pub fn executed(&self, ledger: &Ledger) -> Executed<Key> {
        let table = self.horizon(ledger.height, ledger.height).executed;
        Executed {
            height: ledger.height,
            time_ms: ledger.time_ms,
            lanes: table
                .into_iter()
                .map(|(lane, tip)| (lane, tip.height))
                .collect(),
        }
    }

    /// What a node that knows the chain up to a height is told of it.
    pub fn horizon(&self, finalized: u64, executed: u64) -> Horizon<Key> {
        let blocks = self.blocks.lock();
        let upto = |height: u64| &blocks[..usize::try_from(height).expect("few blocks")];
        let table = |height| {
            let mut table = Table::new();
            for block in upto(height) {
                table.extend(block.tips());
            }
            table
        };
        let time_ms = |height| upto(height).last().map_or(0, |it| it.time_ms);
        Horizon {
            finalized_ms: time_ms(finalized),
            executed_ms: time_ms(executed),
            included: table(finalized),
            executed: table(executed),
        }
    }
}

/// A node was asked for a body.
pub fn asked(world: &World, reference: &Reference<Key>, found: &Found) -> Seen {
    Seen::Asked {
        lane: world.nodes[&reference.sequencer],
        height: reference.place.height,
        slot: reference.place.slot,
        payload: Short::of(&reference.place.digest),
        bytes: reference.bytes,
        found: matches!(found, Found::Body(_)),
    }
}
