//! What a block does: which of its transactions are executed, and what they change.

use super::{
    message::{Body, Ready},
    results::{Entry, Fate},
};
use crate::{
    Canary,
    application::{Application, Context, Failure},
    reference::Reference,
    state::Batch,
    transaction::{Facts, Transaction},
    unordered,
    window::{Unfit, Window},
};
use bytes::Bytes;
use drystone_engine::types::{Digest, Types};
use std::sync::Arc;

/// The transactions of a block, in the order of execution. A chunk with one that nobody can read is as good as empty: no
/// honest validator acked it. What was read off a chunk when it came here is not read again: it depends on the bytes alone.
pub fn flatten<A: Application, T: Types>(
    application: &A,
    ready: &Ready<T>,
) -> Vec<Arc<Transaction>> {
    let rules = application.rules();
    let read = |it: &Bytes| Transaction::decode(&rules, it.clone()).ok();
    let known = |(bytes, facts): (&Bytes, &Facts)| {
        let (facts, bytes) = (*facts, bytes.clone());
        Arc::new(Transaction { facts, bytes })
    };
    let chunk = |(_, body): &(Reference<T::PublicKey>, Body)| match body {
        Body::Chunk(chunk) => {
            let transactions = chunk.transactions().iter();
            match chunk.facts() {
                Some(facts) => Some(transactions.zip(facts).map(known).collect()),
                None => transactions.map(read).collect(),
            }
        }
        Body::Malformed => None,
    };
    let chunks: Vec<Vec<_>> = ready.chunks.iter().filter_map(chunk).collect();
    chunks.into_iter().flatten().collect()
}

/// Executes the transactions of a block, one after the other as far as anybody can tell. They are handed to the
/// application in lists without a repeated id: whether a second copy counts depends on what became of the first.
///
/// # Errors
/// If the application cannot go on.
///
/// # Panics
/// If the application does not answer for each.
pub async fn apply<A: Application>(
    application: &A,
    context: &Context,
    transactions: Vec<Arc<Transaction>>,
    window: &mut Window,
    batch: &mut Batch<'_>,
    canary: Canary,
) -> Result<Vec<Entry>, Failure> {
    let mut work = Work {
        application,
        context,
        window,
        batch,
        canary,
        entries: Vec::with_capacity(transactions.len()),
        list: Vec::new(),
        ids: unordered::Set::with_capacity(transactions.len()),
    };
    work.window.begin(context.time_ms);
    for transaction in transactions {
        if work.ids.contains(&transaction.facts.id) {
            work.execute().await?;
        }
        work.admit(transaction);
    }
    work.execute().await?;
    Ok(work.entries)
}

struct Work<'a, 'b, A> {
    application: &'a A,
    context: &'a Context,
    window: &'a mut Window,
    batch: &'a mut Batch<'b>,
    canary: Canary,
    entries: Vec<Entry>,
    /// What the application is handed next, with the place of each among the entries.
    list: Vec<(usize, Arc<Transaction>)>,
    /// Their ids.
    ids: unordered::Set<Digest>,
}

impl<A: Application> Work<'_, '_, A> {
    fn admit(&mut self, transaction: Arc<Transaction>) {
        let facts = &transaction.facts;
        let fate = match self.window.judge(facts) {
            // Until the application says otherwise.
            Ok(()) => Fate::Executed,
            Err(Unfit::Untimely) => Fate::Untimely,
            Err(Unfit::Duplicate) => Fate::Duplicate,
        };
        let executable = fate == Fate::Executed;
        let place = self.entries.len();
        self.entries.push(Entry {
            id: facts.id,
            expiry_ms: facts.expiry_ms,
            fate,
        });
        if executable {
            self.ids.insert(facts.id);
            self.list.push((place, transaction));
        }
    }

    async fn execute(&mut self) -> Result<(), Failure> {
        if self.list.is_empty() {
            return Ok(());
        }
        self.ids.clear();
        let (places, list): (Vec<_>, Vec<_>) = self.list.drain(..).unzip();
        let executed = self.application.execute(self.context, &list, self.batch);
        let outcomes = executed.await?;
        assert_eq!(
            outcomes.len(),
            list.len(),
            "the application must answer one outcome for each transaction"
        );
        for (place, outcome) in places.into_iter().zip(outcomes) {
            let entry = &mut self.entries[place];
            match outcome {
                Ok(()) => self.window.insert(entry.id),
                Err(reason) => {
                    if self.canary.is(Canary::ShadowSkipped) {
                        self.window.insert(entry.id);
                    }
                    entry.fate = Fate::invalid(reason);
                }
            }
        }
        Ok(())
    }
}
