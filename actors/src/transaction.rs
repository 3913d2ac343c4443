//! What the application says of a transaction: how it is read, whether it may wait, what it is charged.

#[cfg(test)]
mod tests;

use bytes::Bytes;
use drystone_engine::types::Digest;
use std::{borrow::Cow, fmt::Debug, future::Future, sync::Arc};
use thiserror::Error;

/// Who a transaction is from, as far as fairness goes: each account has a share of the mempool of its own.
/// An application whose accounts have longer names hashes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account(pub [u8; 32]);

/// What is read off the bytes of a transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Names the transaction: two with one id are one, and no more than one of them is ever executed.
    /// Must be a digest that commits to everything execution depends on.
    pub id: Digest,
    /// Whose.
    pub account: Account,
    /// The last millisecond of chain time at which it may be executed.
    pub expiry_ms: u64,
}

/// A transaction that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transaction {
    /// What was read off it.
    pub facts: Facts,
    /// What travels, and is packed into a chunk.
    pub bytes: Bytes,
}

impl Transaction {
    /// Reads a transaction. One without bytes is none, whatever the application would say: no chunk can hold it.
    ///
    /// # Errors
    /// What is wrong with the bytes: with most, the application says it.
    pub fn decode<R: Rules>(rules: &R, bytes: Bytes) -> Result<Arc<Self>, Invalid> {
        if bytes.is_empty() {
            return Err(Invalid::because("a transaction has at least 1 byte"));
        }
        let facts = rules.decode(&bytes)?;
        Ok(Arc::new(Self { facts, bytes }))
    }
}

/// Why a transaction is refused, for whoever submitted it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{0}")]
pub struct Invalid(pub Cow<'static, str>);

impl Invalid {
    /// A reason that needs no figures.
    pub const fn because(reason: &'static str) -> Self {
        Self(Cow::Borrowed(reason))
    }
}

/// For each transaction, in the order asked, whether it may wait for a chunk.
pub type Checks = Vec<Result<(), Invalid>>;

/// The part of an application that decodes and checks. The mempool asks all of it, the chunk store
/// [`Rules::decode`] alone: its verdicts must be the same on every node.
pub trait Rules: Clone + Send + Sync + 'static {
    /// Reads a transaction: its form, and whatever else depends on its bytes and the genesis parameters
    /// alone. Must never panic, and accept one encoding of each transaction.
    ///
    /// # Errors
    /// What is wrong with the bytes, for ever.
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid>;

    /// Checks transactions against the newest executed state, before they are kept: signatures that
    /// [`Rules::decode`] left out, balances, nonces. Transactions of one account come in the order of
    /// their arrival. Answers one result for each.
    fn check(&self, transactions: Vec<Arc<Transaction>>) -> impl Future<Output = Checks> + Send;

    /// Checks transactions again after a block. What no block can change need not be checked twice.
    fn recheck(&self, transactions: Vec<Arc<Transaction>>) -> impl Future<Output = Checks> + Send {
        self.check(transactions)
    }
}

/// Fees or bonds for a place in a chunk. Asked by the node that packs, before it packs.
///
/// What is charged is released exactly once: when the transaction was executed, when it or the chunk it was
/// packed into expired, or when the chunk was not made after all.
pub trait Admission: Send + 'static {
    /// Charges for a transaction. `false` leaves it out of the chunk; it is asked again after a block,
    /// or when a chunk of another that held it meanwhile has let it go.
    fn charge(&mut self, transaction: &Transaction) -> bool;

    /// Gives back what was charged.
    fn release(&mut self, transaction: &Transaction);
}

/// Admission that charges nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Free;

impl Admission for Free {
    fn charge(&mut self, _: &Transaction) -> bool {
        true
    }

    fn release(&mut self, _: &Transaction) {}
}
