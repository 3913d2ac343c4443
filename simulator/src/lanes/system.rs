//! The lane cluster as the simulator drives it.

use super::{
    automaton::Library,
    boot::{self, Life, Shared},
    chain::{self, Chain, Feed, Told},
    genesis::World,
    observation::Seen,
    options::{self, Action, Options, Role},
    property, scenarios,
};
use crate::{
    Goal, Observer, Outcome, Plan, Property, Scenario, Seat, Span, Stamped, Stop, System,
    draw::{Draw, derive},
    network,
    plan::{Fault, Timed},
    property::Kinds,
    time::secs,
    world,
};
use commonware_utils::sync::Mutex;
use drystone_engine::{scheme::fixture::Fixture, wire};
use std::{
    collections::{BTreeMap, BTreeSet},
    ops::RangeInclusive,
    sync::Arc,
    time::SystemTime,
};

/// A cluster of lanes over one scheme.
pub struct Lanes<F: Fixture> {
    shared: Shared<F>,
    chain: Chain<F>,
    roles: Vec<Role>,
    wiped: Vec<(u64, usize)>,
}

/// A scheme's name.
pub trait Named: Fixture {
    /// Of the system over it.
    const SYSTEM: &'static str;
}

impl Named for drystone_engine::scheme::fixture::Free {
    const SYSTEM: &'static str = "lanes-free";
}
impl Named for drystone_engine::scheme::fixture::Ed25519 {
    const SYSTEM: &'static str = "lanes-ed25519";
}
impl Named for drystone_engine::scheme::fixture::Multisig {
    const SYSTEM: &'static str = "lanes-multisig";
}
impl Named for drystone_engine::scheme::fixture::Threshold {
    const SYSTEM: &'static str = "lanes-threshold";
}
impl Named for drystone_engine::scheme::fixture::Secp256r1 {
    const SYSTEM: &'static str = "lanes-secp256r1";
}

impl<F: Named> Lanes<F> {
    /// A run's shared state in a world whose time begins at `start`.
    pub fn starting(plan: &Plan<Self>, observer: Observer<Seen>, start: SystemTime) -> Self {
        let nodes = plan.nodes.len();
        let world = Arc::new(World::<F>::new(plan.options.clone(), nodes, start));
        let seed = derive(plan.streams.nodes, u64::MAX);
        let feeds = (0..nodes).map(|_| Feed::new(world.clone())).collect();
        let mut wiped: Vec<_> = plan
            .faults
            .iter()
            .filter_map(|it| match it.fault {
                Fault::Wipe { node } => Some((it.at_us, node)),
                _ => None,
            })
            .collect();
        wiped.sort_unstable();
        Self {
            chain: Chain::new(world.clone(), observer, seed, nodes),
            shared: Shared {
                world,
                library: Arc::new(Mutex::new(Library::default())),
                engines: Arc::new(Mutex::new(BTreeMap::new())),
                initialised: Arc::new(Mutex::new(BTreeSet::new())),
                certified: Arc::new(Mutex::new(Vec::new())),
                genuine: Arc::new(Mutex::new(BTreeMap::new())),
                feeds: Arc::new(Mutex::new(feeds)),
                seed,
            },
            roles: plan.nodes.iter().map(|node| node.role).collect(),
            wiped,
        }
    }

    /// A node's private key.
    pub fn private_key(&self, node: usize) -> F::PrivateKey {
        self.shared.world.keys[node].clone()
    }

    /// A life of a node, to be lived outside the simulated world.
    pub fn life(&mut self, node: usize, incarnation: u32, observer: Observer<Seen>) -> Life<F> {
        self.shared.engines.lock().remove(&node);
        Life {
            shared: self.shared.clone(),
            node,
            incarnation,
            role: self.roles[node],
            observer,
        }
    }
}

impl<F: Named> System for Lanes<F> {
    const NAME: &'static str = F::SYSTEM;
    const LOAD_UNIT: &'static str = "chunks/s a lane";
    const NODES: RangeInclusive<usize> = 4..=10;

    type Options = Options;
    type Role = Role;
    type Action = Action;
    type Observation = Seen;
    type PublicKey = F::PublicKey;

    fn draw_options(draw: &mut Draw, nodes: usize) -> Options {
        Options::draw(draw, nodes)
    }

    fn draw_byzantine(draw: &mut Draw, _: &Options, _: &Role) -> Option<Role> {
        Some(*draw.pick(&[Role::Equivocates, Role::SendsGarbage]))
    }

    fn draw_actions(draw: &mut Draw, _: &Options, _: usize, span: Span) -> Vec<Timed<Action>> {
        options::draw_actions(draw, span)
    }

    fn is_byzantine(role: &Role) -> bool {
        *role != Role::Honest
    }

    fn faulty_max(options: &Options, _: usize) -> usize {
        let smallest = options.validators.iter().map(Vec::len).min();
        smallest.unwrap_or(0).saturating_sub(1) / 3
    }

    fn liveness_us(options: &Options) -> u64 {
        // An invalid chunk holds its lane until chain time passes its expiry.
        secs(60) + options.window_ms * 1_000
    }

    fn network(_: &Options) -> network::Config {
        let mut config = network::Config::new(0);
        let nodes = u32::try_from(*Self::NODES.end()).expect("small");
        let message_size_max = wire::message_size_max::<super::genesis::Nouns<F>>(nodes);
        config.message_size_max =
            u32::try_from(message_size_max).expect("a message is far below 4 GiB");
        config
    }

    fn load_milli(plan: &Plan<Self>, outcome: &Outcome) -> u64 {
        let lanes = plan.options.sequencers.len() as u64;
        outcome.observed("proposed") * 1_000_000_000 / lanes / outcome.simulated_us.max(1)
    }

    fn options_without_node(options: &Options, node: usize) -> Options {
        options.without(node)
    }

    fn properties(plan: &Plan<Self>) -> Vec<Box<dyn Property<Seen>>> {
        property::all(plan)
    }

    fn goal(plan: &Plan<Self>) -> Box<dyn Goal<Seen>> {
        Box::new(property::LanesAdvance::new(plan))
    }

    fn scenarios() -> Vec<Scenario<Self>> {
        scenarios::named()
    }

    fn new(plan: &Plan<Self>, observer: Observer<Seen>) -> Self {
        Self::starting(plan, observer, world::start())
    }

    fn key(&self, node: usize) -> F::PublicKey {
        self.shared.world.names[node].clone()
    }

    fn start(
        &mut self,
        seat: Seat<Self>,
    ) -> impl Future<Output = Result<(), Stop>> + Send + use<F> {
        // Whatever this life is, the last one's engine is gone.
        self.shared.engines.lock().remove(&seat.node);
        boot::boot(self.shared.clone(), seat)
    }

    fn act(&mut self, at_us: u64, action: &Action) {
        match action {
            Action::Enter { epoch } => self.chain.enter(at_us, *epoch),
            Action::StallChain => self.chain.stall(true),
            Action::ResumeChain => self.chain.stall(false),
            Action::JumpChain { ms } => self.chain.jump(*ms),
        }
    }

    fn kinds() -> Kinds {
        Some(&["locked", "certified"])
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        match &seen.what {
            Seen::Locked {
                lane,
                height,
                slot,
                digest,
                previous,
                ..
            } => {
                self.chain.locked(*lane, *height, *digest, *previous, *slot);
            }
            Seen::Certified { .. } => {
                for (node, lane, tip) in std::mem::take(&mut *self.shared.certified.lock()) {
                    if self.roles[node] == Role::Honest {
                        self.chain.certified(lane, tip);
                    }
                }
            }
            _ => {}
        }
    }

    fn tick(&mut self, now_us: u64) -> Option<u64> {
        while self
            .wiped
            .first()
            .is_some_and(|(at_us, _)| *at_us <= now_us)
        {
            let (_, node) = self.wiped.remove(0);
            self.shared.library.lock().wipe(node);
        }
        let mut feeds = self.shared.feeds.lock();
        for (node, news) in self.chain.tick(now_us) {
            let told = self.chain.tell(&mut feeds[node], news);
            if let Told::Horizon(horizon) = &told {
                self.chain.learned(node, horizon.finalized_ms);
            }
            // A node that is down catches up from its feed when it starts.
            let engine = self.shared.engines.lock().get(&node).cloned();
            match (engine, told) {
                (Some(engine), Told::Horizon(horizon)) => engine.advanced(horizon),
                (Some(engine), Told::Epoch(epoch)) => chain::enter(&engine, epoch),
                (None, _) => {}
            }
        }
        let next_us = self.chain.next_us();
        let wiped = self.wiped.first();
        Some(wiped.map_or(next_us, |(at_us, _)| next_us.min(*at_us)))
    }
}
