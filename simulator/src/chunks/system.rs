//! The cluster as the simulator drives it.

use super::{
    chain::{Chain, Headers, News},
    clients::{self, Clients},
    configs::mempool_config,
    door::Ask,
    genesis::{Key, World, genesis},
    goal::Settles,
    node,
    observation::Seen,
    options::{self, Action, Options, Role},
    payment::Payment,
    property, scenarios, seek,
    shared::{Feed, Shared},
};
use crate::{
    Goal, Observer, Outcome, Plan, Property, Scenario, Seat, Span, Stamped, Stop, System,
    draw::{Draw, derive},
    lanes::{self, Short},
    network,
    plan::Timed,
    time::{millis, secs},
    world,
};
use commonware_utils::{channel::watch, sync::Mutex};
use drystone_actors::relay;
use drystone_engine::{Horizon, wire};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
    time::UNIX_EPOCH,
};

/// A cluster of whole left halves of nodes.
pub struct Chunks {
    pub(super) shared: Shared,
    pub(super) chain: Chain,
    clients: Clients,
    observer: Observer<Seen>,
    start_ms: u64,
    pub(super) healthy: BTreeSet<usize>,
    pub(super) seek_us: u64,
    pub(super) seeks: u64,
}

impl Chunks {
    /// Asks a node, if it runs.
    pub(super) fn ask(&self, node: usize, ask: Ask) -> bool {
        let running = self.shared.running.lock();
        running
            .get(&node)
            .is_some_and(|it| it.door.send(ask).is_ok())
    }

    fn submit(&mut self, now_us: u64, node: usize, id: Short, bytes: bytes::Bytes) {
        if !self.ask(node, Ask::Submit(bytes)) {
            let down = super::observation::Answer::Down;
            self.clients.answered(now_us, node, id, down);
        }
    }

    /// A node learns of the chain. One that is down is told when it starts.
    fn tell(&self, node: usize, news: News) {
        let running = self.shared.running.lock().get(&node).cloned();
        match news {
            News::Epoch(epoch) => {
                let mut feeds = self.shared.feeds.lock();
                feeds[node].epoch = feeds[node].epoch.max(epoch);
                if let Some(running) = running {
                    self.shared.enter(&running, epoch);
                }
            }
            News::Finalized(height) => {
                let known = *self.shared.feeds.lock()[node].finalized.borrow();
                if height <= known {
                    return;
                }
                let horizon = self.finalized(node, known, height);
                if let Some(running) = running {
                    running.pool.advanced(horizon.clone());
                    running.store.advanced(horizon.clone());
                    running.engine.advanced(horizon);
                }
                let feeds = self.shared.feeds.lock();
                feeds[node].finalized.send_replace(height);
            }
        }
    }

    /// What is new to a node above one height up to another.
    fn finalized(&self, node: usize, known: u64, height: u64) -> Horizon<Key> {
        let blocks = self.shared.blocks.lock();
        let [known, height] = [known, height].map(|it| usize::try_from(it).expect("few blocks"));
        let mut included = BTreeMap::new();
        for block in &blocks[known..height] {
            self.observer.report(Seen::Lane(lanes::Seen::Told {
                to: node,
                finalized_ms: block.time_ms,
            }));
            included.extend(block.tips());
        }
        Horizon {
            finalized_ms: blocks[height - 1].time_ms,
            included,
            ..Horizon::default()
        }
    }
}

impl System for Chunks {
    const NAME: &'static str = "chunks";
    const LOAD_UNIT: &'static str = "payments/s";
    const NODES: RangeInclusive<usize> = 4..=7;

    type Options = Options;
    type Role = Role;
    type Action = Action;
    type Observation = Seen;
    type PublicKey = Key;

    fn draw_options(draw: &mut Draw, nodes: usize) -> Options {
        Options::draw(draw, nodes)
    }

    fn draw_byzantine(draw: &mut Draw, _: &Options, _: &Role) -> Option<Role> {
        let roles = [Role::Withholds, Role::Lies, Role::Spams, Role::SendsGarbage];
        Some(*draw.pick(&roles))
    }

    fn draw_actions(
        draw: &mut Draw,
        options: &Options,
        nodes: usize,
        span: Span,
    ) -> Vec<Timed<Action>> {
        options::draw_actions(draw, options, nodes, span)
    }

    fn is_byzantine(role: &Role) -> bool {
        *role != Role::Honest
    }

    fn faulty_max(options: &Options, nodes: usize) -> usize {
        <lanes::Lanes<drystone_engine::scheme::fixture::Free> as System>::faulty_max(
            &options.lanes,
            nodes,
        )
    }

    fn liveness_us(options: &Options) -> u64 {
        secs(60) + options.lanes.window_ms * 1_000
    }

    fn network(options: &Options) -> network::Config {
        let mut config = network::Config::new(0);
        let validators = options.lanes.validators.iter().map(Vec::len);
        let validators = u32::try_from(validators.max().unwrap_or(0)).expect("a cluster is small");
        let sizes = [
            wire::message_size_max::<super::genesis::Nouns>(validators),
            relay::message_size_max::<Key>(&genesis(options)),
            mempool_config(options).wire.message_size_max(),
            1 << 10,
        ];
        let largest = sizes.into_iter().max().expect("a few");
        config.message_size_max = u32::try_from(largest).expect("far below 4 GiB");
        config
    }

    fn load_milli(_: &Plan<Self>, outcome: &Outcome) -> u64 {
        outcome.observed("answered") * 1_000_000_000 / outcome.simulated_us.max(1)
    }

    fn without_node(action: &Action, gone: usize) -> Option<Action> {
        let Action::Submit(operation) = action else {
            return Some(action.clone());
        };
        let mut operation = operation.clone();
        operation.to.retain(|node| *node != gone);
        for node in &mut operation.to {
            *node -= usize::from(*node > gone);
        }
        (!operation.to.is_empty()).then_some(Action::Submit(operation))
    }

    fn options_without_node(options: &Options, node: usize) -> Options {
        options.without(node)
    }

    fn properties(plan: &Plan<Self>) -> Vec<Box<dyn Property<Seen>>> {
        property::all(plan)
    }

    fn goal(plan: &Plan<Self>) -> Box<dyn Goal<Seen>> {
        Box::new(Settles::new(plan))
    }

    fn scenarios() -> Vec<Scenario<Self>> {
        scenarios::named()
    }

    fn new(plan: &Plan<Self>, observer: Observer<Seen>) -> Self {
        let start = world::start();
        let nodes = plan.nodes.len();
        let options = &plan.options;
        let world = World::over(genesis(options), options.lanes.clone(), nodes, start);
        let world = Arc::new(world);
        let seed = derive(plan.streams.nodes, u64::MAX);
        let headers = Arc::new(Mutex::new(Headers::default()));
        let honest: Vec<usize> = (0..nodes)
            .filter(|node| plan.nodes[*node].role == Role::Honest)
            .filter(|node| options.lanes.validators_of(0).contains(node))
            .collect();
        let chain = Chain::new(
            world.clone(),
            observer.clone(),
            seed,
            honest,
            headers.clone(),
        );
        let feed = || Feed {
            epoch: 0,
            finalized: watch::Sender::new(0),
            ledger: Arc::default(),
            promises: Arc::default(),
        };
        let start_ms = start_ms();
        let shared = Shared {
            world,
            options: Arc::new(options.clone()),
            payments: Arc::new(clients::payments(plan, start_ms)),
            running: Arc::default(),
            initialised: Arc::default(),
            feeds: Arc::new(Mutex::new((0..nodes).map(|_| feed()).collect())),
            blocks: chain.blocks(),
            headers,
            certified: Arc::default(),
            newest: Arc::default(),
            picked: Arc::default(),
            seed,
        };
        Self {
            shared,
            chain,
            clients: Clients::default(),
            observer,
            start_ms,
            healthy: plan.healthy(),
            seek_us: seek::EVERY_US,
            seeks: 0,
        }
    }

    fn key(&self, node: usize) -> Key {
        self.shared.world.names[node].clone()
    }

    fn start(&mut self, seat: Seat<Self>) -> impl Future<Output = Result<(), Stop>> + Send + use<> {
        // Whatever this life is, the last one's actors are gone, and with them what clients waited for.
        self.shared.running.lock().remove(&seat.node);
        self.clients.died(seat.node);
        node::boot(self.shared.clone(), seat)
    }

    fn act(&mut self, at_us: u64, action: &Action) {
        match action {
            Action::Lane(action) => self.chain.act(at_us, action),
            Action::SeekAll => self.seek_all(),
            Action::Submit(operation) => {
                let options = &self.shared.options;
                let payment = clients::payment(options, self.start_ms, at_us, operation);
                for (node, bytes) in self.clients.come(&payment, operation) {
                    let id = Short::of(&Payment::id(&bytes));
                    self.submit(at_us, node, id, bytes);
                }
            }
        }
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        if let (Seen::Answered { id, answer }, Some(node)) = (&seen.what, seen.node) {
            self.clients.answered(seen.at_us, node, *id, *answer);
        }
    }

    fn tick(&mut self, now_us: u64) -> Option<u64> {
        for (height, candidates) in std::mem::take(&mut *self.shared.picked.lock()) {
            self.chain.answered(height, candidates);
        }
        if let Some((node, height, selection)) = self.chain.tick(now_us) {
            self.ask(node, Ask::Select(height, selection));
        }
        for (node, news) in self.chain.news(now_us) {
            self.tell(node, news);
        }
        for (node, id, bytes) in self.clients.due(now_us) {
            self.submit(now_us, node, id, bytes);
        }
        self.seek(now_us);
        let clients = self.clients.next_us().unwrap_or(u64::MAX);
        Some(
            self.chain
                .next_us()
                .min(clients)
                .min(self.seek_us)
                .max(now_us + millis(1)),
        )
    }
}

/// When the run begins, by chain time.
pub fn start_ms() -> u64 {
    let start = world::start().duration_since(UNIX_EPOCH);
    u64::try_from(start.expect("after 1970").as_millis()).expect("a near time")
}
