//! A small system with one planted bug a scenario, for the tests of sweeps, the command line and the shrinker.

use crate::{
    Fault, Goal, Observation, Observer, Plan, Property, Scenario, Seat, Span, Stamped, Stop,
    System, Violation,
    draw::Draw,
    plan::{Timed, Unsynced},
    property::Verdict,
    time::{millis, secs},
};
use commonware_cryptography::{Signer as _, ed25519};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeSet,
    future::pending,
    sync::atomic::{AtomicU64, Ordering},
};

/// What a world must not have: something it shares with other worlds. The bug of `leak`.
static SHARED: AtomicU64 = AtomicU64::new(0);

/// What is wrong with the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bug {
    Nothing,
    /// A poke of a node that was restarted is answered wrongly.
    Forgets,
    /// After a stall nothing goes on.
    Stalls,
    /// A trip panics.
    Trips,
    /// What is observed depends on other worlds.
    Leaks,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Action {
    Poke(usize),
    Stall,
    Trip,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Seen {
    Started,
    Poked {
        node: usize,
        forgotten: bool,
    },
    Alive {
        value: u64,
    },
    #[expect(dead_code, reason = "a kind of observation that is never reached")]
    Unheard,
}

impl Observation for Seen {
    const KINDS: &'static [&'static str] = &["started", "poked", "alive", "unheard"];

    fn kind(&self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Poked { .. } => "poked",
            Self::Alive { .. } => "alive",
            Self::Unheard => "unheard",
        }
    }
}

pub struct Toy {
    bug: Bug,
    observer: Observer<Seen>,
    restarted: BTreeSet<usize>,
    stalled: bool,
    alive_at_us: u64,
}

impl System for Toy {
    const NAME: &'static str = "toy";
    const LOAD_UNIT: &'static str = "nodes";

    type Options = Bug;
    type Role = ();
    type Action = Action;
    type Observation = Seen;
    type PublicKey = ed25519::PublicKey;

    fn draw_options(_draw: &mut Draw, _nodes: usize) -> Bug {
        Bug::Nothing
    }

    fn draw_actions(
        draw: &mut Draw,
        _options: &Bug,
        nodes: usize,
        span: Span,
    ) -> Vec<Timed<Action>> {
        let mut action = || match draw.below(20) {
            0 => Action::Stall,
            1 => Action::Trip,
            _ => Action::Poke(draw.index(nodes)),
        };
        let actions: Vec<_> = (0..30).map(|_| action()).collect();
        actions
            .into_iter()
            .map(|action| Timed {
                at_us: draw.below(span.safety_us),
                action,
            })
            .collect()
    }

    fn load_milli(plan: &Plan<Self>, _outcome: &crate::Outcome) -> u64 {
        plan.nodes.len() as u64 * 1000
    }

    fn without_node(action: &Action, node: usize) -> Option<Action> {
        match *action {
            Action::Poke(poked) if poked == node => None,
            Action::Poke(poked) if poked > node => Some(Action::Poke(poked - 1)),
            other => Some(other),
        }
    }

    fn properties(_plan: &Plan<Self>) -> Vec<Box<dyn Property<Seen>>> {
        vec![Box::new(Remembers), Box::new(NeverAsked)]
    }

    fn goal(_plan: &Plan<Self>) -> Box<dyn Goal<Seen>> {
        Box::new(GoesOn {
            healed: false,
            reached: false,
        })
    }

    fn scenarios() -> Vec<Scenario<Self>> {
        let bugs = [
            ("sound", Bug::Nothing),
            ("forget", Bug::Forgets),
            ("stall", Bug::Stalls),
            ("trip", Bug::Trips),
            ("leak", Bug::Leaks),
        ];
        bugs.into_iter()
            .map(|(name, bug)| Scenario::swarm(name).options(bug))
            .collect()
    }

    fn new(plan: &Plan<Self>, observer: Observer<Seen>) -> Self {
        Self {
            bug: plan.options,
            observer,
            restarted: BTreeSet::new(),
            stalled: false,
            alive_at_us: 0,
        }
    }

    fn key(&self, node: usize) -> ed25519::PublicKey {
        ed25519::PrivateKey::from_seed(node as u64).public_key()
    }

    fn start(&mut self, seat: Seat<Self>) -> impl Future<Output = Result<(), Stop>> + Send + use<> {
        if seat.incarnation > 0 {
            self.restarted.insert(seat.node);
        }
        async move {
            seat.observer.report(Seen::Started);
            pending().await
        }
    }

    fn act(&mut self, _at_us: u64, action: &Action) {
        match *action {
            Action::Poke(node) => {
                let forgotten = self.bug == Bug::Forgets && self.restarted.contains(&node);
                self.observer.report(Seen::Poked { node, forgotten });
            }
            Action::Stall => self.stalled = self.bug == Bug::Stalls,
            Action::Trip => assert!(self.bug != Bug::Trips, "tripped"),
        }
    }

    fn tick(&mut self, now_us: u64) -> Option<u64> {
        if now_us >= self.alive_at_us && !self.stalled {
            let value = if self.bug == Bug::Leaks {
                SHARED.fetch_add(1, Ordering::Relaxed)
            } else {
                0
            };
            self.observer.report(Seen::Alive { value });
        }
        if now_us >= self.alive_at_us {
            self.alive_at_us = now_us + secs(1);
        }
        Some(self.alive_at_us)
    }
}

struct Remembers;

impl Property<Seen> for Remembers {
    fn name(&self) -> &'static str {
        "remembers"
    }

    fn sentence(&self) -> &'static str {
        "a node that was restarted answers a poke as before"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) -> Verdict {
        match seen.what {
            Seen::Poked {
                node,
                forgotten: true,
            } => Err(Violation {
                node: Some(node),
                message: "the poke was forgotten".into(),
            }),
            Seen::Poked { .. } => Ok(1),
            _ => Ok(0),
        }
    }
}

struct NeverAsked;

impl Property<Seen> for NeverAsked {
    fn name(&self) -> &'static str {
        "never asked"
    }

    fn sentence(&self) -> &'static str {
        "nothing that happens lets this be judged"
    }

    fn observe(&mut self, _seen: &Stamped<Seen>) -> Verdict {
        Ok(0)
    }
}

struct GoesOn {
    healed: bool,
    reached: bool,
}

impl Goal<Seen> for GoesOn {
    fn name(&self) -> &'static str {
        "goes on"
    }

    fn observe(&mut self, seen: &Stamped<Seen>) {
        self.reached |= self.healed && matches!(seen.what, Seen::Alive { .. });
    }

    fn healed(&mut self, _at_us: u64, _healthy: &BTreeSet<usize>) {
        self.healed = true;
    }

    fn reached(&self) -> bool {
        self.reached
    }

    fn missing(&self) -> (Option<usize>, String) {
        (None, "nothing was alive after the faults".into())
    }
}

/// A plan that fails under [`Bug::Forgets`] because of the crash of node 2 at 2 s and the poke of node 2 at 4 s, amid
/// other faults and actions.
pub fn forgetful() -> Scenario<Toy> {
    let crash = |node| Fault::Crash {
        nodes: [node].into(),
        unsynced: Unsynced::Lost,
    };
    (0..12)
        .fold(Scenario::cluster(5).named("forget"), |scenario, number| {
            scenario.act(
                millis(300 * number + 50),
                Action::Poke(usize::from(number % 2 == 0)),
            )
        })
        .options(Bug::Forgets)
        .quiet()
        .during(
            secs(1)..secs(3),
            Fault::Partition {
                isolate: [1, 4].into(),
            },
        )
        .during(secs(2)..secs(3), crash(2))
        .during(secs(3)..secs(4), crash(3))
        .during(secs(4)..secs(5), Fault::Pause { node: 4 })
        .act(secs(1), Action::Poke(2))
        .act(secs(4), Action::Poke(2))
        .act(secs(5), Action::Stall)
}
