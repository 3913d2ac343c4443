//! What the nodes of a run share outside of the network.

use super::{
    deployment::{Block, Nouns, World},
    life::Ask,
    options::Options,
};
use crate::lanes::Newest;
use commonware_utils::{channel::mpsc, sync::Mutex};
use drystone_actors::orderer::simplex::free as votes;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock},
};

/// What the nodes of a run share.
#[derive(Clone)]
pub struct Shared {
    pub world: Arc<World>,
    pub options: Arc<Options>,
    /// The block that the chain begins with, once a node has made the first state.
    pub genesis: Arc<OnceLock<Arc<Block>>>,
    pub start_ms: u64,
    /// Where the nodes that run are asked.
    pub doors: Arc<Mutex<BTreeMap<usize, mpsc::UnboundedSender<Ask>>>>,
    /// Nodes whose directories were initialised.
    pub initialised: Arc<Mutex<BTreeSet<(usize, &'static str)>>>,
    pub newest: Newest<Nouns>,
    /// See [`Watcher`](super::watcher::Watcher).
    pub included: Arc<Mutex<u64>>,
    /// Who signed which vote.
    pub votes: votes::Shared,
    pub seed: u64,
}
