//! The relay's state.

mod meter;
mod steps;
mod wants;

use super::{
    bodies::{body_of, reference},
    drive,
};
use crate::nouns::{Deployed, NODES, Name, World};
use arbitrary::{Result, Unstructured};
use bytes::Bytes;
use commonware_cryptography::Signer as _;
use commonware_utils::{NZU64, NZUsize};
use drystone_actors::{
    Canary, Reference,
    relay::{Config, Effect, Message, Rate, Request, State},
};
use drystone_engine::scheme::fixture::{Fixture as _, Free};
use meter::{Meter, Queue};
use rand::{SeedableRng as _, rngs::StdRng};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};
use wants::{ASKING_MAX, BACKOFF_MIN_MS, TIMEOUT_MS, Wants};

type P = Name<Free>;

/// Heights of each lane that are spoken of.
const HEIGHTS: u64 = 3;
const PATIENCE_MS: u64 = 5;
const BACKOFF_MAX_MS: u64 = 80;
const REQUESTS_MAX: usize = 3;
const READING_MAX: usize = 2;
const SERVING: Rate = Rate {
    bytes_per_second: NZU64!(10_000),
    burst_bytes: 2_000,
};
const PUSHED: Rate = Rate {
    bytes_per_second: NZU64!(10_000),
    burst_bytes: 1_000,
};
/// Alarms after which everything wanted was asked for.
const PATIENT_ALARMS: usize = 400;

/// A body that came: from whom, which it should be, whether it was pushed.
type Came = (P, Reference<P>, Bytes, bool);

/// Plays the actor, the chunk store, the executor and the peers of node 0.
struct Driver {
    world: &'static Arc<World<Free>>,
    state: State<P>,
    /// Everybody there is; the last ones are in no epoch's sets.
    peers: Vec<P>,
    now_ms: u64,
    validators: BTreeSet<P>,
    sequencers: BTreeSet<P>,
    signers: BTreeSet<P>,
    /// Peers that sent a wrong body in this epoch.
    faulty: BTreeSet<P>,
    wants: Wants,
    opening: Vec<Came>,
    pushed: BTreeMap<P, Meter>,
    queues: BTreeMap<P, Queue>,
    reading: usize,
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        let config = Config {
            genesis: world.genesis.clone(),
            me: world.names[0].clone(),
            patience_ms: PATIENCE_MS,
            timeout_ms: TIMEOUT_MS,
            backoff_min_ms: BACKOFF_MIN_MS,
            backoff_max_ms: BACKOFF_MAX_MS,
            asking_max: ASKING_MAX,
            serving: SERVING,
            pushed: PUSHED,
            requests_max: REQUESTS_MAX,
            reading_max: READING_MAX,
            opening_max: 1,
            mailbox_size: NZUsize!(1),
            canary,
        };
        let strangers = Free::identities(8, 2);
        let strangers = strangers.iter().map(|it| it.public_key());
        let mut driver = Self {
            state: State::new(config, StdRng::seed_from_u64(7)),
            peers: world.names.iter().cloned().chain(strangers).collect(),
            world,
            now_ms: 1_000,
            validators: BTreeSet::new(),
            sequencers: BTreeSet::new(),
            signers: BTreeSet::new(),
            faulty: BTreeSet::new(),
            wants: Wants::default(),
            opening: Vec::new(),
            pushed: BTreeMap::new(),
            queues: BTreeMap::new(),
            reading: 0,
        };
        driver.entered(u8::MAX, u8::MAX);
        driver
    }

    fn peer(&self, u: &mut Unstructured<'_>) -> Result<P> {
        Ok(u.choose(&self.peers)?.clone())
    }

    /// A chunk's name; one of some says that it is shorter than it is.
    fn reference(&self, u: &mut Unstructured<'_>) -> Result<Reference<P>> {
        let (lane, height) = (u.int_in_range(0..=NODES - 1)?, u.int_in_range(1..=HEIGHTS)?);
        let mut reference = reference(self.world, lane, height);
        if u.ratio(1, 8)? {
            reference.bytes = 1;
        }
        Ok(reference)
    }

    /// The body that a name means.
    fn body(&self, of: &Reference<P>) -> Bytes {
        body_of(self.world, &of.place.digest).body().clone()
    }

    /// Those of the deployment whose bits are set.
    fn some(&self, bits: u8) -> Vec<P> {
        let names = self.world.names.iter().enumerate();
        let some = names.filter(|(at, _)| bits >> at & 1 == 1);
        some.map(|(_, name)| name.clone()).collect()
    }

    fn entered(&mut self, validators: u8, sequencers: u8) {
        let (validators, sequencers) = (self.some(validators), self.some(sequencers));
        self.validators = validators.iter().cloned().collect();
        self.sequencers = sequencers.iter().cloned().collect();
        self.faulty.clear();
        let sequencers_now = &self.sequencers;
        self.pushed.retain(|it, _| sequencers_now.contains(it));
        let effects = self.apply(Message::Entered {
            validators,
            sequencers,
        });
        assert!(effects.is_empty(), "{effects:?}");
    }

    fn woken(&mut self) -> Vec<Effect<P>> {
        let effects = self.apply(Message::Woken);
        let late = self.state.wake_ms().is_some_and(|it| it <= self.now_ms);
        assert!(!late, "woken for nothing");
        effects
    }

    /// Applies a message. Returns the effects that are no questions and no reads.
    fn apply(&mut self, message: Message<P>) -> Vec<Effect<P>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        let mut others = Vec::new();
        for effect in effects {
            match effect {
                Effect::Ask(peer, request) => self.ask(&peer, &request),
                Effect::Read(peer, request) => self.read(&peer, &request),
                other => others.push(other),
            }
        }
        assert_eq!(self.state.wants(), self.wants.len(), "bodies looked for");
        let queued: usize = self.queues.values().map(|it| it.requests.len()).sum();
        assert_eq!(self.state.queued(), queued, "requests that wait");
        let wake_ms = self.state.wake_ms();
        if queued > 0 && self.reading == 0 {
            assert!(wake_ms.is_some(), "nobody wakes the relay");
        }
        if self.wants.len() > 0 {
            let soon = wake_ms.is_some_and(|it| it <= self.now_ms + BACKOFF_MAX_MS);
            assert!(soon, "nothing is asked for before {wake_ms:?}");
        }
        others
    }

    fn ask(&mut self, peer: &P, request: &Request<P>) {
        self.wants.asked(self.now_ms, peer, request);
        let knows = self.validators.contains(peer)
            || self.signers.contains(peer)
            || request.reference.sequencer == *peer;
        assert!(knows && *peer != self.peers[0], "a stranger is asked");
        assert!(!self.faulty.contains(peer), "a liar is asked");
    }

    /// In order, within the rate, validators first.
    fn read(&mut self, peer: &P, request: &Request<P>) {
        self.reading += 1;
        assert!(self.reading <= READING_MAX, "{} reads", self.reading);
        let now_ms = self.now_ms;
        if !self.validators.contains(peer) {
            let validators = &self.validators;
            let mut queues = self.queues.iter_mut();
            let waits = queues.any(|(it, queue)| {
                validators.contains(it) && queue.next(&SERVING, now_ms).is_some()
            });
            assert!(!waits, "a validator waits behind others");
        }
        let queue = self.queues.get_mut(peer).expect("it asked");
        let cost = queue.next(&SERVING, now_ms).expect("over its rate");
        queue.meter.take(cost);
        assert_eq!(queue.requests.pop_front().as_ref(), Some(request));
    }

    /// Nothing is given up: with time, whatever is wanted is asked for, if there is anybody to ask.
    fn finish(&mut self) {
        let me = &self.peers[0];
        let is_there = |it: &P| it != me && !self.faulty.contains(it);
        let wanted = self.wants.keys();
        let answerable =
            wanted.filter(|it| is_there(&it.sequencer) || self.validators.iter().any(is_there));
        let mut left: BTreeSet<_> = answerable.cloned().collect();
        for _ in 0..PATIENT_ALARMS {
            if left.is_empty() {
                return;
            }
            let wake_ms = self.state.wake_ms().expect("something is wanted");
            // At the end of time, where no alarm can be later, the state would ask for ever.
            let soon = wake_ms <= self.now_ms + BACKOFF_MAX_MS;
            assert!(soon, "given up until {wake_ms}: {left:?}");
            self.now_ms = self.now_ms.max(wake_ms);
            let mut effects = Vec::new();
            self.state.apply(self.now_ms, Message::Woken, &mut effects);
            for effect in effects {
                if let Effect::Ask(_, request) = effect {
                    left.remove(&request.reference);
                }
            }
        }
        assert!(left.is_empty(), "given up: {left:?}");
    }
}

/// The relay without a planted bug.
pub fn relay(data: &[u8]) {
    relay_with(Canary::None, data);
}

/// The relay with one.
pub fn relay_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
    driver.finish();
}
