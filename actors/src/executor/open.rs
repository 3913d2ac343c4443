//! Attaches an executor: the genesis, or what an earlier life left.

use super::{
    Error,
    actor::Actor,
    book::Book,
    config::Config,
    core::Core,
    ingress::Inbox,
    lost,
    ports::{Fetcher, Lanes, Outlets, Store},
    progress::Newest,
    record::Record,
    results::Results,
    state::{Start, State as Queue},
};
use crate::{
    Canary,
    application::Application,
    mempool,
    state::{Head, Machine, Prepared, State},
    window::Window,
};
use commonware_parallel::Strategy;
use drystone_engine::types::{self, Digest, Genesis, Tip};
use std::{collections::BTreeMap, sync::Arc};

/// The nouns of an executor.
pub trait Types: Send + Sync + 'static {
    /// The nouns of the lanes.
    type Engine: types::Types;
    /// What executes transactions.
    type Application: Application;
    /// Knows the headers.
    type Lanes: Lanes<Self::Engine>;
    /// Keeps the bodies.
    type Store: Store<PublicKey<Self>>;
    /// Fetches the bodies that are missing.
    type Fetcher: Fetcher<PublicKey<Self>>;
    /// Whom the executor tells.
    type Outlets: Outlets<PublicKey<Self>>;
}

/// Names a sequencer.
pub(super) type PublicKey<T> = <<T as Types>::Engine as types::Types>::PublicKey;

/// Whom an executor asks and tells.
pub struct Ports<T: Types> {
    /// Knows the headers.
    pub lanes: T::Lanes,
    /// Keeps the bodies.
    pub store: T::Store,
    /// Fetches the bodies that are missing.
    pub fetcher: T::Fetcher,
    /// Takes what was executed.
    pub outlets: T::Outlets,
}

/// Attaches an executor to its mailbox. A state without a genesis is given one. The actor is not started yet.
///
/// # Errors
/// If the disk fails, or the records are not those of the state.
pub async fn open<E: Machine, T: Types>(
    context: E,
    config: Config,
    mut state: State<E, <T::Engine as types::Types>::Strategy>,
    application: T::Application,
    ports: Ports<T>,
    inbox: Inbox<T::Engine>,
) -> Result<Actor<E, T>, Error> {
    let mut book = Book::<E, T::Engine>::open(context.child("book"), &config.disk).await?;
    let head = match state.head() {
        Some(head) => head,
        None => {
            let head = first(&config.genesis);
            book = begin(&mut state, book, &application, head).await?;
            head
        }
    };
    let results = state.results().await?.expect("every commit has one");
    let recalled = recall(&book, &config, head, results).await?;
    let lanes: BTreeMap<_, Tip> = state
        .lanes::<PublicKey<T>>()
        .await?
        .into_iter()
        .map(|(sequencer, header)| (sequencer, tip(&header)))
        .collect();
    let mut roots = recalled.roots;
    roots.insert(head.height, state.root().await?);
    let newest = Newest {
        head,
        lanes: Arc::new(lanes.clone()),
        roots: Arc::new(roots),
    };
    let start = Start {
        height: head.height,
        time_ms: head.time_ms,
        lanes,
    };
    let lost = match config.disk.read_at_start {
        true => lost::find(&book, &ports.store, &config, head.height).await?,
        false => Vec::new(),
    };
    let queue = Queue::new(
        Arc::clone(&config.genesis),
        config.ahead_blocks.get(),
        config.ahead_bytes,
        start,
        config.canary,
    );
    let core = Core {
        state,
        book,
        window: recalled.window,
        application,
        store: ports.store.clone(),
        results,
        missing: recalled.missing,
        retention_blocks: config.retention_blocks,
        section_blocks: config.disk.section_blocks.get(),
        canary: config.canary,
    };
    let executed = mempool::Executed {
        time_ms: head.time_ms,
        transactions: recalled.executed,
        lanes: BTreeMap::new(),
    };
    let record = recalled.newest.map(Arc::new);
    let actor = Actor::new(context, config, core, queue, ports, inbox);
    Ok(actor.resuming(newest, executed, record).regaining(lost))
}

/// A header's place in its lane.
fn tip<P: commonware_cryptography::PublicKey>(header: &types::Header<P>) -> Tip {
    use commonware_codec::Encode as _;
    use commonware_cryptography::{Hasher as _, Sha256};
    Tip {
        height: header.height,
        slot: header.slot,
        digest: Sha256::hash(&[&header.encode()]),
    }
}

/// The genesis: what became of nothing, and the first state.
async fn prepare<E: Machine, S: Strategy>(
    state: &State<E, S>,
    application: &impl Application,
    head: Head,
) -> Result<(Results, Prepared<S>), Error> {
    let results = Results {
        previous: Results::root(&head.digest),
        height: 0,
        block: head.digest,
        time_ms: 0,
        entries: Vec::new(),
    };
    let mut batch = state.batch().await?;
    application.genesis(&mut batch).await?;
    batch.conclude(&results.digest());
    let writes = batch.into_writes();
    let prepared = state.prepare(head, writes).await?;
    Ok((results, prepared))
}

/// The root of the first state of a deployment, which its genesis block names. The state given is an empty one, and stays
/// empty.
///
/// # Errors
/// If the disk or the application fails.
pub async fn root<E: Machine, S: Strategy>(
    state: &State<E, S>,
    genesis: &Genesis,
    application: &impl Application,
) -> Result<Digest, Error> {
    let (_, prepared) = prepare(state, application, first(genesis)).await?;
    Ok(prepared.root)
}

/// What the first state says of itself.
const fn first(genesis: &Genesis) -> Head {
    Head {
        height: 0,
        digest: genesis.digest,
        time_ms: 0,
    }
}

/// Writes the genesis. Its record comes first, as that of any block.
async fn begin<E: Machine, T: types::Types>(
    state: &mut State<E, T::Strategy>,
    book: Book<E, T>,
    application: &impl Application,
    head: Head,
) -> Result<Book<E, T>, Error> {
    let (results, prepared) = prepare(state, application, head).await?;
    let record = Record {
        results,
        root: prepared.root,
        headers: Vec::new(),
    };
    let book = book.put(&record).await?;
    state.apply(prepared).await?;
    Ok(book)
}

/// What the records tell of blocks before.
struct Recalled<T: types::Types> {
    window: Window,
    /// The newest block whose record should be here and is not.
    missing: Option<u64>,
    roots: BTreeMap<u64, Digest>,
    /// What was executed and has not expired.
    executed: Vec<(Digest, u64)>,
    newest: Option<Record<T>>,
}

/// Walks the records down from the newest block, each proven by the one above it, for as long as anything in them matters.
async fn recall<E: Machine, T: types::Types>(
    book: &Book<E, T>,
    config: &Config,
    head: Head,
    mut expected: Digest,
) -> Result<Recalled<T>, Error> {
    let span_ms = config.transaction_window_ms;
    let mut past: Vec<(u64, Vec<Digest>)> = Vec::new();
    let (mut roots, mut executed, mut newest) = (BTreeMap::new(), Vec::new(), None);
    let (mut missing, mut covered) = (None, false);
    for height in (0..=head.height).rev() {
        let Some(record) = book.get(height).await? else {
            // Below what the window reaches, what was pruned is missed by nobody.
            missing = (!covered).then_some(height);
            break;
        };
        let found = record.results.digest();
        if found != expected {
            return Err(Error::Foreign {
                height,
                expected,
                found,
            });
        }
        expected = record.results.previous;
        let time_ms = record.results.time_ms;
        let in_window = head.time_ms <= time_ms.saturating_add(span_ms);
        covered |= !in_window;
        if covered && roots.len() >= config.roots_blocks.get() {
            break;
        }
        if roots.len() < config.roots_blocks.get() {
            roots.insert(height, record.root);
        }
        if in_window {
            let live = |it: &(Digest, u64)| head.time_ms <= it.1;
            executed.extend(record.results.executed().filter(live));
            let ids = record.results.executed().map(|(id, _)| id);
            past.push((time_ms, ids.collect()));
        }
        newest = newest.or(Some(record));
    }
    let oldest_ms = past
        .last()
        .map_or(head.time_ms.saturating_add(1), |it| it.0);
    let mut window = match missing {
        Some(_) => Window::since(span_ms, oldest_ms),
        None => Window::new(span_ms),
    };
    for (time_ms, ids) in past.into_iter().rev() {
        window.begin(time_ms);
        if !config.canary.is(Canary::ForgetExecuted) {
            ids.into_iter().for_each(|id| window.insert(id));
        }
    }
    Ok(Recalled {
        window,
        missing,
        roots,
        executed,
        newest,
    })
}
