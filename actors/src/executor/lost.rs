//! Bodies of executed blocks that the chunk store has no more. They were durable before the state that names them, so no crash
//! loses them: their index was damaged, and cut off where it was. The records say what was there, and the others have it.

use super::{Error, book::Book, config::Config, gather::Seeker, message::Body, ports};
use crate::{reference::Reference, state::Machine};
use commonware_cryptography::PublicKey;
use commonware_runtime::Clock;
use drystone_engine::types::Types;
use futures::{StreamExt as _, stream};
use tracing::{info, warn};

/// Bodies, and the heights of their blocks, lowest first.
pub(super) type Lost<P> = Vec<(u64, Reference<P>)>;

/// Bodies that are fetched at once. A node that serves its peers has more to do.
const AT_ONCE: usize = 8;

/// Asks the store for all that it keeps of executed blocks, and tells the operator what it has lost.
pub(super) async fn find<E: Machine, T: Types>(
    book: &Book<E, T>,
    store: &impl ports::Store<T::PublicKey>,
    config: &Config,
    newest: u64,
) -> Result<Lost<T::PublicKey>, Error> {
    // The genesis has no record.
    let oldest = newest.saturating_sub(config.retention_blocks).max(1);
    let (mut lost, mut unrecorded) = (Vec::new(), 0_u64);
    for height in oldest..=newest {
        let Some(record) = book.get(height).await? else {
            unrecorded += 1;
            continue;
        };
        let time_ms = record.results.time_ms;
        let live = |slot| {
            let expiry_ms = config.genesis.expiry_ms(slot);
            expiry_ms.is_some_and(|it| time_ms <= it)
        };
        let headers = record.headers.iter().map(|it| it.header());
        let kept = headers.filter(|it| live(it.slot)).map(Reference::from);
        let lacking = store.lacking(height, kept.collect()).await;
        let lacking = lacking.map_err(|_| Error::StoreEnded(height))?;
        lost.extend(lacking.into_iter().map(|it| (height, it)));
    }
    if unrecorded > 0 {
        warn!(
            blocks = unrecorded,
            "records of executed blocks are lost: their index was damaged, and cut off; others serve them to those who are behind"
        );
    }
    if let (Some((first, _)), Some((last, _))) = (lost.first(), lost.last()) {
        warn!(
            bodies = lost.len(),
            first,
            last,
            "bodies of executed blocks are lost: their index was damaged, and cut off; they are fetched from the others"
        );
    }
    Ok(lost)
}

/// Fetches them. What has become so old meanwhile that nobody keeps it is given up.
pub(super) async fn regain<C, S, F, P>(seeker: Seeker<C, S, F>, lost: Lost<P>)
where
    C: Clock,
    S: ports::Store<P>,
    F: ports::Fetcher<P>,
    P: PublicKey,
{
    let bodies = lost.len();
    let seeker = &seeker;
    let seek = |(height, reference): (u64, Reference<P>)| async move {
        let body = seeker.seek(height, &reference).await;
        (height, reference, body)
    };
    let mut found = stream::iter(lost).map(seek).buffer_unordered(AT_ONCE);
    let mut regained = 0;
    while let Some((height, reference, body)) = found.next().await {
        if let Some(Body::Chunk(chunk)) = body {
            let chunks = vec![(reference, Some(chunk.body().clone()))];
            // One after the other: of two who ask about a height at once the store answers one alone.
            let kept = seeker.store.accept(height, chunks).await;
            regained += usize::from(matches!(kept, Ok(Ok(()))));
        }
    }
    if regained == bodies {
        info!(bodies, "lost bodies of executed blocks are here again");
    } else {
        warn!(
            bodies,
            regained, "some lost bodies of executed blocks are too old to be had"
        );
    }
}
