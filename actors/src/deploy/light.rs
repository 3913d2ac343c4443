//! What somebody believes who runs no node: what a quorum of the genesis's validators signed.

use super::{
    config::bounds,
    genesis::Agreement,
    nouns::{Sets, Standard},
};
use crate::{
    application::Application,
    block::{Block, Bounds, Executed},
    node::{Nouns, Voters as _},
    transaction::Admission,
};
use bytes::Bytes;
use commonware_codec::Decode as _;
use commonware_consensus::simplex::{scheme::ed25519 as votes, types::Finalization};
use commonware_cryptography::certificate::Verifier as _;
use commonware_parallel::Sequential;
use commonware_utils::sys_rng;
use drystone_engine::types::Digest;

/// Checks final blocks against the validators of a genesis.
pub struct Light<A: Application, M: Admission> {
    sets: Sets,
    bounds: Bounds<Nouns<Standard<A, M>>>,
}

impl<A: Application, M: Admission> Light<A, M> {
    /// Believes the validators of a genesis that was checked.
    pub fn new(agreement: &Agreement) -> Self {
        let sets = Sets::new(agreement, None);
        let bounds = bounds::<A, M>(agreement, sets.clone());
        Self { sets, bounds }
    }

    /// The state that a block names as executed, if what is beside the block shows that it is final.
    ///
    /// # Errors
    /// If one of them cannot be read, or the one does not show the other to be final.
    pub fn executed(&self, block: Bytes, finality: Bytes) -> Result<Executed, String> {
        let block = Block::<Nouns<Standard<A, M>>>::decode_cfg(block, &self.bounds);
        let block = block.map_err(|it| format!("the block cannot be read: {it}"))?;
        // The sets of the genesis serve in every epoch.
        let scheme = self.sets.scheme(0, false).expect("known for every epoch");
        let config = scheme.certificate_codec_config();
        let finality = Finalization::<votes::Scheme, Digest>::decode_cfg(finality, &config);
        let finality =
            finality.map_err(|it| format!("what shows finality cannot be read: {it}"))?;
        if finality.proposal.payload != block.digest() {
            return Err("what shows finality is about another block".into());
        }
        if !finality.verify(&mut sys_rng(), &*scheme, &Sequential) {
            return Err(
                "no quorum of the genesis's validators signed that the block is final".into(),
            );
        }
        Ok(block.executed)
    }
}
