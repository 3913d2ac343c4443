//! All decisions. Pure: no clock, no disk, no await; its draws come from a seed.

mod serve;
mod want;

use super::{
    Config, Question, Refusal, Run,
    wire::{Answer, Request},
};
use crate::{executor::Record, serving::Serving};
use drystone_engine::types::{Signed, Types};
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use want::Want;

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message<T: Types> {
    /// The node entered an epoch: its validators, without this node.
    Entered(Vec<T::PublicKey>),
    /// Somebody waits for a run, and the engine was asked. The number is new.
    Wanted(u64, Question<T::PublicKey>),
    /// It is here, or nobody waits any more.
    Ended(u64),
    /// A peer answered.
    Answered {
        /// Who.
        from: T::PublicKey,
        /// What.
        answer: Answer,
    },
    /// A peer asks.
    Asked {
        /// Who.
        from: T::PublicKey,
        /// For what.
        request: Request<T::PublicKey>,
    },
    /// A record was read for a peer.
    Read {
        /// Who.
        peer: T::PublicKey,
        /// What it asked.
        request: Request<T::PublicKey>,
        /// The record of the block. `None` if it is not here, or cannot be read now.
        record: Option<Record<T>>,
    },
    /// The time of [`State::wake_ms`] came.
    Woken,
}

/// What the actor carries out.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<T: Types> {
    /// Ask a peer.
    Ask(T::PublicKey, Request<T::PublicKey>),
    /// Hand a run to whoever waits under the number.
    Give(u64, Run<T>),
    /// Read the record of the block that a peer asks about.
    Read(T::PublicKey, Request<T::PublicKey>),
    /// Answer a peer.
    Answer(T::PublicKey, Answer),
    /// A peer's message was refused.
    Refuse(T::PublicKey, Refusal),
}

/// See the [module](super).
pub struct State<T: Types> {
    config: Config,
    rng: StdRng,
    now_ms: u64,
    peers: BTreeSet<T::PublicKey>,
    /// Peers that sent wrong headers in this epoch: nothing is asked of them.
    faulty: BTreeSet<T::PublicKey>,
    /// By number. The executor's look-ahead bounds them.
    wants: BTreeMap<u64, Want<T::PublicKey>>,
    /// When the time of each is over that waits, for whatever.
    schedule: BTreeSet<(u64, u64)>,
    /// Those to be asked for next, by the height of their block.
    ready: BTreeSet<(u64, u64)>,
    /// Those that a peer is asked for.
    asking: usize,
    serving: Serving<T::PublicKey, Request<T::PublicKey>>,
    /// What was read last, by height, the newest at the end.
    recent: VecDeque<(u64, Vec<Signed<T>>)>,
}

impl<T: Types> State<T> {
    /// Knows nobody yet.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(config: Config, rng: StdRng) -> Self {
        config.check::<T>();
        Self {
            serving: Serving::new(config.limits()),
            config,
            rng,
            now_ms: 0,
            peers: BTreeSet::new(),
            faulty: BTreeSet::new(),
            wants: BTreeMap::new(),
            schedule: BTreeSet::new(),
            ready: BTreeSet::new(),
            asking: 0,
            recent: VecDeque::new(),
        }
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Entered(peers) => {
                self.peers = peers.into_iter().collect();
                self.faulty.clear();
            }
            Message::Wanted(number, question) => self.wanted(number, question),
            Message::Ended(number) => self.ended(number),
            Message::Answered { from, answer } => self.answered(from, answer, effects),
            Message::Asked { from, request } => self.asked(from, request, effects),
            Message::Read {
                peer,
                request,
                record,
            } => self.read(peer, request, record, effects),
            Message::Woken => {
                self.due();
                self.serve(effects);
            }
        }
        self.ask(effects);
    }

    /// When to send [`Message::Woken`].
    pub fn wake_ms(&self) -> Option<u64> {
        let due = self.schedule.first().map(|(at_ms, _)| *at_ms);
        let serve = self.serving.wake_ms();
        due.into_iter().chain(serve).min()
    }

    /// Runs that peers are, or will be, asked for.
    pub fn wants(&self) -> usize {
        self.wants.len()
    }

    /// Requests of peers that wait, of all peers.
    pub fn queued(&self) -> usize {
        self.serving.queued()
    }
}
