//! A ledger that takes its time.

use super::money::Seals;
use crate::host::Host;
use bytes::Bytes;
use commonware_runtime::Clock as _;
use drystone_actors::{
    application::{Application, Context, Failure, Outcome},
    state::{Batch, View},
    transaction::{Checks, Facts, Invalid, Transaction},
};
use ledger::Ledger;
use std::{sync::Arc, time::Duration};

/// The ledger, on a machine that executes slowly: what costs nothing in virtual time costs each block so much.
#[derive(Clone)]
pub struct Paced {
    pub ledger: Ledger<Seals>,
    /// The machine, and how long a block takes on it.
    pub pace: Option<(Arc<Host>, Duration)>,
}

impl Application for Paced {
    fn decode(&self, bytes: &[u8]) -> Result<Facts, Invalid> {
        self.ledger.decode(bytes)
    }

    async fn check(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> Result<Checks, Failure> {
        self.ledger.check(transactions, state).await
    }

    async fn recheck(
        &self,
        transactions: &[Arc<Transaction>],
        state: &View<'_>,
    ) -> Result<Checks, Failure> {
        self.ledger.recheck(transactions, state).await
    }

    async fn genesis(&self, state: &mut Batch<'_>) -> Result<(), Failure> {
        self.ledger.genesis(state).await
    }

    async fn execute(
        &self,
        block: &Context,
        transactions: &[Arc<Transaction>],
        state: &mut Batch<'_>,
    ) -> Result<Vec<Outcome>, Failure> {
        if let Some((host, pace)) = &self.pace {
            host.sleep(*pace).await;
        }
        self.ledger.execute(block, transactions, state).await
    }

    async fn query(&self, request: &[u8], state: &View<'_>) -> Result<Bytes, Failure> {
        self.ledger.query(request, state).await
    }
}
