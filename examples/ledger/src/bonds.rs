//! What a place in a chunk is charged, and who gets one.

use crate::{
    account::Address,
    nonces::Nonces,
    transfer::{Signed, Transfer},
};
use drystone_actors::transaction::{Admission, Transaction};
use std::collections::BTreeMap;

/// What of one account is in live chunks of this node.
#[derive(Clone, Debug, Default)]
struct Bond {
    fees: u64,
    /// How often each nonce is there: a transfer may be signed again.
    nonces: BTreeMap<u64, u32>,
}

/// Bonds the fee of each transfer that is in a live chunk of this node: an account that has bonded as much as it may waits
/// until some of it is executed or expires. What is bonded is given back in full: the fee itself is paid by executing.
///
/// A numbered transfer whose turn it is not waits as well: one is packed when its nonce is the next one, or when the one
/// before it is in a live chunk of this node. Otherwise what nobody can execute yet would fill the chunks for ever, and the one transfer
/// that all others of its account wait for would find no place.
#[derive(Clone, Debug)]
pub struct Bonds {
    bond_max: u64,
    nonces: Nonces,
    bonded: BTreeMap<Address, Bond>,
}

impl Bonds {
    /// At most so much of each account.
    pub(crate) const fn new(bond_max: u64, nonces: Nonces) -> Self {
        Self {
            bond_max,
            nonces,
            bonded: BTreeMap::new(),
        }
    }

    /// What an account has bonded.
    pub fn bonded(&self, account: &Address) -> u64 {
        self.bonded.get(account).map_or(0, |it| it.fees)
    }

    fn is_due(&self, transfer: &Transfer) -> bool {
        let (account, nonce) = (&transfer.from, transfer.nonce);
        let follows = |bond: &Bond| {
            let before = nonce.checked_sub(1);
            before.is_some_and(|it| bond.nonces.contains_key(&it))
        };
        !transfer.is_numbered()
            || self.nonces.next(account) == Some(nonce)
            || self.bonded.get(account).is_some_and(follows)
    }

    fn read(transaction: &Transaction) -> Transfer {
        let signed = Signed::read(&transaction.bytes).expect("it was decoded before it was kept");
        signed.transfer
    }
}

impl Admission for Bonds {
    fn charge(&mut self, transaction: &Transaction) -> bool {
        let transfer = Self::read(transaction);
        let fees = self.bonded(&transfer.from).checked_add(transfer.fee);
        let Some(fees) = fees.filter(|it| *it <= self.bond_max) else {
            return false;
        };
        if !self.is_due(&transfer) {
            return false;
        }
        let bond = self.bonded.entry(transfer.from).or_default();
        bond.fees = fees;
        *bond.nonces.entry(transfer.nonce).or_default() += 1;
        true
    }

    fn release(&mut self, transaction: &Transaction) {
        let Transfer {
            from, nonce, fee, ..
        } = Self::read(transaction);
        const ONCE: &str = "released once, after it was charged";
        let bond = self.bonded.get_mut(&from).expect(ONCE);
        let count = bond.nonces.get_mut(&nonce).expect(ONCE);
        *count -= 1;
        if *count == 0 {
            bond.nonces.remove(&nonce);
        }
        bond.fees -= fee;
        if bond.nonces.is_empty() {
            self.bonded.remove(&from);
        }
    }
}
