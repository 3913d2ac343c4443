//! Where a node is asked by those who are no nodes: clients, and the doubles around it.

use super::{
    genesis::{Key, Nouns, World},
    observation::{Answer, Seen},
    payment::Payment,
};
use crate::{Observer, lanes::Short};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_macros::select;
use commonware_utils::{channel::mpsc, futures::Pool, sync::Mutex};
use drystone_actors::{
    Reference,
    certificate_pool::{self, Candidate, Selection},
    chunk_store::{self, Found},
    mempool, relay,
};
use std::{future::pending, sync::Arc};

/// What is asked.
pub enum Ask {
    /// A client brings a payment.
    Submit(Bytes),
    /// The chain wants tips for the block of this height.
    Select(u64, Selection<Key>),
    /// A body that the node has not got from the chain.
    Seek(Reference<Key>),
}

/// What pools answered since the chain looked last: the height asked for, and what for it.
pub type Picked = Arc<Mutex<Vec<(u64, Vec<Candidate<Nouns>>)>>>;

/// One life's.
pub struct Door {
    pub world: Arc<World>,
    pub observer: Observer<Seen>,
    pub asks: mpsc::UnboundedReceiver<Ask>,
    pub picked: Picked,
    pub mempool: mempool::Mailbox<Nouns>,
    pub pool: certificate_pool::Mailbox<Nouns>,
    pub store: chunk_store::Mailbox<Key>,
    pub relay: relay::Mailbox<Key>,
}

impl Door {
    /// Answers until the node ends.
    pub async fn run(mut self) {
        let mut answering = Pool::<'static, ()>::default();
        loop {
            select! {
                ask = self.asks.recv() => match ask {
                    Some(ask) => self.answer(ask, &mut answering),
                    None => return,
                },
                () = completed(&mut answering) => {},
            }
        }
    }

    fn answer(&self, ask: Ask, answering: &mut Pool<'static, ()>) {
        let (observer, world) = (self.observer.clone(), self.world.clone());
        match ask {
            Ask::Submit(bytes) => {
                let mempool = self.mempool.clone();
                answering.push(async move {
                    let id = Short::of(&Payment::id(&bytes));
                    let answer = match mempool.submit(bytes).await {
                        mempool::Answer::Accepted => Answer::Accepted,
                        mempool::Answer::Duplicate => Answer::Duplicate,
                        mempool::Answer::Invalid(_) => Answer::Invalid,
                        mempool::Answer::Busy { .. } | mempool::Answer::Closed => Answer::Busy,
                    };
                    observer.report(Seen::Answered { id, answer });
                });
            }
            Ask::Select(height, selection) => {
                let (picked, answer) = (self.picked.clone(), self.pool.select(selection));
                answering.push(async move {
                    if let Ok(candidates) = answer.await {
                        picked.lock().push((height, candidates));
                    }
                });
            }
            Ask::Seek(reference) => {
                let (lane, height) = (world.nodes[&reference.sequencer], reference.place.height);
                let expiry_ms = world.genesis.expiry_ms(reference.place.slot);
                observer.report(Seen::Sought {
                    lane,
                    height,
                    expiry_ms: expiry_ms.expect("a certified chunk expires"),
                });
                let (store, relay) = (self.store.clone(), self.relay.clone());
                answering.push(async move {
                    let body = match store.get(reference.clone(), None).await {
                        Ok(Found::Body(body)) => Some(body),
                        _ => match relay.fetch(reference.clone(), 0).await {
                            Ok(fetched) => fetched.ok().map(|it| it.body().clone()),
                            Err(_) => return,
                        },
                    };
                    let digest = body.map(|it| Sha256::hash(&[&it]));
                    observer.report(Seen::Fetched {
                        lane,
                        height,
                        genuine: digest == Some(reference.place.digest),
                    });
                });
            }
        }
    }
}

/// The next answer. An empty pool costs a turn of the loop nothing.
async fn completed(answering: &mut Pool<'static, ()>) {
    if answering.is_empty() {
        pending().await
    } else {
        answering.next_completed().await
    }
}
