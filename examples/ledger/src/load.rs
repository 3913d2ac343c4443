//! Transfers for `bench`: between accounts whose keys everybody knows, one under way for each.

use crate::{
    account::Address,
    program::{account, address, known, namespace},
    transfer::Transfer,
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256, ed25519::PrivateKey};
use drystone_actors::cli::{Client, Exit, Failure, Load, LoadOptions, Submission};
use drystone_engine::types::Digest;
use std::collections::{BTreeMap, VecDeque};

/// Accounts to begin with, however low the rate.
const ACCOUNTS_MIN: u64 = 64;

struct Payer {
    key: PrivateKey,
    address: Address,
    nonce: u64,
}

/// See the module.
pub struct Transfers {
    namespace: Vec<u8>,
    payers: Vec<Payer>,
    /// Those with nothing under way, in the order they will be used.
    idle: VecDeque<usize>,
    busy: BTreeMap<Digest, usize>,
}

impl Transfers {
    /// As many accounts as transfers become due in a second: what takes longer than that falls behind the schedule.
    pub(crate) async fn new(client: &Client, options: &LoadOptions) -> Result<Self, Failure> {
        let count = options.rate.max(ACCOUNTS_MIN);
        let mut payers = Vec::new();
        for index in 0..count {
            let key = known(index);
            let address = address(&key);
            let found = account(client, &address).await?;
            if found.balance == 0 {
                let message = format!(
                    "{index} known accounts have a balance, {count} are needed: make the genesis with --accounts {count}"
                );
                return Err(Failure::new(Exit::NotFound, message));
            }
            payers.push(Payer {
                key,
                address,
                nonce: found.nonce,
            });
        }
        Ok(Self {
            namespace: namespace(client).await?,
            idle: (0..payers.len()).collect(),
            payers,
            busy: BTreeMap::new(),
        })
    }
}

impl Load for Transfers {
    fn next(&mut self, _: usize, expiry_ms: u64) -> Option<Submission> {
        let index = self.idle.pop_front()?;
        let payer = &self.payers[index];
        let transfer = Transfer {
            from: payer.address,
            to: self.payers[(index + 1) % self.payers.len()].address,
            amount: 1,
            fee: 1,
            nonce: payer.nonce,
            expiry_ms,
        };
        let bytes = Bytes::from(transfer.sign(&payer.key, &self.namespace));
        let id = Sha256::hash(&[&bytes]);
        self.busy.insert(id, index);
        Some(Submission { id, bytes })
    }

    fn settled(&mut self, id: &Digest, executed: bool) {
        let Some(index) = self.busy.remove(id) else {
            return;
        };
        if executed {
            self.payers[index].nonce += 1;
        }
        self.idle.push_back(index);
    }
}
