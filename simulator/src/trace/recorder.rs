//! Where everything that happens in a run arrives, in order.
//!
//! The recorder hashes each event, has the properties judge it, counts it, and queues those observations that concern
//! the system or the goal. It holds no runtime context and calls nothing but properties, so it may be called from
//! anywhere, also from under the network's lock.

use super::{Event, Hasher, Stamped, Story, TraceHash, words};
use crate::{
    Observation,
    network::{Delivery, Fate},
    outcome::{Failure, FailureKind, Tally},
    property::{Kinds, Property, STEP_BUDGET, Verdict, Violation},
};
use std::{collections::BTreeMap, fmt, mem, task::Waker};

/// Keeps the kinds of events apart in the hash.
mod tag {
    pub(super) const OBSERVED: u64 = 1;
    pub(super) const DELIVERED: u64 = 2;
    pub(super) const EVENT: u64 = 3;
}

/// A property and what it counted.
struct Judge<O> {
    property: Box<dyn Property<O>>,
    tally: Tally,
}

/// A property that is violated, and how.
type Found = (&'static str, Violation);

impl<O> Judge<O> {
    /// Counts a verdict. The first violation of an event is the one that is told.
    fn take(&mut self, verdict: Verdict, found: &mut Option<Found>) {
        match verdict {
            Ok(checked) => self.tally.checked += checked,
            Err(violation) => {
                self.tally.checked += 1;
                self.tally.violated += 1;
                found.get_or_insert((self.property.name(), violation));
            }
        }
    }
}

/// How a node is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum State {
    /// It was killed, or not booted yet.
    #[default]
    Down,
    /// It lives this life, and may report.
    Up(u32),
    /// It met an error.
    Stopped,
    /// It ended of its own accord.
    Finished,
}

/// A node as the recorder knows it.
#[derive(Clone, Default)]
struct Seen {
    state: State,
    /// The number of what last happened to it.
    cause: u64,
}

/// How a message's end reads in the story.
struct Shown<'a>(&'a Delivery<'a>);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Delivery {
            from,
            to,
            channel,
            sequence,
            fate,
            ..
        } = self.0;
        let (bytes, copy) = (
            self.0.length(),
            if self.0.duplicate { " again" } else { "" },
        );
        write!(
            f,
            "{fate:?}{copy}: {from} -> {to}, message {sequence} on channel {channel}, {bytes} bytes"
        )
    }
}

/// Collects a run.
pub(crate) struct Recorder<O> {
    hasher: Hasher,
    number: u64,
    at_us: u64,
    nodes: Vec<Seen>,
    /// By place in [`Observation::KINDS`].
    counts: Vec<u64>,
    judges: Vec<Judge<O>>,
    /// By place in [`Observation::KINDS`], the places of the judges whom observations of the kind concern.
    hearers: Vec<Vec<usize>>,
    failure: Option<Failure>,
    /// By place in [`Observation::KINDS`], whether whoever reads wants observations of the kind.
    wanted: Vec<bool>,
    unread: Vec<Stamped<O>>,
    /// Nodes that met an error since this was last asked.
    stopped: Vec<usize>,
    reader: Option<Waker>,
    deliveries: u64,
    drops: u64,
    steps: u64,
    steps_max: u64,
    story: Option<Story>,
}

impl<O: Observation> Recorder<O> {
    /// `read` names the kinds that whoever reads wants, `None` stands for all.
    pub(crate) fn new(
        nodes: usize,
        properties: Vec<Box<dyn Property<O>>>,
        read: Option<Vec<&'static str>>,
        steps_max: u64,
        story: Option<Story>,
    ) -> Self {
        for property in &properties {
            known::<O>(property.name(), property.kinds());
        }
        let wanted = |kind: &&'static str| read.as_ref().is_none_or(|it| it.contains(kind));
        let hearers = |kind: &&'static str| {
            let heard = properties.iter().enumerate();
            let heard = heard.filter(|(_, it)| it.kinds().is_none_or(|it| it.contains(kind)));
            heard.map(|(place, _)| place).collect()
        };
        Self {
            hearers: O::KINDS.iter().map(hearers).collect(),
            wanted: O::KINDS.iter().map(wanted).collect(),
            hasher: Hasher::default(),
            number: 0,
            at_us: 0,
            nodes: vec![Seen::default(); nodes],
            counts: vec![0; O::KINDS.len()],
            judges: properties
                .into_iter()
                .map(|property| Judge {
                    property,
                    tally: Tally::default(),
                })
                .collect(),
            failure: None,
            unread: Vec::new(),
            stopped: Vec::new(),
            reader: None,
            deliveries: 0,
            drops: 0,
            steps: 0,
            steps_max,
            story,
        }
    }

    /// Takes in what a node reported.
    pub(crate) fn observe(
        &mut self,
        at_us: u64,
        node: Option<usize>,
        incarnation: u32,
        observation: O,
    ) {
        if node.is_some_and(|node| self.nodes[node].state != State::Up(incarnation)) {
            return;
        }
        let kind = kind_of(&observation);
        let seen = self.stamp(at_us, node, incarnation, observation);
        self.hash(tag::OBSERVED, &seen);
        self.hasher.word(kind as u64);
        // What an observation serializes to is a function of its value, and so its identity.
        words::hash(&mut self.hasher, &seen.what).expect("an observation serializes");
        self.counts[kind] += 1;
        if let Some(story) = &mut self.story {
            story.line(&seen, &format_args!("{:?}", seen.what));
        }
        let mut found = None;
        for place in &self.hearers[kind] {
            let judge = &mut self.judges[*place];
            let verdict = judge.property.observe(&seen);
            judge.take(verdict, &mut found);
        }
        self.convict(at_us, found);
        if self.wanted[kind] {
            self.unread.push(seen);
        }
        self.step(at_us);
        if self.is_ready() {
            self.wake();
        }
    }

    /// Takes in what the world did.
    pub(crate) fn event(
        &mut self,
        at_us: u64,
        node: Option<usize>,
        incarnation: u32,
        event: Event,
    ) {
        if let Some(node) = node {
            let state = &mut self.nodes[node].state;
            *state = match event {
                Event::Booted => State::Up(incarnation),
                Event::Crashed => State::Down,
                Event::Stopped { .. } => {
                    self.stopped.push(node);
                    State::Stopped
                }
                Event::Finished => State::Finished,
                _ => *state,
            };
        }
        let seen = self.stamp(at_us, node, incarnation, event);
        if let Some(node) = node {
            self.nodes[node].cause = seen.number;
        }
        self.hash(tag::EVENT, &seen);
        self.hasher.bytes(seen.what.to_string().as_bytes());
        if let Some(story) = &mut self.story {
            story.line(&seen, &seen.what);
        }
        self.judge(at_us, |property| property.event(&seen));
        if !self.stopped.is_empty() {
            self.wake();
        }
    }

    /// Takes in the end of a message. Called for every message: it only hashes and counts.
    ///
    /// The body is left out of the hash, apart from its length: hashing megabytes would cost more than the run, and
    /// what a body does shows in what follows.
    pub(crate) fn deliver(&mut self, at_us: u64, delivery: &Delivery<'_>) {
        let Delivery {
            from,
            to,
            channel,
            sequence,
            fate,
            ..
        } = *delivery;
        let seen = self.stamp(at_us, Some(to), 0, ());
        self.hasher.word(at_us << 2 | tag::DELIVERED);
        self.hasher.word(
            (from as u64) << 48
                ^ (to as u64) << 32
                ^ (fate as u64) << 28
                ^ delivery.length() as u64,
        );
        self.hasher
            .word(channel.rotate_left(40) ^ sequence << 1 ^ u64::from(delivery.duplicate));
        if fate == Fate::Delivered {
            self.deliveries += 1;
            self.nodes[to].cause = seen.number;
        } else {
            self.drops += 1;
        }
        if let Some(story) = self.story.as_mut().filter(|story| story.wants(fate)) {
            story.line(&seen, &Shown(delivery));
        }
        self.step(at_us);
    }

    /// Notes that the run failed. The first failure is the run's.
    pub(crate) fn fail(
        &mut self,
        kind: FailureKind,
        property: &str,
        node: Option<usize>,
        at_us: u64,
        message: String,
    ) {
        self.failure.get_or_insert_with(|| Failure {
            kind,
            property: property.into(),
            node,
            at_us,
            message,
        });
        self.wake();
    }

    /// How a node is.
    pub(crate) fn state(&self, node: usize) -> State {
        self.nodes[node].state
    }

    /// When something was last recorded.
    pub(crate) const fn at_us(&self) -> u64 {
        self.at_us
    }

    /// Whether the run failed.
    pub(crate) const fn failed(&self) -> bool {
        self.failure.is_some()
    }

    /// Takes the observations wanted by the system and the goal that they have not seen; `buffer` takes their place.
    pub(crate) fn read(&mut self, buffer: &mut Vec<Stamped<O>>) {
        buffer.clear();
        mem::swap(buffer, &mut self.unread);
    }

    /// Takes the nodes that met an error since this was last asked.
    pub(crate) fn take_stopped(&mut self) -> Vec<usize> {
        mem::take(&mut self.stopped)
    }

    /// Whether there is something to read or to react to; if not, wakes `waker` once there is.
    pub(crate) fn ready(&mut self, waker: &Waker) -> bool {
        let ready = self.is_ready();
        if !ready {
            self.reader = Some(waker.clone());
        }
        ready
    }

    fn is_ready(&self) -> bool {
        self.failed() || !self.unread.is_empty() || !self.stopped.is_empty()
    }

    /// Has every property judge the run as a whole.
    pub(crate) fn finish(&mut self, at_us: u64) {
        self.judge(at_us, |property| property.finish());
    }

    /// What was collected.
    pub(crate) fn collected(&mut self) -> Collected {
        let kinds = O::KINDS.iter().map(|kind| String::from(*kind));
        let observations = kinds.zip(self.counts.iter().copied()).collect();
        let tallies = self
            .judges
            .iter()
            .map(|judge| (judge.property.name().into(), judge.tally));
        Collected {
            trace_hash: self.hasher.finish(),
            failure: self.failure.clone(),
            properties: tallies.collect(),
            observations,
            deliveries: self.deliveries,
            drops: self.drops,
            steps: self.steps,
            story: self.story.take().map(Story::lines).unwrap_or_default(),
        }
    }

    fn stamp<T>(
        &mut self,
        at_us: u64,
        node: Option<usize>,
        incarnation: u32,
        what: T,
    ) -> Stamped<T> {
        self.number += 1;
        self.at_us = at_us;
        let cause = node.map_or(0, |node| self.nodes[node].cause);
        Stamped {
            at_us,
            number: self.number,
            node,
            incarnation,
            cause,
            what,
        }
    }

    fn hash<T>(&mut self, tag: u64, seen: &Stamped<T>) {
        self.hasher.word(seen.at_us << 2 | tag);
        self.hasher.word(
            seen.node.map_or(u64::MAX, |node| node as u64) ^ u64::from(seen.incarnation) << 32,
        );
        self.hasher.word(seen.cause);
    }

    fn judge(&mut self, at_us: u64, mut verdict: impl FnMut(&mut dyn Property<O>) -> Verdict) {
        let mut found = None;
        for judge in &mut self.judges {
            let verdict = verdict(judge.property.as_mut());
            judge.take(verdict, &mut found);
        }
        self.convict(at_us, found);
    }

    fn convict(&mut self, at_us: u64, found: Option<Found>) {
        if let Some((property, violation)) = found {
            self.fail(
                FailureKind::Safety,
                property,
                violation.node,
                at_us,
                violation.message,
            );
        }
    }

    fn step(&mut self, at_us: u64) {
        self.steps += 1;
        if self.steps > self.steps_max {
            let message = format!(
                "the run took more than {} deliveries and observations",
                self.steps_max
            );
            self.fail(FailureKind::Liveness, STEP_BUDGET, None, at_us, message);
        }
    }

    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }
}

/// Makes sure that what somebody wants to hear exists.
///
/// # Panics
/// If it does not.
pub(crate) fn known<O: Observation>(name: &str, kinds: Kinds) {
    let unknown = kinds.unwrap_or_default().iter();
    let unknown: Vec<_> = unknown.filter(|it| !O::KINDS.contains(it)).collect();
    assert!(unknown.is_empty(), "{name:?} hears {unknown:?}: no kinds");
}

/// The place of an observation's kind in the list of kinds.
fn kind_of<O: Observation>(observation: &O) -> usize {
    let kind = observation.kind();
    // Mostly the very same text, which costs no comparison of letters.
    let same = O::KINDS.iter().position(|it| std::ptr::eq(*it, kind));
    let place = same.or_else(|| O::KINDS.iter().position(|it| *it == kind));
    place.unwrap_or_else(|| {
        panic!("{kind:?} is not among the kinds of observation, add it to KINDS")
    })
}

/// What a recorder has to say at the end of a run.
pub(crate) struct Collected {
    pub(crate) trace_hash: TraceHash,
    pub(crate) failure: Option<Failure>,
    pub(crate) properties: BTreeMap<String, Tally>,
    pub(crate) observations: BTreeMap<String, u64>,
    pub(crate) deliveries: u64,
    pub(crate) drops: u64,
    pub(crate) steps: u64,
    pub(crate) story: Vec<String>,
}
