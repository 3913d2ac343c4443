//! Who takes part, from epoch to epoch.

use super::{Deployment, Nouns, nouns::Provided};
use crate::{
    block::Parameters,
    mempool::{self, Members, Rank},
    relay, runs,
};
use commonware_utils::{ordered::Set, sync::Mutex};
use drystone_engine::Engine;
use std::{collections::BTreeSet, sync::Arc};
use tracing::debug;

/// What a change of epochs concerns.
pub(super) struct Parties<D: Deployment> {
    pub(super) me: D::PublicKey,
    pub(super) parameters: Arc<Parameters>,
    pub(super) provider: Provided<D>,
    pub(super) engine: Engine<Nouns<D>>,
    pub(super) relay: relay::Mailbox<D::PublicKey>,
    pub(super) runs: runs::Mailbox<Nouns<D>>,
    pub(super) mempool: mempool::Mailbox<Nouns<D>>,
    /// Who follows without being in any set.
    pub(super) followers: Vec<D::PublicKey>,
}

/// Has everybody enter the epochs, in order, each once its committee is known.
pub(super) struct Epochs<D: Deployment> {
    parties: Arc<Parties<D>>,
    /// The newest that is to be entered, and whether it was.
    current: Arc<Mutex<(u64, bool)>>,
}

impl<D: Deployment> Clone for Epochs<D> {
    fn clone(&self) -> Self {
        Self {
            parties: self.parties.clone(),
            current: self.current.clone(),
        }
    }
}

impl<D: Deployment> Epochs<D> {
    /// Enters an epoch.
    pub(super) fn enter(epoch: u64, parties: Parties<D>) -> Self {
        let epochs = Self {
            parties: Arc::new(parties),
            current: Arc::new(Mutex::new((epoch, false))),
        };
        epochs.known();
        epochs
    }

    /// A block is final.
    pub(super) fn finalized(&self, height: u64) {
        let next = self.parties.parameters.epoch(height + 1);
        {
            let mut current = self.current.lock();
            if next <= current.0 {
                return;
            }
            *current = (next, false);
        }
        self.known();
    }

    /// Committees became known.
    pub(super) fn known(&self) {
        let mut current = self.current.lock();
        let (epoch, entered) = &mut *current;
        if !*entered {
            *entered = self.parties.enter(*epoch);
        }
    }
}

impl<D: Deployment> Parties<D> {
    /// Whether the epoch's committee is known.
    fn enter(&self, epoch: u64) -> bool {
        let Some(committee) = self.provider.committee(epoch) else {
            debug!(
                epoch,
                "an epoch begins whose validators are not known here yet"
            );
            return false;
        };
        self.engine.entered(epoch).expect("its committee is known");
        let list = |set: &Set<D::PublicKey>| set.iter().cloned().collect::<Vec<_>>();
        let rank = committee.sequencer_index(&self.me).map(|index| Rank {
            index,
            count: u32::try_from(committee.sequencers().len()).expect("fewer than 2^32"),
        });
        let validators = list(committee.validators());
        let mut sequencers: BTreeSet<_> = committee.sequencers().iter().cloned().collect();
        let mut peers: BTreeSet<_> = validators.iter().cloned().collect();
        // Whoever leaves may still hold what its clients brought, and bodies that blocks of this epoch include.
        let before = epoch.checked_sub(1);
        if let Some(before) = before.and_then(|it| self.provider.committee(it)) {
            peers.extend(list(before.validators()));
            sequencers.extend(list(before.sequencers()));
        }
        peers.extend(sequencers.iter().cloned());
        peers.extend(self.followers.iter().cloned());
        peers.remove(&self.me);
        self.mempool.entered(Members {
            peers: peers.into_iter().collect(),
            rank,
        });
        let others = validators.iter().filter(|it| **it != self.me);
        self.runs.entered(others.cloned().collect());
        let sequencers = sequencers.into_iter().collect();
        self.relay.entered(validators, sequencers);
        true
    }
}
