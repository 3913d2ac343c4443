//! How the actor is reached.

use super::{Question, Run};
use crate::executor::Lanes;
use commonware_actor::mailbox::{Policy, Sender};
use commonware_utils::channel::oneshot;
use drystone_engine::types::{Tip, Types};
use std::collections::VecDeque;

/// What other actors of the node send.
pub enum Ingress<T: Types> {
    /// The node entered an epoch: its validators, without this node.
    Entered(Vec<T::PublicKey>),
    /// Somebody needs a run.
    Asked {
        /// Which.
        question: Question<T::PublicKey>,
        /// Takes it.
        responder: oneshot::Sender<Run<T>>,
    },
}

/// Questions that wait beyond a full mailbox. A policy has no configuration, so this is a constant.
const OVERFLOW_MAX: usize = 1 << 10;

/// A full mailbox keeps the newest epoch, and questions up to a bound: who asks and is dropped sees its responder end, and
/// asks again.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        match message {
            Self::Entered(_) => {
                overflow.retain(|it| !matches!(it, Self::Entered(_)));
                overflow.push_back(message);
            }
            Self::Asked { .. } if overflow.len() < OVERFLOW_MAX => overflow.push_back(message),
            Self::Asked { .. } => {}
        }
    }
}

/// How other actors reach this one. To the executor it is what knows the lanes.
pub struct Mailbox<T: Types>(pub(super) Sender<Ingress<T>>);

impl<T: Types> Clone for Mailbox<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Types> Mailbox<T> {
    /// The node entered an epoch. These are asked from now on: its validators, without this node.
    pub fn entered(&self, peers: Vec<T::PublicKey>) {
        let _ = self.0.enqueue(Ingress::Entered(peers));
    }

    /// The headers of a lane in the block at a height, as [`Lanes::run`]: answered once they are here, and withdrawn when
    /// the receiver is dropped. If the actor is overloaded or ends, the sender is dropped.
    pub fn run(
        &self,
        height: u64,
        sequencer: T::PublicKey,
        above: Tip,
        to: Tip,
    ) -> oneshot::Receiver<Run<T>> {
        let (responder, run) = oneshot::channel();
        let question = Question {
            height,
            sequencer,
            above,
            to,
        };
        let _ = self.0.enqueue(Ingress::Asked {
            question,
            responder,
        });
        run
    }
}

impl<T: Types> Lanes<T> for Mailbox<T> {
    fn run(
        &self,
        height: u64,
        sequencer: &T::PublicKey,
        above: Tip,
        to: Tip,
    ) -> oneshot::Receiver<Run<T>> {
        Self::run(self, height, sequencer.clone(), above, to)
    }
}
