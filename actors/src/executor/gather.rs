//! Gets what a block stands for. Each of these goes on until it has what it is for.

use super::{
    message::{Body, Message},
    ports::{Fetcher, Lanes, Store},
};
use crate::{
    chunk::{Chunk, Limits},
    chunk_store::Found,
    reference::Reference,
};
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

/// Gets a body: from the store, or from anybody. While it is fetched the store is asked again now and then: the body may
/// come to it by another way.
pub(super) async fn body<T: Types>(
    clock: Arc<impl Clock>,
    store: impl Store<T::PublicKey>,
    fetcher: impl Fetcher<T::PublicKey>,
    limits: Limits,
    retry: Duration,
    height: u64,
    reference: Reference<T::PublicKey>,
) -> Message<T> {
    let mut fetch = None;
    let body = loop {
        match store.get(reference.clone(), height).await {
            Ok(Found::Body(body)) => {
                let chunk = Chunk::open(body, &reference.payload(), &limits);
                break chunk.map_or(Body::Malformed, Body::Chunk);
            }
            Ok(Found::Absent(_)) => {
                let fetching =
                    fetch.get_or_insert_with(|| fetcher.fetch(reference.clone(), height));
                let patience = pin!(clock.sleep(retry));
                match select(fetching, patience).await {
                    Either::Left((Ok(fetched), _)) => {
                        break fetched.map_or(Body::Malformed, Body::Chunk);
                    }
                    Either::Left((Err(_), patience)) => {
                        fetch = None;
                        patience.await;
                    }
                    Either::Right(_) => {}
                }
            }
            Err(_) => clock.sleep(retry).await,
        }
    };
    Message::Gathered {
        height,
        reference,
        body,
    }
}
