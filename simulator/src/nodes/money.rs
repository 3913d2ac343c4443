//! The ledger of a run: its accounts, and signatures that cost nothing.

use super::options::{FEE_MIN, Options};
use commonware_codec::Encode as _;
use commonware_cryptography::{Hasher as _, Sha256};
use ledger::{Address, Genesis, Signatures, Signed, Transfer};
use std::sync::Arc;

/// Signatures that only the harness makes: a hash that names who signed what. A node never makes one, and what is changed
/// on its way is not signed any more.
#[derive(Clone, Copy, Debug)]
pub struct Seals;

fn seal(namespace: &[u8], transfer: &Transfer) -> [u8; 64] {
    let half = |salt: &[u8]| Sha256::hash(&[b"seal", salt, namespace, &transfer.encode()]);
    let mut seal = [0; 64];
    seal[..32].copy_from_slice(half(b"0").as_ref());
    seal[32..].copy_from_slice(half(b"1").as_ref());
    seal
}

impl Signatures for Seals {
    fn verify(&self, transfers: &[Signed], namespace: &[u8]) -> Vec<bool> {
        let holds = |it: &Signed| it.signature == seal(namespace, &it.transfer);
        transfers.iter().map(holds).collect()
    }
}

/// Signs as an account's owner.
pub fn sign(transfer: Transfer, genesis: &Genesis) -> Signed {
    Signed {
        transfer,
        signature: seal(&genesis.namespace(), &transfer),
    }
}

/// The address of an account.
pub fn address(account: u16) -> Address {
    let digest = Sha256::hash(&[b"account", &account.to_be_bytes()]);
    digest.0
}

/// The number of the account that gets the fees.
pub const fn collector(options: &Options) -> u16 {
    options.accounts
}

/// The first state of a cluster's ledger.
pub fn genesis(options: &Options, digest: drystone_engine::types::Digest) -> Arc<Genesis> {
    let accounts = 0..options.accounts;
    Arc::new(Genesis {
        digest,
        balances: accounts.map(|it| (address(it), options.balance)).collect(),
        collector: address(collector(options)),
        fee_min: FEE_MIN,
    })
}
