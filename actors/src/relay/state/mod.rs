//! All decisions of the relay. Pure: no clock, no disk, no await; its draws come from a seed.

mod serve;
mod want;

use super::{Answer, Config, Parcel, Refusal, Request};
use crate::{
    chunk::{self, Chunk},
    reference::Reference,
    serving::{Bucket, OVERHEAD_BYTES, Serving},
};
use bytes::Bytes;
use commonware_cryptography::PublicKey;
use rand::rngs::StdRng;
use std::collections::{BTreeMap, BTreeSet};
use want::{Hint, Want};

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message<P> {
    /// The node entered an epoch.
    Entered {
        /// Its validators.
        validators: Vec<P>,
        /// Its sequencers, and those of the epoch before.
        sequencers: Vec<P>,
    },
    /// A certificate of a lane was verified.
    Certified {
        /// Whose lane.
        sequencer: P,
        /// What it covers.
        height: u64,
        /// Who signed it; nobody if its scheme does not tell.
        signers: Vec<P>,
    },
    /// An own header is on its way: its body follows.
    Sealed(Reference<P>),
    /// The chunk store wants a body.
    Wanted(Reference<P>),
    /// The chunk store has it, or wants it no more.
    Settled(Reference<P>),
    /// The executor needs a body of a finalized block.
    Needed {
        /// Which.
        reference: Reference<P>,
        /// The height of the block.
        height: u64,
    },
    /// The executor needs it no more.
    Dropped(Reference<P>),
    /// A parcel came.
    Delivered {
        /// From whom.
        from: P,
        /// What.
        parcel: Parcel<P>,
    },
    /// A body that came was opened.
    Opened {
        /// From whom.
        from: P,
        /// Which it should be.
        reference: Reference<P>,
        /// What it is.
        chunk: Result<Chunk, chunk::Error>,
        /// Whether its producer sent it unasked.
        pushed: bool,
    },
    /// A peer asks for a body.
    Asked {
        /// Who.
        from: P,
        /// For what.
        request: Request<P>,
    },
    /// A body was read for a peer and sent, or is not here.
    Served {
        /// For whom.
        peer: P,
        /// Bytes that were read because of a wrong claim, and not paid for.
        unpaid_bytes: u64,
    },
    /// The time of [`State::wake_ms`] came.
    Woken,
}

/// What the actor carries out.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<P> {
    /// Ask a peer.
    Ask(P, Request<P>),
    /// Open a body that came, off the loop.
    Open {
        /// From whom.
        from: P,
        /// Which it should be.
        reference: Reference<P>,
        /// The body.
        body: Bytes,
        /// Whether its producer sent it unasked.
        pushed: bool,
    },
    /// Hand a body to the chunk store.
    Store {
        /// Which.
        reference: Reference<P>,
        /// The body, or what is wrong with its form.
        chunk: Result<Chunk, chunk::Error>,
        /// Whether its producer sent it unasked.
        pushed: bool,
    },
    /// Hand a body to whoever waits for it here.
    Give(Reference<P>, Result<Chunk, chunk::Error>),
    /// Read an own body and push it.
    Push(Reference<P>, Vec<P>),
    /// Read a body and send it.
    Read(P, Request<P>),
    /// Tell a peer to ask elsewhere.
    TurnAway(P, Reference<P>),
    /// A peer's message was refused.
    Refuse(P, Refusal),
}

/// See the [module](super).
pub struct State<P> {
    config: Config<P>,
    rng: StdRng,
    now_ms: u64,
    validators: BTreeSet<P>,
    sequencers: BTreeSet<P>,
    /// Peers that sent a wrong body in this epoch: nothing is asked of them.
    faulty: BTreeSet<P>,
    /// The newest certificate of each lane. Bounded by the sequencers of the epoch.
    hints: BTreeMap<P, Hint<P>>,
    /// What is looked for. The chunk store's quotas and the executor's look-ahead bound it.
    wants: BTreeMap<Reference<P>, Want<P>>,
    /// When each is to be asked for next.
    schedule: BTreeSet<(u64, Reference<P>)>,
    /// Requests of the chunk store's without an answer.
    asking: usize,
    /// What sequencers pushed.
    pushed: BTreeMap<P, Bucket>,
    serving: Serving<P, Request<P>>,
}

impl<P: PublicKey> State<P> {
    /// A relay that knows nobody yet.
    ///
    /// # Panics
    /// If the configuration contradicts itself.
    pub fn new(config: Config<P>, rng: StdRng) -> Self {
        config.check();
        Self {
            serving: Serving::new(config.limits()),
            config,
            rng,
            now_ms: 0,
            validators: BTreeSet::new(),
            sequencers: BTreeSet::new(),
            faulty: BTreeSet::new(),
            hints: BTreeMap::new(),
            wants: BTreeMap::new(),
            schedule: BTreeSet::new(),
            asking: 0,
            pushed: BTreeMap::new(),
        }
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<P>, effects: &mut Vec<Effect<P>>) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Entered {
                validators,
                sequencers,
            } => self.entered(validators, sequencers),
            Message::Certified {
                sequencer,
                height,
                signers,
            } => self.certified(sequencer, height, signers),
            Message::Sealed(reference) => {
                let others = self.validators.iter().filter(|it| **it != self.config.me);
                let others: Vec<_> = others.cloned().collect();
                effects.push(Effect::Push(reference, others));
            }
            Message::Wanted(reference) => self.wanted(reference),
            Message::Settled(reference) => self.unwanted(&reference, |it| it.stored = false),
            Message::Needed { reference, height } => self.needed(reference, height, effects),
            Message::Dropped(reference) => self.unwanted(&reference, |it| it.height = None),
            Message::Delivered { from, parcel } => self.delivered(from, parcel, effects),
            Message::Opened {
                from,
                reference,
                chunk,
                pushed,
            } => self.opened(from, reference, chunk, pushed, effects),
            Message::Asked { from, request } => self.asked(from, request, effects),
            Message::Served { peer, unpaid_bytes } => self.served(&peer, unpaid_bytes, effects),
            Message::Woken => {
                self.due(effects);
                self.serve(effects);
            }
        }
    }

    /// When to send [`Message::Woken`].
    pub fn wake_ms(&self) -> Option<u64> {
        let due = self.schedule.first().map(|(at_ms, _)| *at_ms);
        let serve = self.serving.wake_ms();
        due.into_iter().chain(serve).min()
    }

    /// Bodies looked for.
    pub fn wants(&self) -> usize {
        self.wants.len()
    }

    /// Requests of peers that wait, of all peers.
    pub fn queued(&self) -> usize {
        self.serving.queued()
    }

    fn entered(&mut self, validators: Vec<P>, sequencers: Vec<P>) {
        self.validators = validators.into_iter().collect();
        self.sequencers = sequencers.into_iter().collect();
        self.faulty.clear();
        let sequencers = &self.sequencers;
        self.hints.retain(|it, _| sequencers.contains(it));
        self.pushed.retain(|it, _| sequencers.contains(it));
    }

    fn certified(&mut self, sequencer: P, height: u64, signers: Vec<P>) {
        if !self.sequencers.contains(&sequencer) {
            return;
        }
        let hint = Hint { height, signers };
        match self.hints.get_mut(&sequencer) {
            Some(held) if held.height > height => {}
            Some(held) => *held = hint,
            None => {
                self.hints.insert(sequencer, hint);
            }
        }
    }

    /// What came is opened if it was asked for, or may be pushed.
    fn delivered(&mut self, from: P, parcel: Parcel<P>, effects: &mut Vec<Effect<P>>) {
        let Parcel {
            reference,
            answer,
            pushed,
        } = parcel;
        let expected = if pushed {
            let length = match &answer {
                Answer::Body(body) => body.len() as u64,
                Answer::Absent(_) | Answer::Busy => 0,
            };
            self.may_push(&from, &reference, length)
        } else {
            self.answered(&from, &reference)
        };
        if let Err(refusal) = expected {
            effects.push(Effect::Refuse(from, refusal));
            return;
        }
        match answer {
            Answer::Body(body) => effects.push(Effect::Open {
                from,
                reference,
                body,
                pushed,
            }),
            Answer::Absent(_) | Answer::Busy => self.go_on(&reference, effects),
        }
    }

    /// What came is charged, and a little for the work that even an empty one makes.
    fn may_push(&mut self, from: &P, reference: &Reference<P>, length: u64) -> Result<(), Refusal> {
        if reference.sequencer != *from {
            return Err(Refusal::NotProducer(reference.place.height));
        }
        if !self.sequencers.contains(from) {
            return Err(Refusal::NotSequencer);
        }
        if length != u64::from(reference.bytes) {
            return Err(Refusal::OtherBody(reference.place.height));
        }
        let (now_ms, rate) = (self.now_ms, self.config.pushed);
        let bucket = self
            .pushed
            .entry(from.clone())
            .or_insert_with(|| Bucket::full(&rate, now_ms));
        let cost = (OVERHEAD_BYTES + length).min(rate.burst_bytes);
        if bucket.take(&rate, now_ms, cost) {
            Ok(())
        } else {
            Err(Refusal::TooFast)
        }
    }

    fn opened(
        &mut self,
        from: P,
        reference: Reference<P>,
        chunk: Result<Chunk, chunk::Error>,
        pushed: bool,
        effects: &mut Vec<Effect<P>>,
    ) {
        if chunk.as_ref().is_err_and(chunk::Error::is_senders) {
            self.faulty.insert(from.clone());
            effects.push(Effect::Refuse(
                from,
                Refusal::OtherBody(reference.place.height),
            ));
            self.go_on(&reference, effects);
            return;
        }
        let (wanted, needed) = self.arrived(&reference);
        if needed {
            effects.push(Effect::Give(reference.clone(), chunk.clone()));
        }
        // A pushed body may be ahead of its header: the chunk store knows.
        if wanted || (pushed && chunk.is_ok()) {
            effects.push(Effect::Store {
                reference,
                chunk,
                pushed,
            });
        }
    }
}
