//! What a user of the framework writes.
//!
//! An [`Application`] says what a transaction is, whether it may wait for a chunk, what executing it changes, and what
//! a query answers. Everything else (gossip, chunks, order, storage, proofs) is there already. State is a map from keys
//! to values, any bytes both; the application reads and writes it, and never sees where it lies.
//!
//! # Quick start
//!
//! A counter that anybody may add to.
//!
//! ```
//! use bytes::Bytes;
//! use commonware_cryptography::{Hasher as _, Sha256};
//! use drystone_actors::{
//!     application::{Application, Context, Failure, Outcome},
//!     state::{Batch, Memory, View},
//!     transaction::{Account, Facts, Invalid, Transaction},
//! };
//! use std::sync::Arc;
//!
//! #[derive(Clone)]
//! struct Counter;
//!
//! /// A transaction: 8 bytes of amount, 8 of expiry, 8 that tell it from others.
//! fn number(bytes: &[u8], at: usize) -> u64 {
//!     u64::from_be_bytes(bytes[at..at + 8].try_into().expect("8 bytes"))
//! }
//!
//! impl Application for Counter {
//!     fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
//!         if bytes.len() != 24 {
//!             return Err(Invalid::because("an addition has 24 bytes"));
//!         }
//!         Ok(Facts {
//!             id: Sha256::hash(&[bytes]),
//!             account: Account([0; 32]),
//!             expiry_ms: number(bytes, 8),
//!         })
//!     }
//!
//!     async fn execute(
//!         &self,
//!         _: &Context,
//!         transactions: &[Arc<Transaction>],
//!         state: &mut Batch<'_>,
//!     ) -> Result<Vec<Outcome>, Failure> {
//!         let mut count = state.get(b"count").await?.map_or(0, |it| number(&it, 0));
//!         let mut add = |it: &Arc<Transaction>| match count.checked_add(number(&it.bytes, 0)) {
//!             Some(sum) => Ok(count = sum),
//!             None => Err(Invalid::because("the counter is full")),
//!         };
//!         let outcomes = transactions.iter().map(&mut add).collect();
//!         state.put(b"count", count.to_be_bytes().to_vec());
//!         Ok(outcomes)
//!     }
//!
//!     async fn query(&self, _: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
//!         Ok(state.get(b"count").await?.unwrap_or_default())
//!     }
//! }
//!
//! # futures::executor::block_on(async {
//! let addition = |amount: u64| {
//!     let bytes = [amount.to_be_bytes(), 60_000_u64.to_be_bytes(), [0; 8]].concat();
//!     Transaction::decode(&Counter.rules(), bytes.into()).expect("24 bytes")
//! };
//! let mut memory = Memory::default();
//! let block = Context { height: 1, time_ms: 1_000 };
//! let mut batch = Batch::over(memory.view());
//! let outcomes = Counter.execute(&block, &[addition(40), addition(2)], &mut batch).await?;
//! assert_eq!(outcomes, [Ok(()), Ok(())]);
//! let writes = batch.into_writes();
//! memory.apply(writes);
//! assert_eq!(number(&Counter.query(b"", &memory.view()).await?, 0), 42);
//! # Ok::<_, Failure>(()) }).unwrap();
//! ```

#[cfg(test)]
mod tests;

use crate::{
    state::{Batch, Reader, Unreadable, View},
    transaction::{Checks, Facts, Invalid, Rules, Transaction},
};
use bytes::Bytes;
use std::{
    borrow::Cow,
    future::{Future, pending},
    sync::Arc,
};
use thiserror::Error;

/// The block that is being executed, as far as an application may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Context {
    /// Its height.
    pub height: u64,
    /// Chain time, in milliseconds: above that of the block before.
    pub time_ms: u64,
}

/// What executing a transaction came to. `Err`: it is skipped, and nothing of it was written. That is a result, and
/// never a failure of the block.
pub type Outcome = Result<(), Invalid>;

/// Why an application cannot go on: the node stops. One that is the application's own must be the same on every node.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Failure {
    /// The state cannot be read.
    #[error(transparent)]
    State(#[from] Unreadable),
    /// The application found its own state broken.
    #[error("the application cannot go on: {0}")]
    Broken(Cow<'static, str>),
}

/// A replicated application. Everything but [`Application::check`] must be deterministic: the same on every node, for
/// the same arguments and the same state. See the [module](self).
pub trait Application: Clone + Send + Sync + 'static {
    /// Reads a transaction: its form, and whatever else depends on its bytes and the genesis parameters alone. Must
    /// never panic, and accept one encoding of each transaction.
    ///
    /// # Errors
    /// What is wrong with the bytes, for ever.
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid>;

    /// Checks transactions against the newest executed state, before the mempool keeps them. Transactions of one
    /// account come in the order of their arrival. Answers one result for each; by default, all may wait.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn check(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> impl Future<Output = Result<Checks, Failure>> + Send {
        let _ = state;
        let checks = transactions.iter().map(|_| Ok(())).collect();
        async { Ok(checks) }
    }

    /// Checks transactions again after a block. What no block can change need not be checked twice.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn recheck(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> impl Future<Output = Result<Checks, Failure>> + Send {
        self.check(transactions, state)
    }

    /// Writes the state that the first block starts from; by default, none.
    ///
    /// # Errors
    /// If the genesis cannot be made.
    fn genesis(&self, state: &mut Batch<'_>) -> impl Future<Output = Result<(), Failure>> + Send {
        let _ = state;
        async { Ok(()) }
    }

    /// Executes transactions one after the other, and answers one outcome for each. No two of one call have one id. A
    /// block may be executed in several calls: what two lists do must be what the one list made of both does.
    ///
    /// # Errors
    /// If the node must stop.
    fn execute(
        &self,
        block: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> impl Future<Output = Result<Vec<Outcome>, Failure>> + Send;

    /// Answers a query. The state stays as it is for as long as this takes, and no block is committed meanwhile: it
    /// must be short. What a request may look like, and what an answer says of one it does not understand, is up to
    /// the application.
    ///
    /// # Errors
    /// If the state cannot be read.
    fn query(
        &self,
        request: &[u8],
        state: &View<'_>,
    ) -> impl Future<Output = Result<Bytes, Failure>> + Send;

    /// The part that reads transactions, for whoever needs no state.
    fn rules(&self) -> Decoder<Self> {
        Decoder(self.clone())
    }
}

/// Reads transactions as an application does, and checks nothing else.
#[derive(Clone, Debug)]
pub struct Decoder<A>(A);

impl<A: Application> Rules for Decoder<A> {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        self.0.decode(bytes)
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        transactions.iter().map(|_| Ok(())).collect()
    }
}

/// An application beside the state of this node: what a mempool asks.
#[derive(Clone)]
pub struct Gate<A> {
    application: A,
    state: Reader,
}

impl<A: Application> Gate<A> {
    /// Puts them together.
    pub const fn new(application: A, state: Reader) -> Self {
        Self { application, state }
    }

    /// The newest executed state. If it was lost, the executor ends by the error that it was lost in, and the node with it: until
    /// then nobody is answered.
    async fn view(&self) -> View<'_> {
        match self.state.view().await {
            Ok(view) => view,
            Err(_) => pending().await,
        }
    }

    /// Answers a query from the newest executed state.
    ///
    /// # Errors
    /// If the state cannot be read.
    pub async fn query(&self, request: &[u8]) -> Result<Bytes, Failure> {
        let view = self.state.view().await?;
        self.application.query(request, &view).await
    }
}

impl<A: Application> Rules for Gate<A> {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        self.application.decode(bytes)
    }

    async fn check(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        let view = self.view().await;
        answered(self.application.check(&transactions, &view).await)
    }

    async fn recheck(&self, transactions: Vec<Arc<Transaction>>) -> Checks {
        let view = self.view().await;
        answered(self.application.recheck(&transactions, &view).await)
    }
}

/// A state that cannot be read says nothing of a transaction, and a verdict is for ever: so the mempool ends here, and the
/// node with it.
fn answered(checks: Result<Checks, Failure>) -> Checks {
    checks.unwrap_or_else(|failure| panic!("transactions cannot be checked: {failure}"))
}
