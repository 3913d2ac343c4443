//! A lane that grows.

use super::cluster::Cluster;
use crate::{
    block::Block,
    testing::{Key, Nouns},
};
use drystone_engine::types::Tip;
use std::sync::Arc;

/// The sequencer of a lane.
pub struct Worker {
    who: usize,
    key: Key,
    below: Tip,
}

impl Worker {
    pub fn new(cluster: &Cluster, who: usize) -> Self {
        let below = cluster.world.root(who);
        let key = cluster.world.key(who);
        Self { who, key, below }
    }

    /// Certifies the next header in an epoch, unless the lane is ahead of the chain by as much as it may be.
    pub fn step(&mut self, cluster: &Cluster, epoch: u64) {
        let table = cluster.executors[1].disk().table;
        let included = table.lanes.get(&self.key);
        let ahead = self.below.height - included.map_or(0, |it| it.height);
        if ahead < cluster.world.genesis.lane_ahead_max.chunks {
            let next = cluster
                .world
                .branch(self.who, self.below, cluster.now_ms(), 1, 0);
            self.below = next[0].tip();
            cluster.certify(epoch, &next);
        }
    }

    /// The heights of the lane that blocks include; none of them twice.
    pub fn included(&self, blocks: &[Arc<Block<Nouns>>]) -> Vec<u64> {
        let tips = blocks.iter().flat_map(|it| &it.tips);
        let heights = tips
            .filter(|it| *it.sequencer() == self.key)
            .map(|it| it.tip().height);
        let heights: Vec<_> = heights.collect();
        assert!(heights.is_sorted_by(|a, b| a < b), "{heights:?}");
        heights
    }

    /// The last height certified.
    pub fn height(&self) -> u64 {
        self.below.height
    }
}
