//! The cluster as the simulator drives it.

use super::{
    deployment::{Key, Nouns, World},
    goal::Settles,
    life::{self, Ask},
    money,
    observation::{Answer, Seen},
    options::{self, Action, Options, Role},
    property, scenarios, settings,
    shared::Shared,
    wallet::Wallets,
};
use crate::{
    Goal, Observer, Outcome, Plan, Property, Scenario, Seat, Span, Stamped, Stop, System, chunks,
    draw::{Draw, derive},
    lanes::{Committees, Lanes, Short},
    network,
    plan::Timed,
    time::millis,
    world,
};
use bytes::Bytes;
use commonware_cryptography::{Hasher as _, Sha256};
use drystone_engine::scheme::fixture::Free;
use std::{collections::BTreeSet, ops::RangeInclusive, sync::Arc, time::UNIX_EPOCH};

/// A cluster of whole nodes.
pub struct Nodes {
    pub(super) shared: Shared,
    wallets: Wallets,
    healthy: BTreeSet<usize>,
}

impl Nodes {
    fn submit(&mut self, now_us: u64, node: usize, id: Short, bytes: Bytes) {
        let sent = {
            let doors = self.shared.doors.lock();
            let door = doors.get(&node);
            door.is_some_and(|it| it.send(Ask::Submit(bytes)).is_ok())
        };
        if !sent {
            self.wallets.answered(now_us, id, Answer::Down);
        }
    }
}

impl System for Nodes {
    const NAME: &'static str = "nodes";
    const LOAD_UNIT: &'static str = "transfers/s";
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
        let roles = [
            Role::Twins,
            Role::Twins,
            Role::Forges,
            Role::Forges,
            Role::Garbles,
            Role::Withholds,
            Role::Abstains,
        ];
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
        <Lanes<Free> as System>::faulty_max(&options.chunks.lanes, nodes)
    }

    fn liveness_us(options: &Options) -> u64 {
        options::liveness_us(options)
    }

    fn network(options: &Options) -> network::Config {
        let genesis = chunks::genesis(&options.chunks);
        let nodes = options.chunks.lanes.validators.iter().flatten().max();
        let sequencers = options.chunks.lanes.sequencers.iter().max();
        let nodes = nodes.max(sequencers).map_or(0, |it| it + 1);
        let lanes = options.chunks.lanes.clone();
        let world = Arc::new(World::over(genesis, lanes, nodes, world::start()));
        let provider = Arc::new(Committees::<Free, Nouns>::new(world.clone(), None));
        let largest = settings::message_size_max(options, &world.genesis, provider);
        let mut config = network::Config::new(0);
        config.message_size_max = u32::try_from(largest).expect("far below 4 GiB");
        config
    }

    fn load_milli(_: &Plan<Self>, outcome: &Outcome) -> u64 {
        outcome.observed("signed") * 1_000_000_000 / outcome.simulated_us.max(1)
    }

    fn without_node(action: &Action, gone: usize) -> Option<Action> {
        let moved = |node: usize| node - usize::from(node > gone);
        match action {
            Action::Pay(intent) => {
                let mut intent = intent.clone();
                intent.to.retain(|node| *node != gone);
                intent.to.iter_mut().for_each(|node| *node = moved(*node));
                (!intent.to.is_empty()).then_some(Action::Pay(intent))
            }
            Action::Annoy { node, .. } if *node == gone => None,
            Action::Annoy {
                node,
                account,
                noise,
            } => Some(Action::Annoy {
                node: moved(*node),
                account: *account,
                noise: *noise,
            }),
        }
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
        let options = Arc::new(plan.options.clone());
        let genesis = chunks::genesis(&options.chunks);
        let money = money::genesis(&options, genesis.digest);
        let lanes = options.chunks.lanes.clone();
        let world = Arc::new(World::over(genesis, lanes, nodes, start));
        let start_ms = start_ms();
        Self {
            wallets: Wallets::new(
                money,
                options.clone(),
                observer,
                nodes,
                plan.healthy(),
                start_ms,
            ),
            shared: Shared {
                world,
                options,
                genesis: Arc::default(),
                start_ms,
                doors: Arc::default(),
                initialised: Arc::default(),
                newest: Arc::default(),
                included: Arc::default(),
                votes: Default::default(),
                seed: derive(plan.streams.nodes, u64::MAX),
            },
            healthy: plan.healthy(),
        }
    }

    fn key(&self, node: usize) -> Key {
        self.shared.world.names[node].clone()
    }

    fn start(&mut self, seat: Seat<Self>) -> impl Future<Output = Result<(), Stop>> + Send + use<> {
        // Whatever this life is, the last one's actors are gone.
        self.shared.doors.lock().remove(&seat.node);
        life::boot(self.shared.clone(), seat)
    }

    fn act(&mut self, at_us: u64, action: &Action) {
        match action {
            Action::Pay(intent) => {
                for (node, bytes) in self.wallets.want(at_us, intent) {
                    let id = Short::of(&Sha256::hash(&[&bytes]));
                    self.submit(at_us, node, id, bytes);
                }
            }
            Action::Annoy {
                node,
                account,
                noise,
            } => {
                let bytes = self.wallets.annoy(at_us, *account, *noise);
                let id = Short::of(&Sha256::hash(&[&bytes]));
                self.submit(at_us, *node, id, bytes);
            }
        }
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        let Some(node) = seen.node else { return };
        match &seen.what {
            Seen::Answered { id, answer } => self.wallets.answered(seen.at_us, *id, *answer),
            Seen::Executed {
                time_ms, results, ..
            } if self.healthy.contains(&node) => self.wallets.executed(*time_ms, results),
            _ => {}
        }
    }

    fn tick(&mut self, now_us: u64) -> Option<u64> {
        for (node, id, bytes) in self.wallets.due(now_us) {
            self.submit(now_us, node, id, bytes);
        }
        let next_us = self.wallets.next_us();
        next_us.map(|it| it.max(now_us + millis(1)))
    }
}

/// When the run begins, by chain time.
pub fn start_ms() -> u64 {
    let start = world::start().duration_since(UNIX_EPOCH);
    u64::try_from(start.expect("after 1970").as_millis()).expect("a near time")
}
