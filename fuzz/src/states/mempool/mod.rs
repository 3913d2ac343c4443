//! The mempool's state.

mod gossip;
mod steps;

use super::drive;
use crate::nouns::{Deployed, Name, World};
use commonware_cryptography::Signer as _;
use drystone_actors::{
    Canary,
    chunk::Chunk,
    mempool::{
        Activity, Client, Config, Effect, Message, Refusal, Sighting, Source, State, Verdict, wire,
    },
    mocks::{Ledger, Payments, config, payment},
    transaction::Transaction,
};
use drystone_engine::{
    scheme::fixture::{Fixture as _, Free},
    types::Digest,
};
use gossip::Gossip;
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

type P = Name<Free>;

/// Chain time at the start.
const GENESIS_MS: u64 = 1_000;
/// Transactions there are.
const TRANSACTIONS: u64 = 60;
/// No transaction and no chunk lives longer than this beyond the chain's time.
const LIFE_MAX_MS: u64 = 4_000;

/// An accepted transaction.
struct Held {
    source: Source<P>,
    account: [u8; 32],
}

/// Plays the clients, the application, the builder, the executor and the peers of node 0.
struct Driver {
    config: Config,
    state: State<Payments>,
    ledger: Ledger,
    /// Everybody there is; the last ones are never peers.
    names: Vec<P>,
    peers: BTreeSet<P>,
    universe: Vec<Arc<Transaction>>,
    by_id: BTreeMap<Digest, Arc<Transaction>>,
    now_ms: u64,
    chain_ms: u64,
    /// Who waits for an answer.
    clients: BTreeSet<Client>,
    submissions: u64,
    /// Accepted and not left.
    held: BTreeMap<Digest, Held>,
    executed: BTreeSet<Digest>,
    refused: BTreeSet<Digest>,
    check: Option<Vec<Arc<Transaction>>>,
    building: Option<Vec<Digest>>,
    /// This node's live chunks.
    own: Vec<Sighting<P>>,
    heights: BTreeMap<P, u64>,
    ranked: bool,
    blocks_only: bool,
    gossip: Gossip,
    /// Who the message under way is from, if what it says may be a lie, and what it asks for.
    liar: Option<P>,
    asking: Option<(P, u64, Vec<Digest>)>,
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let config = Config { canary, ..config() };
        let world: &'static Arc<World<Free>> = Free::world();
        let strangers = Free::identities(8, 2);
        let strangers = strangers.iter().map(|it| it.public_key());
        let names: Vec<_> = world.names.iter().cloned().chain(strangers).collect();
        let ledger = Ledger::default();
        let payments = (0..TRANSACTIONS).map(|salt| {
            let life_ms = 200 * (salt % 20 + 1);
            payment((salt % 7) as u8, GENESIS_MS + life_ms, salt)
        });
        let universe: Vec<_> = payments.collect();
        let mut driver = Self {
            state: State::new(
                config.clone(),
                names[0].clone(),
                ledger.clone(),
                GENESIS_MS,
                7,
            ),
            config,
            ledger,
            names,
            peers: BTreeSet::new(),
            by_id: universe
                .iter()
                .map(|it| (it.facts.id, it.clone()))
                .collect(),
            universe,
            now_ms: 5_000,
            chain_ms: GENESIS_MS,
            clients: BTreeSet::new(),
            submissions: 0,
            held: BTreeMap::new(),
            executed: BTreeSet::new(),
            refused: BTreeSet::new(),
            check: None,
            building: None,
            own: Vec::new(),
            heights: BTreeMap::new(),
            ranked: false,
            blocks_only: true,
            gossip: Gossip::default(),
            liar: None,
            asking: None,
        };
        driver.enter(u8::MAX, true);
        driver.follow(false);
        driver
    }

    fn apply(&mut self, message: Message<Payments>) {
        self.gossip.end(self.now_ms, None);
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let mut answered = Vec::new();
        for effect in effects {
            match effect {
                Effect::Check { transactions, .. } => {
                    let max = self.config.pool.check_batch_max;
                    assert!((1..=max).contains(&transactions.len()), "a check's size");
                    let before = self.check.replace(transactions);
                    assert!(before.is_none(), "two checks at a time");
                }
                Effect::Answer { client, .. } => {
                    assert!(self.clients.remove(&client), "the client waits");
                }
                Effect::Send { to, message } => self.sent(to, message, &mut answered),
                Effect::Refuse { from, refusal } => self.refuse(&from, &refusal),
                Effect::Ripened(_) => {}
                Effect::Hand {
                    batch,
                    transactions,
                } => batch.send(transactions).expect("the builder waits"),
                Effect::Report(activity) => self.reported(activity),
            }
        }
        if let Some((_, _, mut asked)) = self.asking.take() {
            asked.sort_unstable();
            answered.sort_unstable();
            assert_eq!(answered, asked, "each id is answered once");
        }
        self.liar = None;
        self.gossip.tick(self.now_ms, &self.config.gossip);
        self.check();
    }

    fn sent(&mut self, to: Vec<P>, message: wire::Message, answered: &mut Vec<Digest>) {
        let strangers = to.iter().filter(|it| !self.peers.contains(*it)).count();
        assert!(strangers == 0 && !to.is_empty(), "sent to strangers");
        let size = message.encode().len();
        assert!(size <= self.config.wire.message_size_max(), "{size} bytes");
        let [first, ..] = &to[..] else { unreachable!() };
        match message {
            wire::Message::Announce(ids) => {
                assert!(!self.blocks_only, "announced while following");
                for id in ids {
                    let held = self.held.get(&id).expect("not checked, and announced");
                    let back = to.iter().any(|it| held.source == Source::Peer(it.clone()));
                    assert!(!back, "announced to who brought it");
                }
            }
            wire::Message::Get { request, ids } => {
                assert!(!self.blocks_only && to.len() == 1, "one peer is asked");
                let held = ids.iter().any(|it| self.held.contains_key(it));
                assert!(!held, "asked for what is here");
                let config = &self.config.gossip;
                self.gossip
                    .ask(self.now_ms, config, first.clone(), request, ids);
            }
            wire::Message::Contents { request, contents } => {
                self.replied(first, request);
                for content in contents {
                    let config = &self.config.gossip;
                    self.gossip.serve(config, first, content.len());
                    let mut held = self.held.keys().map(|it| &self.by_id[it]);
                    let served = held.find(|it| it.bytes == content);
                    answered.push(served.expect("not checked, and served").facts.id);
                }
            }
            wire::Message::Missing { request, ids } => {
                self.replied(first, request);
                answered.extend(ids);
            }
        }
    }

    /// Only who asks is answered, about its own request.
    fn replied(&self, to: &P, request: u64) {
        let asking = self
            .asking
            .as_ref()
            .map(|(from, number, _)| (from, *number));
        assert_eq!(asking, Some((to, request)), "answered without a question");
    }

    /// Nobody is accused of what an honest peer may do.
    fn refuse(&self, from: &P, refusal: &Refusal) {
        let lied = self.liar.as_ref() == Some(from);
        assert!(
            lied || !refusal.is_attributable(),
            "an honest peer: {refusal}"
        );
    }

    /// Each is accepted before it leaves, and has a reason to leave.
    fn reported(&mut self, activity: Activity<P>) {
        match activity {
            Activity::Accepted { id, source } => {
                let account = self.by_id[&id].facts.account.0;
                let before = self.held.insert(id, Held { source, account });
                assert!(before.is_none(), "{id} is accepted twice");
            }
            Activity::Left { id, verdict } => {
                let before = self.held.remove(&id);
                assert!(before.is_some(), "{id} left without being accepted");
                let expiry_ms = self.by_id[&id].facts.expiry_ms;
                match verdict {
                    Verdict::Executed => assert!(self.executed.contains(&id)),
                    Verdict::Expired => assert!(expiry_ms <= self.chain_ms),
                    Verdict::Invalid(_) => assert!(self.refused.contains(&id)),
                }
            }
        }
    }

    fn check(&self) {
        self.state.audit();
        let (pool, total) = (&self.config.pool, self.state.total());
        let max = pool.pool_max;
        assert!(total.items <= max.items && total.bytes <= max.bytes);
        assert!(self.held.len() <= total.items, "gone without a verdict");
        let mut shares: BTreeMap<_, usize> = BTreeMap::new();
        for held in self.held.values() {
            *shares.entry((None, Some(held.account))).or_default() += 1;
            if let Source::Peer(peer) = &held.source {
                *shares.entry((Some(peer.clone()), None)).or_default() += 1;
            }
        }
        for ((peer, _), items) in shares {
            let max = peer.map_or(pool.account_max, |_| pool.peer_max);
            assert!(items <= max.items, "{items} of one account or peer");
        }
        let wanted = self.state.wanted();
        assert!(wanted <= self.names.len() * self.config.gossip.wanted_max);
        // Of this node's own lane all is remembered, and it was in the pool: at most one chunk for each.
        let marks_max = self.names.len() * pool.lane_marks_max + max.items.pow(2);
        assert!(self.state.marks() <= marks_max, "chunks remembered");
        let charged = self.ledger.charged.lock().len();
        assert!(charged <= total.items, "{charged} charged");
        assert!(self.state.wake_ms() > self.now_ms, "woken for nothing");
    }

    /// What is charged is being packed, or in a live chunk of this node: else it is given back.
    fn charges(&self) {
        for id in self.ledger.charged.lock().iter() {
            let own = self.own.iter().any(|it| it.ids.contains(id));
            let building = self.building.as_ref().is_some_and(|it| it.contains(id));
            assert!(own || building, "{id} is charged for nothing");
        }
    }

    /// What is handed out is accepted, fits a chunk, and is in no live chunk of this node.
    fn taken(&self, transactions: &[Arc<Transaction>]) -> Vec<Digest> {
        assert!(
            transactions.is_empty() || self.ranked,
            "no lane to pack for"
        );
        if !transactions.is_empty() {
            let bytes = transactions.iter().map(|it| &it.bytes);
            let chunk = Chunk::pack(bytes, &self.config.pool.chunk);
            assert!(chunk.is_ok(), "too much for a chunk");
        }
        let ids: Vec<_> = transactions.iter().map(|it| it.facts.id).collect();
        for id in &ids {
            assert!(self.held.contains_key(id), "{id} is not accepted");
            let packed = self.own.iter().any(|it| it.ids.contains(id));
            assert!(!packed, "{id} is in a live chunk of this node");
        }
        ids
    }

    /// When all has expired, nothing is left of anything, and every client was answered.
    fn finish(&mut self) {
        self.fail();
        while self.check.is_some() {
            self.checked(0);
        }
        self.execute(
            self.chain_ms + 10 * LIFE_MAX_MS,
            Vec::new(),
            BTreeMap::new(),
        );
        // Nobody answers any more: one announcer after another is given up.
        for _ in 0..8 {
            // The longest that one who left many unanswered has.
            self.now_ms += 100 << 6;
            self.apply(Message::Woken);
        }
        assert!(self.held.is_empty(), "gone without a verdict");
        let (total, marks) = (self.state.total().items, self.state.marks());
        assert_eq!((total, marks, self.state.wanted()), (0, 0, 0));
        assert!(self.ledger.charged.lock().is_empty(), "not given back");
        assert_eq!(self.clients, BTreeSet::new(), "a client waits for ever");
    }
}

/// The mempool without a planted bug.
pub fn mempool(data: &[u8]) {
    mempool_with(Canary::None, data);
}

/// The mempool with one.
pub fn mempool_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
    driver.finish();
}
