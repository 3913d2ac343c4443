//! What a user implements to put a system of actors into the simulated world.

use crate::{
    Outcome,
    draw::Draw,
    host::{Crew, Host},
    network::{self, Network},
    plan::{Plan, Timed},
    property::{Goal, Kinds, Property},
    scenario::Scenario,
    trace::{Observer, Stamped},
};
use commonware_cryptography::PublicKey;
use commonware_runtime::Quota;
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt::Debug, ops::RangeInclusive};

/// What a plan holds: it is cloned, compared, printed, and read back from JSON.
pub trait Data:
    Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static
{
}

impl<T: Clone + Debug + PartialEq + Serialize + DeserializeOwned + Send + Sync + 'static> Data
    for T
{
}

/// A typed event that a node reports to the outside. Properties and goals see nothing else of a node.
pub trait Observation: Clone + Debug + Serialize + Send + 'static {
    /// Every kind there is, so that a campaign can tell which were never reached.
    const KINDS: &'static [&'static str];

    /// The stable name of this one's kind, one of [`Observation::KINDS`].
    fn kind(&self) -> &'static str;
}

/// Why a node stopped: the message of the error it met.
pub type Stop = Box<dyn std::error::Error + Send + Sync>;

/// A system of actors under test. One value of it is one run: it holds what the nodes of a run share outside the
/// network (genesis, keys, doubles of other components), and it is driven by the plan's actions.
///
/// The functions without `self` draw and judge; those with it take part in a run. A run calls them one at a time, never
/// while a node is being polled, and drops the value at the end.
pub trait System: Sized + Send + 'static {
    /// The name under which scenarios and capsules know this system.
    const NAME: &'static str;
    /// What [`System::load_milli`] counts.
    const LOAD_UNIT: &'static str = "observations/s";
    /// How many nodes a swarm draws, unless the scenario says.
    const NODES: RangeInclusive<usize> = 4..=7;

    /// Everything a swarm draws about the system itself: schemes, slots, timeouts.
    type Options: Data;
    /// What a node does. `Default` is an honest node.
    type Role: Data + Default;
    /// A timed step in the plan: a client's operation, a new epoch, a stall of a double's clock.
    type Action: Data;
    /// What nodes report.
    type Observation: Observation;
    /// How nodes know one another on the network.
    type PublicKey: PublicKey;

    /// Draws the options for a swarm, or for a scenario that does not fix them.
    fn draw_options(draw: &mut Draw, nodes: usize) -> Self::Options;

    /// Draws what honest nodes do.
    fn draw_roles(_draw: &mut Draw, _options: &Self::Options, nodes: usize) -> Vec<Self::Role> {
        vec![Self::Role::default(); nodes]
    }

    /// Draws how a node misbehaves, given what it would have done; `None` if the system has no Byzantine role for it.
    fn draw_byzantine(
        _draw: &mut Draw,
        _options: &Self::Options,
        _honest: &Self::Role,
    ) -> Option<Self::Role> {
        None
    }

    /// Draws the actions of a run: the workload, and what happens around it. Sorted by the caller.
    fn draw_actions(
        _draw: &mut Draw,
        _options: &Self::Options,
        _nodes: usize,
        _span: Span,
    ) -> Vec<Timed<Self::Action>> {
        Vec::new()
    }

    /// Whether a node of this role need not keep the protocol. Such a node counts against the budget.
    fn is_byzantine(_role: &Self::Role) -> bool {
        false
    }

    /// How many faulty nodes the system bears: Byzantine, wiped and killed ones together.
    fn faulty_max(_options: &Self::Options, nodes: usize) -> usize {
        nodes.saturating_sub(1) / 3
    }

    /// How far a clock may be off for the system to stay live. Beyond it a swarm goes only in the safety phase.
    fn skew_us_max(_options: &Self::Options) -> u64 {
        100_000
    }

    /// Within how much time after the faults stop the system must converge.
    fn liveness_us(_options: &Self::Options) -> u64 {
        60_000_000
    }

    /// Sizes of the network: the largest message, inboxes. Its seed is the plan's.
    fn network(_options: &Self::Options) -> network::Config {
        network::Config::new(0)
    }

    /// How loaded a run was, in thousandths of [`System::LOAD_UNIT`]. A campaign prints the mean beside how much faster
    /// than the wall clock it ran, because an idle world is always fast.
    fn load_milli(_plan: &Plan<Self>, outcome: &Outcome) -> u64 {
        let observations = outcome
            .observations
            .values()
            .map(|count| u128::from(*count))
            .sum::<u128>();
        let per_second_milli =
            observations * 1_000_000_000 / u128::from(outcome.simulated_us.max(1));
        u64::try_from(per_second_milli).unwrap_or(u64::MAX)
    }

    /// The action in a cluster that lost `node`, where later nodes move down by one; `None` if it concerned that node.
    /// The shrinker asks. A system whose actions name nodes says so here, or no node is ever left out.
    fn without_node(action: &Self::Action, _node: usize) -> Option<Self::Action> {
        Some(action.clone())
    }

    /// The options of a cluster that lost `node`, where later nodes move down by one. A system whose options name nodes
    /// says so here; without it, none of those nodes can be left out.
    fn options_without_node(options: &Self::Options, _node: usize) -> Self::Options {
        options.clone()
    }

    /// What must always hold.
    fn properties(plan: &Plan<Self>) -> Vec<Box<dyn Property<Self::Observation>>>;

    /// What must come about once the faults have stopped.
    fn goal(plan: &Plan<Self>) -> Box<dyn Goal<Self::Observation>>;

    /// The scenarios that the command line knows by name.
    fn scenarios() -> Vec<Scenario<Self>> {
        vec![Scenario::swarm("swarm")]
    }

    /// A run's shared state. `observer` reports in the name of no node.
    fn new(plan: &Plan<Self>, observer: Observer<Self::Observation>) -> Self;

    /// A node's key on the network: distinct, and the same in every run of the plan.
    fn key(&self, node: usize) -> Self::PublicKey;

    /// Boots one node. The node lives as long as the future: an error stops it until the world restarts it, and every
    /// task spawned from the seat's host ends with it. What the node needs from the shared state is taken before the
    /// future is made.
    fn start(
        &mut self,
        seat: Seat<Self>,
    ) -> impl Future<Output = Result<(), Stop>> + Send + use<Self>;

    /// Carries out an action of the plan.
    fn act(&mut self, _at_us: u64, _action: &Self::Action) {}

    /// Which observations concern its doubles: the run does not stop to show it others, though it shows those that concern the
    /// [goal](Self::goal), or all.
    fn kinds() -> Kinds {
        None
    }

    /// Sees what was observed, soon after it was (in the order of the trace). For doubles of other components.
    fn observe(&mut self, _seen: &Stamped<Self::Observation>) {}

    /// Does what is due by now, and says when it is next to be called (later than now). Called at the start, and again
    /// after every action and every observation shown. For doubles with a clock of their own.
    fn tick(&mut self, _now_us: u64) -> Option<u64> {
        None
    }
}

/// How long a run lasts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// The safety phase, from the start.
    pub safety_us: u64,
    /// The most the liveness phase lasts.
    pub liveness_us: u64,
}

/// What one node gets for one life.
pub struct Seat<S: System> {
    /// Its number.
    pub node: usize,
    /// How many lives it had before.
    pub incarnation: u32,
    /// Its key.
    pub key: S::PublicKey,
    /// What it does.
    pub role: S::Role,
    /// Its machine: clock, disk, randomness, tasks. Everything it does must run in tasks spawned from it.
    pub host: Host,
    /// Its place on the network.
    pub network: Port<S::PublicKey>,
    /// Reports what it does.
    pub observer: Observer<S::Observation>,
}

/// Sends on a channel.
pub type Sender<P> = network::Sender<P, Crew>;
/// Receives on a channel.
pub type Receiver<P> = network::Receiver<P, Crew>;
/// Blocks peers and tracks peer sets.
pub type Control<P> = network::Control<P, Crew>;

/// One node's place on the network.
pub struct Port<P: PublicKey> {
    network: Network<P, Crew>,
    node: usize,
}

impl<P: PublicKey> Port<P> {
    pub(crate) const fn new(network: Network<P, Crew>, node: usize) -> Self {
        Self { network, node }
    }

    /// Opens a channel. `quota` limits, for each recipient, what may be sent.
    pub fn register(&self, channel: u64, quota: Quota) -> (Sender<P>, Receiver<P>) {
        self.network.register(self.node, channel, quota)
    }

    /// What blocks peers and tracks peer sets.
    pub fn control(&self) -> Control<P> {
        self.network.control(self.node)
    }

    /// The keys of all nodes, by number.
    pub fn peers(&self) -> &[P] {
        self.network.peers()
    }
}
