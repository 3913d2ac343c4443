//! What the ledger starts from, the same on every node.

use crate::account::Address;
use drystone_engine::types::Digest;
use std::collections::BTreeMap;

/// The first state, and the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Genesis {
    /// Names the deployment: a transfer signed for one is nothing in another.
    pub digest: Digest,
    /// Who has what.
    pub balances: BTreeMap<Address, u64>,
    /// Who gets the fees.
    pub collector: Address,
    /// The least fee of a transfer.
    pub fee_min: u64,
}

impl Genesis {
    /// The sum of all balances, for ever.
    ///
    /// # Panics
    /// If it is too large to be counted: then no balance could be trusted not to be.
    pub fn supply(&self) -> u64 {
        let sum = |sum: u64, balance: &u64| sum.checked_add(*balance);
        let supply = self.balances.values().try_fold(0, sum);
        supply.expect("the balances of the genesis must add up to less than 2^64")
    }

    /// The namespace under which transfers are signed.
    pub fn namespace(&self) -> Vec<u8> {
        Self::namespace_of(&self.digest)
    }

    /// The namespace of the deployment of this name.
    pub fn namespace_of(deployment: &Digest) -> Vec<u8> {
        [deployment.as_ref(), b"_TRANSFER"].concat()
    }
}
