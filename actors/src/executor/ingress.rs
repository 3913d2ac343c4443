//! How the executor is reached. The mailbox is there before the executor: what is finalized meanwhile waits in it.

use super::{config::Config, finalized::Finalized, progress::Progress, record::Record};
use crate::{block::Block, orderer::Sink};
use commonware_actor::mailbox::{self, Policy, Receiver, Sender};
use commonware_runtime::Metrics;
use commonware_utils::{
    acknowledgement::Exact,
    channel::{oneshot, ring},
};
use drystone_engine::types::Types;
use std::{collections::VecDeque, num::NonZeroUsize, sync::Arc};

/// Takes the records of executed blocks.
pub type Subscriber<T> = ring::Sender<Arc<Record<T>>>;

/// What other actors of the node, and clients, send.
pub enum Ingress<T: Types> {
    /// A block was finalized.
    Finalized(Finalized<T::PublicKey>),
    /// Somebody wants to know of executed blocks.
    Subscribed(Subscriber<T>),
    /// Somebody asks for the record of a block.
    Asked {
        /// Its height.
        height: u64,
        /// Takes the record, or that there is none.
        responder: oneshot::Sender<Option<Record<T>>>,
    },
}

/// Questions that wait beyond a full mailbox. A policy has no configuration, so this is a constant.
const OVERFLOW_MAX: usize = 1 << 10;

/// A full mailbox keeps finalized blocks: the orderer hands out a bounded number without an acknowledgement, and they
/// are small. Of the rest, what fits a bound: who is dropped sees its channel end.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        if matches!(message, Self::Finalized(_)) || overflow.len() < OVERFLOW_MAX {
            overflow.push_back(message);
        }
    }
}

/// Where an executor, once it is attached, takes its messages from.
pub struct Inbox<T: Types> {
    pub(super) receiver: Receiver<Ingress<T>>,
    pub(super) progress: Progress<T::PublicKey>,
}

/// The mailbox of an executor that may be attached later.
pub fn mailbox<T: Types>(context: impl Metrics, config: &Config) -> (Mailbox<T>, Inbox<T>) {
    let (sender, receiver) = mailbox::new(context.child("mailbox"), config.mailbox_size);
    let progress = Progress::default();
    let mailbox = Mailbox {
        sender,
        progress: progress.clone(),
        events_max: config.events_max,
    };
    (mailbox, Inbox { receiver, progress })
}

/// How other actors, and clients, reach the executor.
#[derive(Clone)]
pub struct Mailbox<T: Types> {
    sender: Sender<Ingress<T>>,
    progress: Progress<T::PublicKey>,
    events_max: NonZeroUsize,
}

impl<T: Types> Mailbox<T> {
    /// A block was finalized.
    pub fn finalized(&self, finalized: Finalized<T::PublicKey>) {
        let _ = self.sender.enqueue(Ingress::Finalized(finalized));
    }

    /// The records of executed blocks from now on, beginning with the newest one, which after a restart may be known
    /// already. Who is slow loses the oldest, sees that a height is missing, and may ask for it.
    pub fn subscribe(&self) -> ring::Receiver<Arc<Record<T>>> {
        let (subscriber, records) = ring::channel(self.events_max);
        let _ = self.sender.enqueue(Ingress::Subscribed(subscriber));
        records
    }

    /// The record of an executed block. `None` if it is not executed yet, or below the retention limit. A dropped sender
    /// means "ask again".
    pub fn record(&self, height: u64) -> oneshot::Receiver<Option<Record<T>>> {
        let (responder, record) = oneshot::channel();
        let _ = self.sender.enqueue(Ingress::Asked { height, responder });
        record
    }

    /// How far this node has executed.
    pub const fn progress(&self) -> &Progress<T::PublicKey> {
        &self.progress
    }
}

impl<T: Types> Sink<T> for Mailbox<T> {
    fn finalized(&mut self, block: Arc<Block<T>>, acknowledgement: Exact) {
        Self::finalized(self, Finalized::new(&block, acknowledgement));
    }

    /// What is final and not here is the orderer's to get.
    fn newest(&mut self, _: u64) {}
}
