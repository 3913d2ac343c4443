//! How the chain actor is reached.

use super::{Basis, Lanes};
use crate::{
    block::{Block, Executed, rules::Invalid},
    certificate_pool::Candidate,
};
use commonware_actor::mailbox::{Policy, Sender};
use commonware_utils::channel::oneshot;
use drystone_engine::types::{Certificate, Signed, Types};
use std::{collections::VecDeque, sync::Arc};

/// A block whose validity is asked for.
#[derive(Clone, Debug)]
pub struct Question<T: Types> {
    /// The block.
    pub block: Arc<Block<T>>,
    /// The one that consensus builds it on.
    pub parent: Arc<Block<T>>,
    /// Its epoch.
    pub epoch: u64,
    /// The last inclusions among its ancestors.
    pub lanes: Lanes<T::PublicKey>,
}

/// A block that is wanted.
#[derive(Clone, Debug)]
pub struct Order<T: Types> {
    /// What it is built on.
    pub parent: Arc<Block<T>>,
    /// Its epoch.
    pub epoch: u64,
    /// Whether a leader before this one failed on the same parent.
    pub nullified: bool,
    /// The last inclusions among its ancestors.
    pub lanes: Lanes<T::PublicKey>,
}

/// What is said of a block, for ever.
pub type Judged<T> = Result<(), Invalid<<T as Types>::PublicKey>>;

/// Names a question or an order that is open.
pub type Id = u64;

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message<T: Types> {
    /// A verdict was asked for.
    Asked(Id, Question<T>),
    /// A block was asked for.
    Ordered(Id, Order<T>),
    /// Nobody waits any more.
    Withdrawn(Id),
    /// The next block was finalized.
    Finalized(Arc<Block<T>>),
    /// This node executed a block.
    Executed(Executed),
    /// A validator claims to have executed up to a height.
    Claimed(T::PublicKey, u64),
    /// The engine verified or assembled a certificate.
    Certified(Arc<Certificate<T>>),
    /// The certificates of a block were checked: those that hold, and whether that is all of them.
    Checked(Id, Vec<(Arc<Certificate<T>>, bool)>),
    /// The headers of a lane up to its tip are here, lowest first.
    Walked(Id, T::PublicKey, Vec<Arc<Signed<T>>>),
    /// The certificate pool answered, about a block of this time.
    Selected(Id, u64, Vec<Candidate<T>>),
    /// A time that was waited for has come.
    Woken,
}

/// What other actors of the node send.
pub enum Ingress<T: Types> {
    /// Asks what lanes can be told from.
    Basis(oneshot::Sender<Basis<T::PublicKey>>),
    /// Asks for a verdict.
    Judge(Question<T>, oneshot::Sender<Judged<T>>),
    /// Asks for a block.
    Build(Order<T>, oneshot::Sender<Block<T>>),
    /// See [`Message::Finalized`].
    Finalized(Arc<Block<T>>),
    /// See [`Message::Executed`].
    Executed(Executed),
    /// See [`Message::Claimed`].
    Claimed(T::PublicKey, u64),
    /// See [`Message::Certified`].
    Certified(Arc<Certificate<T>>),
}

/// Certificates and claims that wait beyond a full mailbox. A policy has no configuration, so this is a constant: a few
/// megabytes.
const OVERFLOW_MAX: usize = 1 << 12;

/// Requests are bounded by the orderer's views, finalized and executed blocks by what it leaves unacknowledged: they are
/// kept, for none comes again. A certificate that is dropped is verified again if a block names it, a claim is repeated.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        let lossy = matches!(message, Self::Certified(_) | Self::Claimed(..));
        if !lossy || overflow.len() < OVERFLOW_MAX {
            overflow.push_back(message);
        }
    }
}

/// How other actors reach the chain actor.
pub struct Mailbox<T: Types>(pub(super) Sender<Ingress<T>>);

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Types> Mailbox<T> {
    /// What a [`Walk`](super::Walk) begins with. If the actor ends, the sender is dropped.
    pub fn basis(&self) -> oneshot::Receiver<Basis<T::PublicKey>> {
        let (responder, answer) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Basis(responder));
        answer
    }

    /// Asks whether a block is valid. Answered once that is certain, for ever; drop the receiver to withdraw the question.
    pub fn judge(&self, question: Question<T>) -> oneshot::Receiver<Judged<T>> {
        let (responder, answer) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Judge(question, responder));
        answer
    }

    /// Asks for a block. Answered once there is one to propose; drop the receiver to withdraw the order.
    pub fn build(&self, order: Order<T>) -> oneshot::Receiver<Block<T>> {
        let (responder, answer) = oneshot::channel();
        let _ = self.0.enqueue(Ingress::Build(order, responder));
        answer
    }

    /// The next block was finalized. In the order of heights, each at least once.
    pub fn finalized(&self, block: Arc<Block<T>>) {
        let _ = self.0.enqueue(Ingress::Finalized(block));
    }

    /// This node executed a block. In the order of heights.
    pub fn executed(&self, executed: Executed) {
        let _ = self.0.enqueue(Ingress::Executed(executed));
    }

    /// A validator claims to have executed up to a height.
    pub fn claimed(&self, who: T::PublicKey, height: u64) {
        let _ = self.0.enqueue(Ingress::Claimed(who, height));
    }

    /// The engine verified or assembled a certificate.
    pub fn certified(&self, certificate: Arc<Certificate<T>>) {
        let _ = self.0.enqueue(Ingress::Certified(certificate));
    }
}
