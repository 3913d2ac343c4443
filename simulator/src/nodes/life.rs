//! One life of a node.

use super::{
    byzantine::{self, Wire},
    deployment::{Block, Deployed, Nouns},
    forger::Forger,
    money,
    observation::{Answer, Fate, Seen},
    options::Role,
    settings::{self, state_config},
    shared::Shared,
    system::Nodes,
    watcher::Watcher,
};
use crate::{Observer, Seat, Stop, draw::Draw, host::Host, lanes::Short};
use bytes::Bytes;
use commonware_codec::{Copying, DecodeExt as _};
use commonware_cryptography::{Hasher as _, Sha256};
use commonware_macros::select;
use commonware_runtime::{Handle, Spawner as _, Supervisor as _};
use commonware_utils::{channel::mpsc, futures::Pool};
use drystone_actors::{
    executor::{self, Record},
    mempool,
    node::{self, Network, Node},
};
use ledger::Account;
use std::{future::pending, sync::Arc};

/// What a node is asked by those who are no nodes.
pub enum Ask {
    /// A client brings a transfer.
    Submit(Bytes),
}

/// Accounts are proven once in so many blocks.
const AUDIT_BLOCKS: u64 = 16;

/// Boots a node, and lives as long as it does.
pub async fn boot(shared: Shared, seat: Seat<Nodes>) -> Result<(), Stop> {
    let Seat {
        node,
        role,
        host,
        network,
        observer,
        ..
    } = seat;
    let draw = Draw::new(shared.seed)
        .split("byzantine")
        .split_at(node as u64);
    let forger = (role == Role::Forges).then(|| Arc::new(Forger::new(&shared, &draw)));
    let life = |prefix| Life {
        shared: shared.clone(),
        node,
        prefix,
        observer: observer.clone(),
        forger: forger.clone(),
    };
    if role == Role::Twins {
        let [one, other] = byzantine::twins(&host, &network, node, &shared.world, &draw);
        let twin = life("twin-").live(host.child("twin"), other);
        let one = life("").live(host.child("node"), one);
        return select! {
            ended = one => ended,
            ended = twin => ended,
        };
    }
    let network = byzantine::network(&network, node, role, &shared.world, &draw);
    life("").live(host, network).await
}

/// A node that runs, and when it ends.
type Opened = (Node<Deployed>, Handle<Result<(), node::Error>>, Watcher);

/// One life, or half of one.
pub struct Life {
    /// What the nodes share.
    pub shared: Shared,
    /// Which node.
    pub node: usize,
    /// The names of its partitions begin with this.
    pub prefix: &'static str,
    /// Reports what it does.
    pub observer: Observer<Seen>,
    /// Forges what it proposes, if it is to.
    pub forger: Option<Arc<Forger>>,
}

impl Life {
    async fn live(self, host: Host, network: Network<Wire>) -> Result<(), Stop> {
        let (node, handle, watcher) = self.open(&host, network).await?;
        let Self {
            shared,
            node: number,
            prefix,
            observer,
            ..
        } = self;
        if !prefix.is_empty() {
            // Nobody is told of the twin.
            return Ok(handle.await??);
        }
        let (door, asks) = mpsc::unbounded_channel();
        let desk = Desk {
            observer,
            accounts: shared.options.accounts + 1,
            watcher,
            node,
        };
        host.child("desk").spawn(move |_| desk.run(asks));
        shared.doors.lock().insert(number, door);
        let ended = handle.await;
        shared.doors.lock().remove(&number);
        Ok(ended??)
    }

    /// Starts the node.
    pub async fn open(&self, host: &Host, network: Network<Wire>) -> Result<Opened, Stop> {
        let genesis = self.genesis(host).await?;
        let Self {
            shared,
            node,
            prefix,
            observer,
            ..
        } = self;
        let clock = Arc::new(host.child("pace"));
        let config = settings::config(self, genesis, clock);
        if !shared.initialised.lock().contains(&(*node, *prefix)) {
            node::initialise::<Deployed>(host, &config.lanes.journal).await?;
            shared.initialised.lock().insert((*node, *prefix));
        }
        let watcher = config.watcher.clone();
        let (running, handle) = node::start(host.child("parts"), config, network).await?;
        if prefix.is_empty() {
            let newest = running.executor.progress().newest();
            let newest = newest.expect("it is there once the node runs");
            observer.report(Seen::Opened {
                height: newest.head.height,
                root: Short::of(&newest.roots[&newest.head.height]),
            });
        }
        Ok((running, handle, watcher))
    }

    /// The block that the chain begins with. Whoever starts first makes the state that it names.
    async fn genesis(&self, host: &Host) -> Result<Arc<Block>, Stop> {
        let shared = &self.shared;
        if let Some(made) = shared.genesis.get() {
            return Ok(made.clone());
        }
        let lanes = &shared.world.genesis;
        let ledger = settings::ledger(&shared.options, lanes);
        let scratch = state_config(&format!("{}genesis", self.prefix));
        let strategy = commonware_parallel::Sequential;
        let host = host.child("genesis");
        let root = node::root::<_, Deployed>(host, scratch, lanes, &ledger, strategy).await?;
        let block = Block::genesis(lanes.digest, shared.start_ms, root);
        let made = shared.genesis.get_or_init(|| Arc::new(block));
        assert_eq!(made.executed.root, root, "every node makes the same state");
        Ok(made.clone())
    }
}

/// Where a node is asked, and what it publishes is read.
struct Desk {
    observer: Observer<Seen>,
    accounts: u16,
    watcher: Watcher,
    node: Node<Deployed>,
}

impl Desk {
    async fn run(self, mut asks: mpsc::UnboundedReceiver<Ask>) {
        let mut records = self.node.executor.subscribe();
        let mut answering = Pool::<'static, ()>::default();
        loop {
            select! {
                ask = asks.recv() => match ask {
                    Some(Ask::Submit(bytes)) => self.submit(bytes, &mut answering),
                    None => return,
                },
                record = futures::StreamExt::next(&mut records) => match record {
                    Some(record) => self.executed(&record, &mut answering),
                    None => return,
                },
                () = completed(&mut answering) => {},
            }
        }
    }

    fn submit(&self, bytes: Bytes, answering: &mut Pool<'static, ()>) {
        let (observer, mempool) = (self.observer.clone(), self.node.mempool.clone());
        answering.push(async move {
            let id = Short::of(&Sha256::hash(&[&bytes]));
            let answer = match mempool.submit(bytes).await {
                mempool::Answer::Accepted => Answer::Accepted,
                mempool::Answer::Duplicate => Answer::Duplicate,
                mempool::Answer::Invalid(_) => Answer::Invalid,
                mempool::Answer::Busy { .. } => Answer::Busy,
                mempool::Answer::Closed => Answer::Closed,
            };
            observer.report(Seen::Answered { id, answer });
        });
    }

    fn executed(&self, record: &Record<Nouns>, answering: &mut Pool<'static, ()>) {
        let results = &record.results;
        let next = (results.height + 1) / self.watcher.epoch_blocks;
        if self.watcher.known.learn(next) {
            self.node.known(next);
        }
        if results.height == 0 {
            return;
        }
        let genesis = &self.watcher.world.genesis;
        let headers = record.headers.iter().map(|it| it.header());
        let live = headers.filter(|it| {
            let expiry_ms = genesis.expiry_ms(it.slot);
            expiry_ms.is_some_and(|it| it >= results.time_ms)
        });
        let live: Vec<_> = live.map(|it| it.payload).collect();
        let entries = results.entries.iter().map(|it| {
            let fate = match it.fate {
                executor::Fate::Executed => Fate::Executed,
                executor::Fate::Duplicate => Fate::Duplicate,
                executor::Fate::Untimely => Fate::Untimely,
                executor::Fate::Invalid(_) => Fate::Invalid,
            };
            (Short::of(&it.id), fate)
        });
        self.observer.report(Seen::Executed {
            height: results.height,
            digest: Short::of(&results.block),
            time_ms: results.time_ms,
            root: Short::of(&record.root),
            headers: record.headers.len() as u64,
            chunks: live.len() as u64,
            bytes: live.iter().map(|it| u64::from(it.bytes)).sum(),
            items: live.iter().map(|it| u64::from(it.items)).sum(),
            results: entries.collect(),
        });
        if results.height.is_multiple_of(AUDIT_BLOCKS) {
            answering.push(audit(
                self.observer.clone(),
                self.node.clone(),
                self.accounts,
            ));
        }
    }
}

/// Proves every account, if no block comes between.
async fn audit(observer: Observer<Seen>, node: Node<Deployed>, accounts: u16) {
    let (mut seen, mut state, mut proven) = (Vec::new(), None, true);
    for account in 0..accounts {
        let address = money::address(account);
        // A node whose disk fails has nothing to say.
        let Ok(Some(it)) = node.state.prove(&address).await else {
            return;
        };
        let here = (it.head.height, it.root);
        if *state.get_or_insert(here) != here {
            return;
        }
        proven &= it.proof.verify(&address, it.value.as_deref(), &it.root);
        let account = match &it.value {
            Some(bytes) => Account::decode(Copying(bytes)).expect("an account"),
            None => Account::default(),
        };
        seen.push((account.balance, account.nonce));
    }
    let (height, root) = state.expect("there is an account");
    observer.report(Seen::Audited {
        height,
        root: Short::of(&root),
        accounts: seen,
        proven,
    });
}

/// The next answer. An empty pool costs a turn of the loop nothing.
async fn completed(answering: &mut Pool<'static, ()>) {
    if answering.is_empty() {
        pending().await
    } else {
        answering.next_completed().await
    }
}
