//! How far the ancestors of a block include each lane.

use crate::block::Block;
use commonware_cryptography::PublicKey;
use drystone_engine::types::{Digest, Genesis, Tip, Types};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// The last inclusion of each lane up to a block of the finalized chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table<P> {
    /// The height of the block.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Lanes that no block has included yet are not in it.
    pub lanes: Arc<BTreeMap<P, Tip>>,
}

impl<P: PublicKey> Table<P> {
    /// Takes the next finalized block. Blocks at or below the table's height come again after a restart.
    ///
    /// # Panics
    /// If it is not the next one: the orderer finalized two chains, or left a block out.
    pub fn advance<T: Types<PublicKey = P>>(&mut self, block: &Block<T>) -> bool {
        if block.height <= self.height {
            return false;
        }
        assert!(
            block.height == self.height + 1 && block.parent == self.digest,
            "finalized block {} does not follow block {}",
            block.height,
            self.height
        );
        (self.height, self.digest) = (block.height, block.digest());
        if !block.tips.is_empty() {
            let tips = block
                .tips
                .iter()
                .map(|it| (it.sequencer().clone(), it.tip()));
            Arc::make_mut(&mut self.lanes).extend(tips);
        }
        true
    }
}

/// What the lanes below a block can be told from: the finalized chain, and blocks judged or built here lately.
#[derive(Clone, Debug)]
pub struct Basis<P> {
    /// The finalized chain.
    pub table: Table<P>,
    /// The lanes after each of some blocks, by their digests. So however far the table is behind, only the ancestors since
    /// the last question are read.
    pub recent: Arc<VecDeque<(Digest, Lanes<P>)>>,
}

/// The last inclusion of each lane among the ancestors of a block: those finalized, and above them those that are not.
#[derive(Clone, Debug)]
pub struct Lanes<P> {
    genesis: Arc<Genesis>,
    decided: Arc<BTreeMap<P, Tip>>,
    above: BTreeMap<P, Tip>,
}

impl<P: PublicKey> Lanes<P> {
    /// The same, with what a block includes above it.
    #[must_use]
    pub fn after<T: Types<PublicKey = P>>(&self, block: &Block<T>) -> Self {
        let mut after = self.clone();
        let tips = block.tips.iter();
        after
            .above
            .extend(tips.map(|it| (it.sequencer().clone(), it.tip())));
        after
    }

    /// Leaves what is not finalized aside: a planted bug.
    pub(super) fn forget(&mut self) {
        self.above.clear();
    }

    /// The last inclusion of a lane.
    pub fn last(&self, sequencer: &P) -> Tip {
        let found = self.above.get(sequencer);
        let found = found.or_else(|| self.decided.get(sequencer));
        found
            .copied()
            .unwrap_or_else(|| self.genesis.root(sequencer))
    }

    /// All lanes that were ever included.
    pub fn included(&self) -> BTreeMap<P, Tip> {
        let mut lanes = BTreeMap::clone(&self.decided);
        lanes.extend(self.above.clone());
        lanes
    }
}

/// How a walk down the ancestors goes on.
#[derive(Clone, Debug)]
pub enum Descent<P> {
    /// The next ancestor is needed.
    Further,
    /// All is known.
    Known(Lanes<P>),
    /// The finalized chain has moved past the block, or left it aside: nothing can be said of it here.
    Aside,
}

/// Walks down from a block's parent until the lanes are known.
#[derive(Clone, Debug)]
pub struct Walk<P> {
    genesis: Arc<Genesis>,
    basis: Basis<P>,
    above: BTreeMap<P, Tip>,
}

impl<P: PublicKey> Walk<P> {
    /// Begins at a block's parent.
    pub const fn new(genesis: Arc<Genesis>, basis: Basis<P>) -> Self {
        Self {
            genesis,
            basis,
            above: BTreeMap::new(),
        }
    }

    /// Takes the next ancestor, newest first.
    pub fn descend<T: Types<PublicKey = P>>(&mut self, ancestor: &Block<T>) -> Descent<P> {
        let mut recent = self.basis.recent.iter();
        if let Some((_, after)) = recent.find(|(digest, _)| *digest == ancestor.digest()) {
            let mut lanes = after.clone();
            lanes.above.append(&mut self.above);
            return Descent::Known(lanes);
        }
        let table = &self.basis.table;
        if ancestor.height > table.height {
            for it in &ancestor.tips {
                let sequencer = it.sequencer().clone();
                self.above.entry(sequencer).or_insert_with(|| it.tip());
            }
            return Descent::Further;
        }
        if ancestor.digest() != table.digest {
            return Descent::Aside;
        }
        Descent::Known(Lanes {
            genesis: self.genesis.clone(),
            decided: table.lanes.clone(),
            above: std::mem::take(&mut self.above),
        })
    }
}
