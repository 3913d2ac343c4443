//! Gets what a block stands for. Each of these goes on until it has what it is for.

use super::{
    message::{Body, Message},
    ports::{Fetcher, Lanes, Store},
};
use crate::{
    chunk::{Chunk, Limits},
    chunk_store::{Absence, Found, Stored},
    reference::Reference,
};
use commonware_cryptography::PublicKey;
use commonware_runtime::Clock;
use drystone_engine::types::{Signed, Tip, Types};
use futures::future::{Either, select};
use std::{pin::pin, sync::Arc, time::Duration};

/// Gets the headers of a lane between two places.
pub(super) async fn walk<T: Types>(
    clock: Arc<impl Clock>,
    lanes: impl Lanes<T>,
    retry: Duration,
    height: u64,
    sequencer: T::PublicKey,
    (above, to): (Tip, Tip),
) -> Message<T> {
    let run: Vec<Arc<Signed<T>>> = loop {
        match lanes.run(height, &sequencer, above, to).await {
            Ok(run) => break run,
            Err(_) => clock.sleep(retry).await,
        }
    };
    Message::Walked {
        height,
        sequencer,
        run,
    }
}

/// How bodies are got.
#[derive(Clone)]
pub(super) struct Seeker<C, S, F> {
    pub clock: Arc<C>,
    pub store: S,
    pub fetcher: F,
    pub limits: Limits,
    pub retry: Duration,
}

impl<C: Clock, S, F> Seeker<C, S, F> {
    /// Gets a body: from the store, or from anybody. While it is fetched the store is asked again now and then: the body may
    /// come to it by another way. `None` once its block is so old that nobody keeps it.
    pub async fn seek<P: PublicKey>(&self, height: u64, reference: &Reference<P>) -> Option<Body>
    where
        S: Store<P>,
        F: Fetcher<P>,
    {
        let mut fetch = None;
        loop {
            match self.store.get(reference.clone(), height).await {
                Ok(Found::Body(Stored::Chunk(chunk))) => return Some(Body::Chunk(chunk)),
                Ok(Found::Body(Stored::Body(body))) => {
                    let chunk = Chunk::open(body, &reference.payload(), &self.limits);
                    return Some(chunk.map_or(Body::Malformed, Body::Chunk));
                }
                Ok(Found::Absent(Absence::Pruned)) => return None,
                Ok(Found::Absent(_)) => {
                    let fetching =
                        fetch.get_or_insert_with(|| self.fetcher.fetch(reference.clone(), height));
                    let patience = pin!(self.clock.sleep(self.retry));
                    match select(fetching, patience).await {
                        Either::Left((Ok(fetched), _)) => {
                            return Some(fetched.map_or(Body::Malformed, Body::Chunk));
                        }
                        Either::Left((Err(_), patience)) => {
                            fetch = None;
                            patience.await;
                        }
                        Either::Right(_) => {}
                    }
                }
                Err(_) => self.clock.sleep(self.retry).await,
            }
        }
    }

    /// Gets a body of a block that is to be executed.
    pub async fn body<T: Types>(self, height: u64, reference: Reference<T::PublicKey>) -> Message<T>
    where
        S: Store<T::PublicKey>,
        F: Fetcher<T::PublicKey>,
    {
        let body = self.seek(height, &reference).await;
        Message::Gathered {
            height,
            reference,
            body: body.expect("no block is let go before it is executed"),
        }
    }
}
