//! The transactions of the workload: payments of an account, each under a number that is used once.

use super::ledger::Ledger;
use bytes::{BufMut as _, Bytes, BytesMut};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_utils::sync::Mutex;
use drystone_actors::transaction::{
    Account, Admission, Checks, Facts, Invalid, Rules, Transaction,
};
use drystone_engine::types::Digest;
use std::{collections::BTreeSet, sync::Arc};

/// In front of every payment.
const MAGIC: u8 = 0xd5;
/// Magic, account, number, expiry, flag.
const HEAD: usize = 1 + 2 + 4 + 8 + 1;

/// A payment, as a client thinks of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Payment {
    /// Whose.
    pub account: u16,
    /// Two payments of an account with one number exclude each other.
    pub number: u32,
    /// The last millisecond of chain time at which it may be executed.
    pub expiry_ms: u64,
    /// Whether the account can pay.
    pub affordable: bool,
    /// Length of the whole.
    pub bytes: u32,
}

impl Payment {
    /// What travels.
    pub fn encode(&self) -> Bytes {
        let length = (self.bytes as usize).max(HEAD);
        let mut buf = BytesMut::with_capacity(length);
        buf.put_u8(MAGIC);
        buf.put_u16(self.account);
        buf.put_u32(self.number);
        buf.put_u64(self.expiry_ms);
        buf.put_u8(u8::from(self.affordable));
        // Like a signature, the rest says nothing.
        buf.resize(length, self.number as u8);
        buf.freeze()
    }

    /// Reads one; nothing if it is none.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let head = bytes.get(..HEAD)?;
        let number = u32::from_be_bytes(head[3..7].try_into().ok()?);
        let payment = Self {
            account: u16::from_be_bytes(head[1..3].try_into().ok()?),
            number,
            expiry_ms: u64::from_be_bytes(head[7..15].try_into().ok()?),
            affordable: head[15] == 1,
            bytes: u32::try_from(bytes.len()).ok()?,
        };
        let canonical =
            head[0] == MAGIC && head[15] <= 1 && bytes[HEAD..].iter().all(|it| *it == number as u8);
        canonical.then_some(payment)
    }

    /// Names it.
    pub fn id(bytes: &[u8]) -> Digest {
        Sha256::hash(&[bytes])
    }
}

/// What is said of payments at one node.
#[derive(Clone)]
pub struct Till {
    /// What that node executed.
    pub ledger: Arc<Mutex<Ledger>>,
}

impl Rules for Till {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        let payment = Payment::decode(bytes).ok_or(Invalid::because("not a payment"))?;
        let mut account = [0; 32];
        account[..2].copy_from_slice(&payment.account.to_be_bytes());
        Ok(Facts {
            id: Payment::id(bytes),
            account: Account(account),
            expiry_ms: payment.expiry_ms,
        })
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        let ledger = self.ledger.lock();
        let check = |it: &Arc<Transaction>| {
            let payment = Payment::decode(&it.bytes).expect("it was decoded before");
            ledger.awaits(&payment)
        };
        transactions.iter().map(check).collect()
    }
}

/// Charges for places in chunks, and panics where a charge is made or given back twice.
#[derive(Default)]
pub struct Charges(BTreeSet<Digest>);

impl Admission for Charges {
    fn charge(&mut self, transaction: &Transaction) -> bool {
        let id = transaction.facts.id;
        assert!(self.0.insert(id), "{id} is charged twice");
        true
    }

    fn release(&mut self, transaction: &Transaction) {
        let id = transaction.facts.id;
        assert!(self.0.remove(&id), "{id} was not charged");
    }
}
