//! One mempool without its actor: the test is the clock, the application and the network.

use crate::{
    mempool::{
        Activity, Answer, Built, Config, Effect, Executed, Members, Message, Rank, Readiness,
        Refusal, Sighting, State, wire,
    },
    testing::{
        Key, World,
        payments::{Ledger, Payments, config, payment},
    },
    transaction::{Checks, Invalid, Transaction},
};
use commonware_utils::channel::oneshot;
use drystone_engine::types::Digest;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

/// This node; the others are its peers.
pub const ME: usize = 0;
/// Chain time at the start.
pub const GENESIS_MS: u64 = 1_000;
/// An expiry that is not soon.
pub const LATER_MS: u64 = GENESIS_MS + 5_000;

/// What goes to a client.
pub type Reply = oneshot::Receiver<Answer>;

pub struct Node {
    pub world: World,
    pub state: State<Payments>,
    pub now_ms: u64,
    pub chain_ms: u64,
    /// Transactions the application refuses.
    pub refused: BTreeSet<Digest>,
    /// Checks are left unanswered.
    pub hold_checks: bool,
    pub held: Vec<Vec<Arc<Transaction>>>,
    pub ledger: Ledger,
    pub sent: Vec<(Vec<usize>, wire::Message)>,
    pub refusals: Vec<(usize, Refusal)>,
    pub activities: Vec<Activity<Key>>,
    pub readiness: Readiness,
    heights: BTreeMap<usize, u64>,
    submissions: u64,
    clients: BTreeMap<u64, oneshot::Sender<Answer>>,
}

impl Node {
    pub fn new() -> Self {
        Self::with(config())
    }

    /// A node of rank 0 of 4 with 5 peers, in step with the chain.
    pub fn with(config: Config) -> Self {
        let world = World::new();
        let ledger = Ledger::default();
        let state = State::new(config, world.key(ME), ledger.clone(), GENESIS_MS, 7);
        let mut node = Self {
            world,
            state,
            now_ms: 5_000,
            chain_ms: GENESIS_MS,
            refused: BTreeSet::new(),
            hold_checks: false,
            held: Vec::new(),
            ledger,
            sent: Vec::new(),
            refusals: Vec::new(),
            activities: Vec::new(),
            readiness: Readiness::Nothing,
            heights: BTreeMap::new(),
            submissions: 0,
            clients: BTreeMap::new(),
        };
        node.enter(Some(0));
        node.tell(Message::BlocksOnly(false));
        node
    }

    pub fn enter(&mut self, index: Option<u32>) {
        self.tell(Message::Entered(Members {
            peers: (1..6).map(|it| self.world.key(it)).collect(),
            rank: index.map(|index| Rank { index, count: 4 }),
        }));
    }

    fn who(&self, key: &Key) -> usize {
        let found = (0..6).find(|it| self.world.key(*it) == *key);
        found.expect("one of the world's")
    }

    /// Tells the state, and carries out what follows.
    pub fn tell(&mut self, message: Message<Payments>) {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        self.state.audit();
        for effect in effects {
            self.carry_out(effect);
        }
    }

    fn carry_out(&mut self, effect: Effect<Payments>) {
        match effect {
            Effect::Check { transactions, .. } if self.hold_checks => self.held.push(transactions),
            Effect::Check { transactions, .. } => self.answer(&transactions),
            Effect::Answer { client, answer } => {
                let waiting = self.clients.remove(&client.submission);
                let _ = waiting.expect("it is answered once").send(answer);
            }
            Effect::Send { to, message } => {
                let to = to.iter().map(|it| self.who(it)).collect();
                self.sent.push((to, message));
            }
            Effect::Refuse { from, refusal } => {
                self.refusals.push((self.who(&from), refusal));
            }
            Effect::Ripened(readiness) => self.readiness = readiness,
            Effect::Hand {
                batch,
                transactions,
            } => batch.send(transactions).expect("the test waits"),
            Effect::Report(activity) => self.activities.push(activity),
        }
    }

    fn answer(&mut self, transactions: &[Arc<Transaction>]) {
        let check = |it: &Arc<Transaction>| {
            if self.refused.contains(&it.facts.id) {
                return Err(Invalid::because("no money"));
            }
            Ok(())
        };
        let checks: Checks = transactions.iter().map(check).collect();
        self.tell(Message::Checked(checks));
    }

    /// Answers a check that was held. Returns how many were checked.
    pub fn check(&mut self) -> usize {
        let transactions = self.held.remove(0);
        self.answer(&transactions);
        transactions.len()
    }

    pub fn wait(&mut self, ms: u64) {
        self.now_ms += ms;
        self.tell(Message::Woken);
    }

    pub fn submit(&mut self, transaction: &Arc<Transaction>) -> Reply {
        let (client, reply) = oneshot::channel();
        let submission = self.submissions;
        self.submissions += 1;
        self.clients.insert(submission, client);
        self.tell(Message::Submitted {
            submission,
            transactions: vec![Ok(transaction.clone())],
        });
        reply
    }

    /// Submits a payment that is accepted.
    pub fn accept(&mut self, account: u8, expiry_ms: u64, salt: u64) -> Digest {
        let transaction = payment(account, expiry_ms, salt);
        let mut reply = self.submit(&transaction);
        assert_eq!(reply.try_recv(), Ok(Answer::Accepted));
        transaction.facts.id
    }

    /// A peer brings a transaction that it announced and is asked for.
    pub fn fetch(&mut self, from: usize, transaction: &Arc<Transaction>) {
        self.announce(from, &[transaction.facts.id]);
        let (request, _) = self.asked(from).expect("it is asked for");
        self.deliver(from, request, std::slice::from_ref(transaction));
    }

    pub fn announce(&mut self, from: usize, ids: &[Digest]) {
        let (from, ids) = (self.world.key(from), ids.to_vec());
        self.tell(Message::Announced { from, ids });
    }

    pub fn deliver(&mut self, from: usize, request: u64, transactions: &[Arc<Transaction>]) {
        let from = self.world.key(from);
        let transactions = transactions.iter().cloned().map(Ok).collect();
        self.tell(Message::Delivered {
            from,
            request,
            transactions,
        });
    }

    /// The last request to a peer, after what waits for others was sent.
    pub fn asked(&mut self, of: usize) -> Option<(u64, Vec<Digest>)> {
        self.wait(3);
        let mut requests = self.sent.iter().filter_map(|(to, message)| match message {
            wire::Message::Get { request, ids } if *to == [of] => Some((*request, ids.clone())),
            _ => None,
        });
        requests.next_back()
    }

    /// What was announced since the last time, and to whom.
    pub fn announced(&mut self) -> Vec<(Vec<usize>, Vec<Digest>)> {
        self.wait(5);
        let sent = std::mem::take(&mut self.sent).into_iter();
        let announced = sent.filter_map(|(to, message)| match message {
            wire::Message::Announce(ids) => Some((to, ids)),
            _ => None,
        });
        announced.collect()
    }

    /// What the builder is handed.
    pub fn take(&mut self) -> Vec<Digest> {
        let (batch, mut transactions) = oneshot::channel();
        self.tell(Message::Asked(batch));
        let transactions = transactions.try_recv().expect("it is answered at once");
        transactions.iter().map(|it| it.facts.id).collect()
    }

    /// The next chunk of a lane.
    pub fn chunk(&mut self, who: usize, ids: &[Digest], expiry_ms: u64) -> Sighting<Key> {
        let height = self.heights.entry(who).or_default();
        *height += 1;
        Sighting {
            sequencer: self.world.key(who),
            height: *height,
            digest: Digest::from([*height as u8; 32]),
            expiry_ms,
            ids: ids.to_vec(),
        }
    }

    pub fn sight(&mut self, who: usize, ids: &[Digest], expiry_ms: u64) {
        let sighting = self.chunk(who, ids, expiry_ms);
        self.tell(Message::Sighted(sighting));
    }

    pub fn certify(&mut self, who: usize) {
        let (sequencer, height) = (self.world.key(who), self.heights[&who]);
        self.tell(Message::Certified { sequencer, height });
    }

    pub fn seal(&mut self, ids: &[Digest], expiry_ms: u64) {
        let sighting = self.chunk(ME, ids, expiry_ms);
        self.tell(Message::Built(Built::Sealed(sighting)));
    }

    /// A block at a time later than the last, with these transactions and these lanes' newest chunks.
    pub fn execute(&mut self, after_ms: u64, ids: &[(Digest, u64)], lanes: &[usize]) {
        self.chain_ms += after_ms;
        let lanes = lanes.iter();
        let lanes = lanes.map(|it| (self.world.key(*it), self.heights[it]));
        self.tell(Message::Executed(Executed {
            time_ms: self.chain_ms,
            transactions: ids.to_vec(),
            lanes: lanes.collect(),
        }));
    }

    pub fn charged(&self) -> usize {
        self.ledger.charged.lock().len()
    }
}
