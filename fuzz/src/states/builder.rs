//! The builder's state.

use super::drive;
use crate::nouns::{Deployed, Name, World};
use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use commonware_utils::channel::oneshot;
use drystone_actors::{
    Canary,
    builder::{Config, Effect, Message, Request, State},
    chunk::{Chunk, Limits},
    mempool::{Readiness, Sighting},
    mocks::payment,
    transaction::Transaction,
};
use drystone_engine::{Next, scheme::fixture::Free, types::Payload};
use std::sync::Arc;

/// How long the first transaction waits.
const SEAL_MS: u64 = 50;
/// How long nothing is tried after a failure.
const RETRY_MS: u64 = 20;

/// Who asked last: for which height, from which slot on, and where the answer comes.
struct Asked {
    next: Next,
    payload: oneshot::Receiver<Payload>,
}

/// How far the chunk being built is.
enum Phase {
    Idle,
    /// The mempool was asked.
    Asked,
    /// A body is being made durable.
    Persisting(Chunk, Vec<Arc<Transaction>>),
}

/// Plays the engine, the mempool and the disk of node 0.
struct Driver {
    world: &'static Arc<World<Free>>,
    state: State<Name<Free>>,
    now_ms: u64,
    request: Option<Asked>,
    readiness: Readiness,
    /// Since when something waits, and before when nothing is tried.
    since_ms: u64,
    not_before_ms: u64,
    phase: Phase,
    salt: u64,
}

impl Driver {
    fn new() -> Self {
        let world = Free::world();
        let config = Config {
            me: world.names[0].clone(),
            genesis: world.genesis.clone(),
            chunk: Limits::from(&*world.genesis),
            seal_ms: SEAL_MS,
            retry_ms: RETRY_MS,
            canary: Canary::None,
        };
        Self {
            world,
            state: State::new(config),
            now_ms: 1_000,
            request: None,
            readiness: Readiness::Nothing,
            since_ms: 0,
            not_before_ms: 0,
            phase: Phase::Idle,
            salt: 0,
        }
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=30)?;
        match u.int_in_range(0..=9)? {
            0 | 1 => self.propose(u)?,
            2 => self.request = None,
            3 | 4 => self.ripen(u)?,
            5 | 6 if matches!(self.phase, Phase::Asked) => self.hand(u)?,
            7 | 8 if matches!(self.phase, Phase::Persisting(..)) => self.persist(u.arbitrary()?),
            _ => self.apply(Message::Woken),
        }
        self.check();
        Ok(())
    }

    fn propose(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let next = Next {
            height: u.arbitrary()?,
            slot: if u.ratio(7, 8)? {
                self.now_ms + u.int_in_range(0..=9)?
            } else {
                u.arbitrary()?
            },
        };
        let (payload, receiver) = oneshot::channel();
        self.request = Some(Asked {
            next,
            payload: receiver,
        });
        self.apply(Message::Proposed(Request { next, payload }));
        Ok(())
    }

    fn ripen(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let readiness = *u.choose(&[Readiness::Nothing, Readiness::Some, Readiness::Full])?;
        if self.readiness == Readiness::Nothing {
            self.since_ms = self.now_ms;
        }
        self.readiness = readiness;
        self.apply(Message::Ripened(readiness));
        Ok(())
    }

    /// As many as fit a chunk, or none: others may have taken them meanwhile.
    fn hand(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        let count = u.int_in_range(0..=self.world.genesis.chunk_items_max)?;
        let transactions = (0..count).map(|_| {
            self.salt += 1;
            payment(1, 9_000, self.salt)
        });
        let transactions: Vec<_> = transactions.collect();
        self.since_ms = self.now_ms;
        if transactions.is_empty() {
            self.fail();
        }
        let mut effects = self.effects(Message::Handed(transactions.clone()));
        if let Some(Effect::Persist(chunk)) = effects.pop() {
            let bytes = transactions.iter().map(|it| it.bytes.clone());
            let bytes: Vec<Bytes> = bytes.collect();
            assert_eq!(chunk.transactions(), bytes, "another chunk than was handed");
            self.phase = Phase::Persisting(chunk, transactions);
        } else {
            assert!(transactions.is_empty(), "what was handed is forgotten");
        }
        assert!(effects.is_empty(), "{effects:?}");
        Ok(())
    }

    fn fail(&mut self) {
        self.phase = Phase::Idle;
        self.not_before_ms = self.now_ms + RETRY_MS;
    }

    /// Either the engine is answered, once and with what is durable, or what was taken goes back.
    fn persist(&mut self, durable: bool) {
        let Phase::Persisting(chunk, transactions) =
            std::mem::replace(&mut self.phase, Phase::Idle)
        else {
            unreachable!("a body is on its way")
        };
        let asked = self.request.take_if(|_| durable);
        if asked.is_none() {
            self.fail();
        }
        let mut effects = self.effects(Message::Persisted(durable)).into_iter();
        match (effects.next(), asked) {
            (Some(Effect::Fail), None) => {}
            (
                Some(Effect::Seal {
                    to,
                    payload,
                    sighting,
                }),
                Some(mut asked),
            ) => {
                assert_eq!(payload, chunk.payload(), "another payload than is durable");
                to.send(payload).expect("the newest request is open");
                assert_eq!(asked.payload.try_recv(), Ok(payload));
                let genesis = &self.world.genesis;
                let slot = genesis.slot_at(self.now_ms).max(asked.next.slot);
                let expected = Sighting {
                    sequencer: self.world.names[0].clone(),
                    height: asked.next.height,
                    digest: payload.digest,
                    expiry_ms: genesis.expiry_ms(slot).unwrap_or(u64::MAX),
                    ids: transactions.iter().map(|it| it.facts.id).collect(),
                };
                assert_eq!(sighting, expected);
            }
            (effect, asked) => panic!(
                "a body that is durable: {durable}, wanted: {}, led to {effect:?}",
                asked.is_some()
            ),
        }
        assert!(effects.next().is_none(), "a build ends once");
    }

    /// Applies a message, and takes out the question to the mempool.
    fn effects(&mut self, message: Message) -> Vec<Effect<Name<Free>>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let before = effects.len();
        effects.retain(|it| !matches!(it, Effect::Ask));
        match before - effects.len() {
            0 => {}
            1 => {
                let due = self.due_ms().is_some_and(|it| it <= self.now_ms);
                assert!(due, "the mempool is asked out of turn");
                self.phase = Phase::Asked;
            }
            _ => panic!("the mempool is asked twice"),
        }
        effects
    }

    fn apply(&mut self, message: Message) {
        let effects = self.effects(message);
        assert!(effects.is_empty(), "{effects:?}");
    }

    /// When a chunk is begun.
    fn due_ms(&self) -> Option<u64> {
        if self.request.is_none() || !matches!(self.phase, Phase::Idle) {
            return None;
        }
        let ripe_ms = match self.readiness {
            Readiness::Nothing => return None,
            Readiness::Some => self.since_ms + SEAL_MS,
            Readiness::Full => 0,
        };
        Some(ripe_ms.max(self.not_before_ms))
    }

    fn check(&self) {
        let wake_ms = self.state.wake_ms();
        assert_eq!(wake_ms, self.due_ms(), "the time of the next chunk");
    }
}

/// The builder. No bug is planted in its state: the one there is lies in its actor.
pub fn builder(data: &[u8]) {
    let mut driver = Driver::new();
    drive(data, |u| driver.step(u));
}
