//! How far execution has come, here and elsewhere.

use crate::block::{Block, Executed};
use drystone_engine::types::{Committee, Digest, Types};
use std::collections::{BTreeMap, VecDeque};
use thiserror::Error;

/// Blocks remembered with what was executed when they arrived: as many as consensus may be working on at once, and more.
const ARRIVALS_MAX: usize = 16;

/// This node and the chain disagree on the state after a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error(
    "the state after block {height} is {own} here, and {named} by a finalized block: \
     this node's state or its application is not the others'"
)]
pub struct Divergence {
    /// The block's height.
    pub height: u64,
    /// The root here.
    pub own: Digest,
    /// The root in a finalized block.
    pub named: Digest,
}

pub(super) struct Execution<T: Types> {
    /// The roots of what this node executed, from the height that the last finalized block names. That block is at most
    /// what the orderer leaves unacknowledged above them, or the chain between carries no work.
    own: BTreeMap<u64, Digest>,
    /// The roots that finalized blocks name at heights this node has not executed.
    named: BTreeMap<u64, Digest>,
    /// The last claim of each validator.
    claims: BTreeMap<T::PublicKey, u64>,
    /// The height that a quorum had executed when a block arrived.
    arrivals: VecDeque<(Digest, u64)>,
}

impl<T: Types> Execution<T> {
    /// Starts from the states that are known here, the newest among them the node's own.
    pub(super) const fn new(own: BTreeMap<u64, Digest>) -> Self {
        Self {
            own,
            named: BTreeMap::new(),
            claims: BTreeMap::new(),
            arrivals: VecDeque::new(),
        }
    }

    /// The newest height executed here.
    pub(super) fn height(&self) -> u64 {
        self.own.last_key_value().map_or(0, |(height, _)| *height)
    }

    /// The root of a height here, if it is known.
    pub(super) fn root(&self, height: u64) -> Option<Digest> {
        self.own.get(&height).copied()
    }

    pub(super) fn executed(&mut self, executed: Executed) -> Option<Divergence> {
        self.own.insert(executed.height, executed.root);
        let named = self.named.remove(&executed.height)?;
        diverges(executed.height, executed.root, named)
    }

    pub(super) fn finalized(&mut self, block: &Block<T>) -> Option<Divergence> {
        let Executed { height, root } = block.executed;
        // Whatever comes names this height or a later one.
        if self.height() >= height {
            self.own = self.own.split_off(&height);
        } else {
            self.named.insert(height, root);
        }
        diverges(height, self.root(height)?, root)
    }

    pub(super) fn claimed(&mut self, who: T::PublicKey, height: u64) {
        let claim = self.claims.entry(who).or_default();
        *claim = height.max(*claim);
    }

    /// Only those of an epoch have a say.
    pub(super) fn entered(&mut self, committee: &Committee<T>) {
        self.claims
            .retain(|who, _| committee.validator_index(who).is_some());
    }

    /// The newest height that this node and enough others for a quorum have executed.
    fn common(&self, me: &T::PublicKey, committee: &Committee<T>) -> u64 {
        let others = committee.quorum() - 1;
        let mut claims: Vec<_> = self
            .claims
            .iter()
            .filter(|(who, _)| *who != me)
            .map(|(_, height)| *height)
            .collect();
        claims.sort_unstable_by(|a, b| b.cmp(a));
        let last = others.checked_sub(1);
        let theirs = last.map_or(u64::MAX, |it| claims.get(it).copied().unwrap_or(0));
        theirs.min(self.height())
    }

    /// Notes what a quorum had executed when a block arrived: its child names that.
    pub(super) fn arrived(&mut self, block: Digest, me: &T::PublicKey, committee: &Committee<T>) {
        if self.arrivals.iter().any(|(it, _)| *it == block) {
            return;
        }
        if self.arrivals.len() == ARRIVALS_MAX {
            self.arrivals.pop_front();
        }
        self.arrivals.push_back((block, self.common(me, committee)));
    }

    /// What a child of a block names as executed.
    pub(super) fn choose(
        &self,
        parent: &Block<T>,
        nullified: bool,
        me: &T::PublicKey,
        committee: &Committee<T>,
    ) -> Executed {
        let before = parent.executed;
        if nullified {
            return before;
        }
        let arrival = self.arrivals.iter().find(|(it, _)| *it == parent.digest());
        let upto = arrival.map_or_else(|| self.common(me, committee), |(_, height)| *height);
        // An ancestor's: what is executed is finalized, but the block may have fallen behind.
        let upto = upto.min(parent.height);
        if upto <= before.height {
            return before;
        }
        let newest = self.own.range(before.height + 1..=upto).next_back();
        newest.map_or(before, |(height, root)| Executed {
            height: *height,
            root: *root,
        })
    }
}

fn diverges(height: u64, own: Digest, named: Digest) -> Option<Divergence> {
    (own != named).then_some(Divergence { height, own, named })
}
