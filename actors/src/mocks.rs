//! An application of the smallest size, for the actors that carry transactions.

use crate::{
    Canary,
    bodies::Bodies,
    chunk::{self, Chunk},
    mempool::{self, Activity, Amount, GossipConfig, Observer, PoolConfig, wire},
    transaction::{Account, Admission, Checks, Facts, Invalid, Rules, Transaction},
    types::Types,
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_utils::{NZUsize, channel::oneshot, sync::Mutex};
use drystone_engine::{scheme::free, types::Digest};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// The nouns.
pub struct Payments;

impl Types for Payments {
    type PublicKey = free::PublicKey;
    type Rules = Till;
    type Admission = Ledger;
    type Observer = Book;
    type Bodies = Shelf;
}

/// Bytes of every payment.
pub const SIZE: usize = 20;

/// The bytes of a payment: account, expiry, and something that tells it from others.
pub fn bytes(account: u8, expiry_ms: u64, salt: u64) -> Bytes {
    let mut bytes = vec![account];
    bytes.extend(expiry_ms.to_be_bytes());
    bytes.extend(salt.to_be_bytes());
    bytes.resize(SIZE, 0);
    bytes.into()
}

/// A payment as the mempool sees it.
pub fn payment(account: u8, expiry_ms: u64, salt: u64) -> Arc<Transaction> {
    let bytes = bytes(account, expiry_ms, salt);
    Transaction::decode(&Till::default(), bytes).expect("a payment")
}

/// Reads payments, and refuses to check those of some accounts.
#[derive(Clone, Default)]
pub struct Till {
    /// Whose payments [`Rules::check`] refuses.
    pub refused: Arc<Mutex<BTreeSet<Account>>>,
    /// How often each was checked.
    pub checks: Arc<Mutex<BTreeMap<Digest, usize>>>,
}

impl Rules for Till {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        if bytes.len() != SIZE {
            return Err(Invalid::because("not a payment"));
        }
        let expiry = bytes[1..9].try_into().expect("eight bytes");
        Ok(Facts {
            id: Sha256::hash(&[bytes]),
            account: Account([bytes[0]; 32]),
            expiry_ms: u64::from_be_bytes(expiry),
        })
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        let check = |it: &Arc<Transaction>| {
            *self.checks.lock().entry(it.facts.id).or_default() += 1;
            if self.refused.lock().contains(&it.facts.account) {
                return Err(Invalid::because("no money"));
            }
            Ok(())
        };
        transactions.iter().map(check).collect()
    }
}

/// Counts what is charged: a release without a charge, or a second charge, panics.
#[derive(Clone, Default)]
pub struct Ledger {
    /// What is charged.
    pub charged: Arc<Mutex<BTreeSet<Digest>>>,
    /// What is not to be charged.
    pub refused: Arc<Mutex<BTreeSet<Digest>>>,
}

impl Admission for Ledger {
    fn charge(&mut self, transaction: &Transaction) -> bool {
        let id = transaction.facts.id;
        if self.refused.lock().contains(&id) {
            return false;
        }
        assert!(self.charged.lock().insert(id), "{id} is charged already");
        true
    }

    fn release(&mut self, transaction: &Transaction) {
        let charged = self.charged.lock().remove(&transaction.facts.id);
        assert!(charged, "{} was not charged", transaction.facts.id);
    }
}

/// Keeps what is reported.
#[derive(Clone, Default)]
pub struct Book(pub Arc<Mutex<Vec<Activity<free::PublicKey>>>>);

impl Book {
    /// What was ever accepted.
    pub fn accepted(&self) -> BTreeSet<Digest> {
        let activities = self.0.lock();
        let accepted = activities.iter().filter_map(|it| match it {
            Activity::Accepted { id, .. } => Some(*id),
            Activity::Left { .. } => None,
        });
        accepted.collect()
    }
}

impl Observer<free::PublicKey> for Book {
    fn report(&self, activity: Activity<free::PublicKey>) {
        self.0.lock().push(activity);
    }
}

/// Keeps bodies in memory, or fails to.
#[derive(Clone, Default)]
pub struct Shelf {
    /// What is kept, in the order it came.
    pub chunks: Arc<Mutex<Vec<Chunk>>>,
    /// Bodies that are lost, before any is kept.
    pub failures: Arc<Mutex<usize>>,
}

impl Bodies for Shelf {
    fn persist(&mut self, chunk: Chunk) -> oneshot::Receiver<()> {
        let (durable, receiver) = oneshot::channel();
        let mut failures = self.failures.lock();
        if *failures > 0 {
            *failures -= 1;
            return receiver;
        }
        self.chunks.lock().push(chunk);
        let _ = durable.send(());
        receiver
    }
}

/// A mempool small enough to fill.
pub fn config() -> mempool::Config {
    mempool::Config {
        pool: PoolConfig {
            pool_max: amount(32),
            account_max: amount(8),
            peer_max: amount(16),
            transaction_bytes_max: 30,
            lifetime_max_ms: 10_000,
            retry_after_ms: 77,
            check_batch_max: 8,
            executed_max: 16,
            lane_marks_max: 16,
            chunk: chunk::Limits {
                bytes_max: 200,
                items_max: 6,
            },
            seal: amount(4),
            takeover_ms: 100,
            stagger_ms: 10,
        },
        gossip: GossipConfig {
            announce_linger_ms: 5,
            pack_linger_ms: 0,
            reannounce_ms: 1_000,
            reannounce_max: 8,
            fanout: 2,
            fetch_linger_ms: 3,
            fetch_timeout_ms: 50,
            announcers_max: 3,
            wanted_max: 8,
            requested_max: 4,
            served_bytes_max: 10 * SIZE,
        },
        wire: wire::Limits {
            ids_max: 4,
            transaction_bytes_max: 30,
            message_bytes_max: 80,
        },
        blocks_only: false,
        mailbox_size: NZUsize!(16),
        canary: Canary::None,
    }
}

/// So many payments.
pub const fn amount(items: usize) -> Amount {
    Amount {
        items,
        bytes: items * SIZE,
    }
}
