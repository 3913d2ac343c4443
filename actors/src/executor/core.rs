//! The part that executes. It is handed over to each execution, and comes back from it; after an error it does not.

use super::{
    Error,
    apply::{apply, flatten},
    book::Book,
    message::Ready,
    open::{PublicKey, Types},
    ports::Store as _,
    record::Record,
    results::Results,
};
use crate::{
    Canary,
    application::Context,
    state::{Head, Machine, State},
    window::Window,
};
use drystone_engine::types::{self, Digest, Tip};
use futures::future::join;
use std::{collections::BTreeMap, sync::Arc};

type Strategy<T> = <<T as Types>::Engine as types::Types>::Strategy;

/// See the module.
pub(super) struct Core<E: Machine, T: Types> {
    pub state: State<E, Strategy<T>>,
    pub book: Book<E, T::Engine>,
    pub window: Window,
    pub application: T::Application,
    pub store: T::Store,
    /// The digest of the newest results.
    pub results: Digest,
    /// The newest block whose record should be here and is not.
    pub missing: Option<u64>,
    pub retention_blocks: u64,
    pub section_blocks: u64,
    pub canary: Canary,
}

/// A block that was executed and committed.
pub(super) struct Done<T: Types> {
    pub head: Head,
    pub record: Arc<Record<T::Engine>>,
    pub tips: BTreeMap<PublicKey<T>, Tip>,
}

impl<E: Machine, T: Types> Core<E, T> {
    /// Executes a block. What comes before the commit may happen twice, what comes after it not at all.
    pub async fn execute(mut self, ready: Ready<T::Engine>) -> Result<(Self, Done<T>), Error> {
        let block = &ready.block;
        let head = Head {
            height: block.height,
            digest: block.digest,
            time_ms: block.time_ms,
        };
        if let Some(height) = self.missing
            && !self.window.is_complete(head.time_ms)
        {
            let next = head.height;
            return Err(Error::Incomplete { height, next });
        }
        let context = Context {
            height: head.height,
            time_ms: head.time_ms,
        };
        let transactions = flatten(&self.application, &ready);
        let mut batch = self.state.batch().await?;
        let window = &mut self.window;
        let entries = apply(
            &self.application,
            &context,
            transactions,
            window,
            &mut batch,
            self.canary,
        )
        .await?;
        for header in ready.runs.values().filter_map(|run| run.last()) {
            batch.include(header.header());
        }
        let results = Results {
            previous: self.results,
            height: head.height,
            block: head.digest,
            time_ms: head.time_ms,
            entries,
        };
        self.results = results.digest();
        batch.conclude(&self.results);
        let writes = batch.into_writes();
        let prepared = self.state.prepare(head, writes).await?;
        let headers = ready.runs.values().flatten();
        let record = Record {
            results,
            root: prepared.root,
            headers: headers.map(|it| it.as_ref().clone()).collect(),
        };

        let accepted = self.store.accept(head.height, ready.bodies());
        let (book, accepted) = join(self.book.put(&record), accepted).await;
        self.book = book?;
        match accepted {
            Ok(Ok(())) => {}
            Ok(Err(_)) => return Err(Error::Refused(head.height)),
            Err(_) => return Err(Error::StoreEnded(head.height)),
        }

        self.state.apply(prepared).await?;

        if head.height.is_multiple_of(self.section_blocks) {
            let kept = self.retention_blocks.max(self.window.blocks());
            let lowest = head.height.saturating_sub(kept);
            self.book = self.book.prune(lowest).await?;
        }
        let done = Done {
            head,
            record: Arc::new(record),
            tips: ready.block.tips,
        };
        Ok((self, done))
    }
}
