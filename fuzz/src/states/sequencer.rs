//! The sequencer engine's state.

use super::{drive, journal::Journal};
use crate::nouns::{Deployed, NODES, Nouns, World};
use arbitrary::{Result, Unstructured};
use drystone_engine::{
    Canary, Horizon, Key, Record,
    scheme::fixture::Free,
    sequencer::{Effect, Message, State, StateConfig},
    types::{Digest, Payload, Tip},
    wire::{Envelope, message_size_max},
};
use std::{collections::BTreeMap, mem, sync::Arc};

type T = Nouns<Free>;

/// Plays the actor, the application, the disk and the peers of node 0.
struct Driver {
    world: &'static Arc<World<Free>>,
    canary: Canary,
    state: State<T>,
    journal: Journal<T>,
    asked: bool,
    now_ms: u64,
    epoch: u64,
    finalized_ms: u64,
    /// Every header that ever left the node, by height.
    published: BTreeMap<u64, Tip>,
    certified: u64,
    executed: u64,
    sealed: u8,
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        Self {
            state: restore(world, canary, 0, &[]),
            journal: Journal::new(Vec::new()),
            world,
            canary,
            asked: false,
            now_ms: 1,
            epoch: 0,
            finalized_ms: 0,
            published: BTreeMap::new(),
            certified: 0,
            executed: 0,
            sealed: 0,
        }
    }

    /// A header that left the node, at or above a height.
    fn seen(&self, u: &mut Unstructured<'_>, from: u64) -> Result<Option<Tip>> {
        let above: Vec<_> = self.published.range(from..).map(|(_, tip)| *tip).collect();
        Ok(if above.is_empty() {
            None
        } else {
            Some(*u.choose(&above)?)
        })
    }

    fn sealed(&mut self) -> Option<Message<T>> {
        if !mem::take(&mut self.asked) {
            return None;
        }
        self.sealed = self.sealed.wrapping_add(1);
        let digest = Digest::from([self.sealed; 32]);
        Some(Message::Sealed(Payload {
            digest,
            bytes: 100,
            items: 1,
        }))
    }

    /// Validators certified something, and the tip manager journaled it.
    fn certified(&mut self, u: &mut Unstructured<'_>) -> Result<Option<Message<T>>> {
        let Some(tip) = self.seen(u, self.certified)? else {
            return Ok(None);
        };
        self.certified = tip.height;
        let certificate = self.world.certificate(self.epoch, 0, tip);
        self.journal.insert(Record::Base {
            sequencer: self.world.names[0].clone(),
            tip,
            certificate: Some(certificate.clone()),
        });
        Ok(Some(Message::Certified(certificate)))
    }

    /// The chain includes what is certified.
    fn advanced(&mut self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        self.finalized_ms += u.int_in_range(0..=300)?;
        let mut horizon = Horizon {
            finalized_ms: self.finalized_ms,
            executed_ms: self.finalized_ms,
            ..Horizon::default()
        };
        let tip = self.seen(u, self.executed.max(1))?;
        if let Some(tip) = tip.filter(|it| it.height <= self.certified) {
            self.executed = tip.height;
            let me = self.world.names[0].clone();
            horizon.included.insert(me.clone(), tip);
            horizon.executed.insert(me, tip);
        }
        Ok(Message::Advanced(horizon))
    }

    fn restarted(&mut self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        let kept = u.int_in_range(0..=self.journal.unsynced())?;
        let records = self.journal.restart(kept, u.arbitrary()?);
        self.state = restore(self.world, self.canary, self.epoch, &records);
        self.asked = false;
        Ok(Message::Ticked)
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=4)?;
        let message = match u.int_in_range(0..=13)? {
            0..=3 => self.sealed(),
            4 => mem::take(&mut self.asked).then_some(Message::Declined),
            5..=7 => {
                let more = u.int_in_range(0..=self.journal.unsynced())?;
                Some(Message::Synced(self.journal.sync(more)))
            }
            8 | 9 => self.certified(u)?,
            10 => {
                self.epoch += u.int_in_range(0..=1)?;
                Some(Message::Entered(self.epoch))
            }
            11 => Some(self.advanced(u)?),
            12 => Some(match u.int_in_range(0..=2)? {
                0 => Message::Ticked,
                1 => Message::Woken,
                _ => Message::Asked {
                    to: self.world.names[1].clone(),
                    from: u.int_in_range(1..=60)?,
                    upto: u.arbitrary()?,
                },
            }),
            _ => Some(self.restarted(u)?),
        };
        if let Some(message) = message {
            self.apply(message);
        }
        Ok(())
    }

    fn apply(&mut self, message: Message<T>) {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        for effect in effects {
            match effect {
                Effect::Propose(_) => {
                    assert!(
                        !mem::replace(&mut self.asked, true),
                        "asked for two chunks at once"
                    );
                }
                Effect::Journal(header) => self.journal.append(Record::Own { header }),
                Effect::Forget(below) => self.journal.forget(Key::Own(0)..=Key::Own(below - 1)),
                Effect::Publish { envelope, .. }
                | Effect::Broadcast(envelope)
                | Effect::Answer { envelope, .. } => self.sent(&envelope),
                Effect::Count(_) => {}
            }
        }
    }

    fn sent(&mut self, envelope: &Envelope<T>) {
        for header in &envelope.headers {
            let tip = header.tip();
            let before = *self.published.entry(tip.height).or_insert(tip);
            assert!(
                before == tip,
                "two headers at height {} left the node",
                tip.height
            );
            if let Some(below) = self.published.get(&(tip.height - 1)) {
                assert!(
                    header.extends(below),
                    "height {} does not extend the last",
                    tip.height
                );
            }
            let is_it = |it: &Record<T>| matches!(it, Record::Own { header: own } if own == header);
            let durable = self.journal.durable().iter().any(is_it);
            assert!(
                durable,
                "height {} left the node before it was durable",
                tip.height
            );
        }
        let size = envelope.encode(self.state.committee()).len();
        let size_max = message_size_max::<T>(NODES as u32);
        assert!(
            size <= size_max,
            "a message of {size} bytes, at most {size_max}"
        );
    }
}

fn restore(
    world: &'static Arc<World<Free>>,
    canary: Canary,
    epoch: u64,
    records: &[Record<T>],
) -> State<T> {
    let config = StateConfig {
        genesis: world.genesis.clone(),
        key: world.keys[0].clone(),
        me: world.names[0].clone(),
        epochs: world.epochs(epoch, 0),
        certificate_linger_ms: 3,
        canary,
    };
    State::restore(config, records)
}

/// The sequencer engine without a planted bug.
pub fn sequencer(data: &[u8]) {
    sequencer_with(Canary::None, data);
}

/// The sequencer engine with one.
pub fn sequencer_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    driver.apply(Message::Ticked);
    drive(data, |u| driver.step(u));
}
