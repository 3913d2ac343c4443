//! How the mempool is reached.

use super::{Amount, Answer, Batch, Built, Executed, Ingress, Members, Sighting};
use crate::{
    transaction::{Invalid, Transaction},
    types::Types,
};
use bytes::Bytes;
use commonware_actor::mailbox::Sender;
use commonware_utils::channel::oneshot;
use std::{collections::BTreeMap, sync::Arc};

/// How clients and other actors reach the mempool.
pub struct Mailbox<T: Types> {
    pub(super) sender: Sender<Ingress<T>>,
    pub(super) rules: T::Rules,
    pub(super) retry_after_ms: u64,
}

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            rules: self.rules.clone(),
            retry_after_ms: self.retry_after_ms,
        }
    }
}

impl<T: Types> Mailbox<T> {
    /// Submits a client's transaction. It is read here, in the task of whoever brings it.
    pub async fn submit(&self, bytes: Bytes) -> Answer {
        let transaction = Transaction::decode(&self.rules, bytes);
        let answers = self.submit_all(vec![transaction]).await;
        answers.into_iter().next().expect("an answer for each")
    }

    /// Submits transactions that a client brought together, as far as they could be read: one answer for each, in their
    /// order. They take one message, one turn of the mempool and as few checks as may be.
    pub async fn submit_all(
        &self,
        transactions: Vec<Result<Arc<Transaction>, Invalid>>,
    ) -> Vec<Answer> {
        let (count, busy) = (transactions.len(), self.busy());
        let (responder, answers) = oneshot::channel();
        let _ = self.sender.enqueue(Ingress::Submitted {
            transactions,
            responder,
        });
        answers.await.unwrap_or_else(|_| vec![busy; count])
    }

    const fn busy(&self) -> Answer {
        Answer::Busy {
            retry_after_ms: self.retry_after_ms,
        }
    }

    /// Asks what is held. A dropped sender means "ask again".
    pub fn usage(&self) -> oneshot::Receiver<Amount> {
        let (responder, usage) = oneshot::channel();
        let _ = self.sender.enqueue(Ingress::Usage(responder));
        usage
    }

    /// A chunk's body is here.
    pub fn sighted(&self, sighting: Sighting<T::PublicKey>) {
        let _ = self.sender.enqueue(Ingress::Sighted(sighting));
    }

    /// A lane is certified up to a height.
    pub fn certified(&self, sequencer: T::PublicKey, height: u64) {
        let lanes = BTreeMap::from([(sequencer, height)]);
        let _ = self.sender.enqueue(Ingress::Certified(lanes));
    }

    /// A block was executed.
    pub fn executed(&self, executed: Executed<T::PublicKey>) {
        let _ = self.sender.enqueue(Ingress::Executed(executed));
    }

    /// The set of peers or sequencers changed.
    pub fn entered(&self, members: Members<T::PublicKey>) {
        let _ = self.sender.enqueue(Ingress::Entered(members));
    }

    /// Whether this node follows blocks only.
    pub fn blocks_only(&self, on: bool) {
        let _ = self.sender.enqueue(Ingress::BlocksOnly(on));
    }

    pub(crate) fn asked(&self, batch: Batch) {
        let _ = self.sender.enqueue(Ingress::Asked(batch));
    }

    pub(crate) fn built(&self, built: Built<T::PublicKey>) {
        let _ = self.sender.enqueue(Ingress::Built(built));
    }
}
