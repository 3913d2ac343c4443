//! All decisions of the mempool. Pure: no clock, no disk, no await.
//!
//! | file | decides |
//! |---|---|
//! | `pool.rs` | what is held, in what order, and how much of it is whose |
//! | `checks.rs` | what the application is asked to check, and what follows |
//! | `chunks.rs` | which live chunks hold what |
//! | `departures.rs` | what leaves, and with what verdict |
//! | `packing.rs` | what may be packed, and when |
//! | `fetches.rs` | who is asked for what is announced but not here |
//! | `announcements.rs` | what is announced to whom |
//! | `gossip.rs` | the dialog with peers |

mod announcements;
mod checks;
mod chunks;
mod departures;
mod fetches;
mod gossip;
mod packing;
mod peers;
mod pool;
mod window;

use super::{
    Activity, Answer, Batch, Client, Config, Executed, Members, Message, Rank, Readiness, Refusal,
    Source, Verdict, wire,
};
use crate::{
    transaction::{Invalid, Transaction},
    types::Types,
};
use announcements::Announcements;
use checks::Check;
use chunks::Chunks;
use drystone_engine::types::Digest;
use fetches::Fetches;
use peers::{Known, Peers};
use pool::{Place, Pool};
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
};
use window::Window;

/// What the actor carries out.
pub enum Effect<T: Types> {
    /// Have the application check these, and report. One check is under way at a time.
    Check {
        /// Whether they were checked before.
        again: bool,
        /// Which.
        transactions: Vec<Arc<Transaction>>,
    },
    /// Answer a client.
    Answer {
        /// Whom.
        client: Client,
        /// What.
        answer: Answer,
    },
    /// Send a message to peers.
    Send {
        /// Whom.
        to: Vec<T::PublicKey>,
        /// What.
        message: wire::Message,
    },
    /// What a peer sent was refused.
    Refuse {
        /// Whose.
        from: T::PublicKey,
        /// Why.
        refusal: Refusal,
    },
    /// Tell the builder how much may be packed.
    Ripened(Readiness),
    /// Hand transactions to the builder.
    Hand {
        /// Where.
        batch: Batch,
        /// What.
        transactions: Vec<Arc<Transaction>>,
    },
    /// Report what happened.
    Report(Activity<T::PublicKey>),
}

type Effects<T> = Vec<Effect<T>>;

/// One node's mempool.
pub struct State<T: Types> {
    config: Config,
    admission: T::Admission,
    pool: Pool<T::PublicKey>,
    chunks: Chunks<T::PublicKey>,
    peers: Peers<T::PublicKey>,
    known: Known<T::PublicKey>,
    fetches: Fetches<T::PublicKey>,
    announcements: Announcements,
    executed: Window,
    /// Refused by the state of the newest block: not fetched again before the next one.
    refused: BTreeSet<Digest>,
    /// Who waits for the verdict on which arrival.
    clients: BTreeMap<u64, Client>,
    unchecked: VecDeque<u64>,
    /// Where the round of checks after a block stands.
    recheck: Option<u64>,
    /// The next check is one of that round, even if there is something new.
    recheck_turn: bool,
    /// A block came since that round began.
    recheck_again: bool,
    check: Option<Check>,
    /// What was taken for the chunk being built.
    building: Option<Vec<u64>>,
    /// When the last chunk of this node was made, by the local clock.
    sealed_ms: Option<u64>,
    rank: Option<Rank>,
    blocks_only: bool,
    readiness: Readiness,
    now_ms: u64,
    chain_ms: u64,
}

impl<T: Types> State<T> {
    /// Starts empty, following blocks only until told otherwise, at a chain time and before any peer is known.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(
        config: Config,
        me: T::PublicKey,
        admission: T::Admission,
        chain_ms: u64,
        first_request: u64,
    ) -> Self {
        config.check();
        let chunks = Chunks::new(me, config.pool.lane_marks_max);
        let executed = Window::new(config.pool.executed_max);
        Self {
            config,
            admission,
            pool: Pool::new(),
            chunks,
            peers: Peers::new(),
            known: Known::new(),
            fetches: Fetches::new(first_request),
            announcements: Announcements::new(),
            executed,
            refused: BTreeSet::new(),
            clients: BTreeMap::new(),
            unchecked: VecDeque::new(),
            recheck: None,
            recheck_turn: false,
            recheck_again: false,
            check: None,
            building: None,
            sealed_ms: None,
            rank: None,
            blocks_only: true,
            readiness: Readiness::Nothing,
            now_ms: 0,
            chain_ms,
        }
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Effects<T>) {
        // A clock that is set back stands still here.
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Submitted {
                submission,
                transactions,
            } => {
                for (index, transaction) in transactions.into_iter().enumerate() {
                    let client = Client { submission, index };
                    self.submitted(transaction, client, effects);
                }
            }
            Message::Announced { from, ids } => self.announced(from, &ids, effects),
            Message::Requested { from, request, ids } => {
                self.requested(from, request, &ids, effects);
            }
            Message::Missed { from, request, ids } => {
                self.missed(from, request, &ids, effects);
            }
            Message::Delivered {
                from,
                request,
                transactions,
            } => self.delivered(from, request, transactions, effects),
            Message::Checked(checks) => self.checked(checks, effects),
            Message::Sighted(sighting) => self.sighted(sighting),
            Message::Certified { sequencer, height } => {
                let changed = self.chunks.certified(&sequencer, height, self.chain_ms);
                self.settle(&changed);
            }
            Message::Executed(executed) => self.executed(executed, effects),
            Message::Entered(members) => self.entered(members),
            Message::BlocksOnly(on) => self.follow(on),
            Message::Asked(batch) => self.hand(batch, effects),
            Message::Built(built) => self.built(built),
            Message::Woken => {}
        }
        self.wake(effects);
        self.check(effects);
        self.ripen(effects);
    }

    /// When there is something to do by the clock.
    pub fn wake_ms(&self) -> u64 {
        let times = [self.pool.wake_ms(), self.fetches.wake_ms()];
        let times = times.into_iter().flatten();
        times.fold(self.announcements.wake_ms(), u64::min)
    }

    /// Transactions held and their bytes.
    pub const fn total(&self) -> super::Amount {
        self.pool.total()
    }

    /// Ids wanted from peers.
    pub fn wanted(&self) -> usize {
        self.fetches.len()
    }

    /// Transactions remembered because live chunks hold them.
    pub fn marks(&self) -> usize {
        self.chunks.marks()
    }

    fn submitted(
        &mut self,
        transaction: Result<Arc<Transaction>, Invalid>,
        client: Client,
        effects: &mut Effects<T>,
    ) {
        let answer = match transaction {
            Err(invalid) => Some(Answer::Invalid(invalid)),
            Ok(_) if self.config.blocks_only => Some(Answer::Closed),
            Ok(_) if self.blocks_only => Some(self.busy()),
            Ok(transaction) => match self.admit(&transaction, &Source::Client) {
                Ok(()) => {
                    let id = transaction.facts.id;
                    self.fetches.forget(&id, &mut self.peers);
                    let arrival = self.insert(transaction, Source::Client);
                    self.clients.insert(arrival, client);
                    return;
                }
                Err(answer) => Some(answer),
            },
        };
        effects.extend(answer.map(|answer| Effect::Answer { client, answer }));
    }

    fn busy(&self) -> Answer {
        let retry_after_ms = self.config.pool.retry_after_ms;
        Answer::Busy { retry_after_ms }
    }

    /// Whether the transaction is known here already.
    fn knows(&self, id: &Digest) -> bool {
        self.pool.arrival(id).is_some() || self.executed.contains(id)
    }

    /// Whether a transaction may be kept, as far as that can be said without the application.
    fn admit(
        &self,
        transaction: &Transaction,
        source: &Source<T::PublicKey>,
    ) -> Result<(), Answer> {
        let config = &self.config.pool;
        let facts = &transaction.facts;
        if self.knows(&facts.id) {
            return Err(Answer::Duplicate);
        }
        let invalid = |reason| Err(Answer::Invalid(Invalid::because(reason)));
        if transaction.bytes.len() > config.transaction_bytes_max {
            return invalid("the transaction is too large");
        }
        if facts.expiry_ms <= self.chain_ms {
            return invalid("the transaction has expired");
        }
        if self.is_early(transaction) {
            return Err(self.busy());
        }
        if facts.expiry_ms - self.chain_ms > config.lifetime_max_ms {
            return invalid("the transaction expires too far in the future");
        }
        if !self.pool.has_room(transaction, source, config) {
            return Err(self.busy());
        }
        Ok(())
    }

    /// Whether it expires too far beyond chain time, but not beyond the clock. Chain time that stood still, in a stall or before
    /// the first block, is no fault of whoever signed it: the next block says.
    fn is_early(&self, transaction: &Transaction) -> bool {
        let ahead_ms = |now_ms| transaction.facts.expiry_ms.saturating_sub(now_ms);
        let lifetime_max_ms = self.config.pool.lifetime_max_ms;
        ahead_ms(self.chain_ms) > lifetime_max_ms && ahead_ms(self.now_ms) <= lifetime_max_ms
    }

    fn insert(&mut self, transaction: Arc<Transaction>, source: Source<T::PublicKey>) -> u64 {
        let ready_ms = match source {
            Source::Client => self.now_ms,
            Source::Peer(_) => self
                .now_ms
                .saturating_add(self.takeover_ms(&transaction.facts.id)),
        };
        let arrival = self.pool.insert(transaction, source, ready_ms);
        self.unchecked.push_back(arrival);
        arrival
    }

    fn entered(&mut self, members: Members<T::PublicKey>) {
        self.rank = members.rank;
        for gone in self.peers.replace(members.peers) {
            self.fetches.left(&gone, &mut self.peers);
        }
    }

    fn follow(&mut self, on: bool) {
        self.blocks_only = on || self.config.blocks_only;
        if self.blocks_only {
            self.fetches.clear(&mut self.peers);
        }
    }

    /// Adds every sum up again.
    ///
    /// # Panics
    /// If one has drifted.
    #[cfg(any(test, feature = "mocks"))]
    pub fn audit(&self) {
        self.pool.audit();
        assert!(self.known.len() <= self.pool.total().items);
        assert!(self.clients.len() <= self.pool.total().items);
    }
}
