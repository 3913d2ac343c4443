//! All decisions of the sequencer engine. Pure: no clock, no disk, no await.

use crate::{
    activity::Next,
    ahead::Ahead,
    canary::Canary,
    epochs::Epochs,
    horizon::Horizon,
    patience::Patience,
    record::Record,
    types::{Certificate, Committee, Genesis, Header, Payload, Signed, Tip, Types},
    wire::{Envelope, HEADERS_MAX},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// What the state is told.
pub enum Message<T: Types> {
    /// The application answered with the next chunk; its body is durable.
    Sealed(Payload),
    /// The application has no chunk for now.
    Declined,
    /// The journal is durable up to a position.
    Synced(u64),
    /// A certificate of this lane was assembled here or learned from others.
    Certified(Arc<Certificate<T>>),
    /// The node was told of an epoch.
    Entered(u64),
    /// The chain moved.
    Advanced(Horizon<T::PublicKey>),
    /// A peer asks for headers of this lane.
    Asked {
        /// Who.
        to: T::PublicKey,
        /// The lowest height wanted.
        from: u64,
        /// The highest height wanted.
        upto: u64,
    },
    /// The rebroadcast interval passed.
    Ticked,
    /// The time of [`State::wake_ms`] has come.
    Woken,
}

/// What the actor carries out.
pub enum Effect<T: Types> {
    /// Ask the application for the next chunk.
    Propose(Next),
    /// Append to the journal, let the tip manager of this node lock it, and let acks for it be counted. The position of each
    /// record is the previous one's plus one.
    Journal(Arc<Signed<T>>),
    /// The journal may forget this lane's own headers below a height.
    Forget(u64),
    /// Headers are durable for the first time: send them to every validator of the epoch, push their bodies.
    Publish {
        /// What is new.
        headers: Vec<Arc<Signed<T>>>,
        /// What is sent: those, and the one before them again.
        envelope: Envelope<T>,
    },
    /// Send again, or the certificate alone, to every validator of the epoch.
    Broadcast(Envelope<T>),
    /// Answer one peer.
    Answer {
        /// Who.
        to: T::PublicKey,
        /// What.
        envelope: Envelope<T>,
    },
    /// Let acks for this place be counted.
    Count(Tip),
}

/// What the state is built with.
pub struct Config<T: Types> {
    /// The deployment.
    pub genesis: Arc<Genesis>,
    /// Signs this lane.
    pub key: T::PrivateKey,
    /// This node.
    pub me: T::PublicKey,
    /// Epochs around the current one.
    pub epochs: Epochs<T>,
    /// How long a new certificate waits for a header to travel with before it is sent alone.
    pub certificate_linger_ms: u64,
    /// The planted bug, if any.
    pub canary: Canary,
}

/// This node's own lane.
pub struct State<T: Types> {
    config: Config<T>,
    header_namespace: Vec<u8>,
    /// Own headers from the executed inclusion on.
    own: BTreeMap<u64, Arc<Signed<T>>>,
    /// Own headers that are not durable yet, with their journal positions.
    unsynced: VecDeque<(u64, Arc<Signed<T>>)>,
    /// The place that the next header extends.
    head: Tip,
    /// Headers up to here are durable and were sent.
    sent: u64,
    /// When each header that was sent in this life and is not certified was sent, lowest first.
    flight: VecDeque<(u64, u64)>,
    /// How long certificates take: if one takes much longer, something was lost.
    patience: Patience,
    certificate: Option<Arc<Certificate<T>>>,
    /// When the newest certificate is to be sent alone; `None` once it was sent.
    spread_ms: Option<u64>,
    executed: Tip,
    ahead: Ahead,
    /// The application was asked and has not answered.
    proposing: bool,
    /// The application declined: it is asked again at the next tick.
    declined: bool,
    /// A chunk that arrived after this node left the set of sequencers.
    held: Option<Payload>,
    position: u64,
    now_ms: u64,
    /// When the next slot begins, if that is what the next header waits for.
    slot_ms: Option<u64>,
    /// Where the lane stood at the last tick: newest certificate, last header sent.
    ticked: (Option<(u64, u64)>, u64),
}

impl<T: Types> State<T> {
    /// Rebuilds the state from the journal.
    ///
    /// # Panics
    /// If the journal holds headers of another key.
    pub fn restore(config: Config<T>, records: &[Record<T>]) -> Self {
        let root = config.genesis.root(&config.me);
        let mut state = Self {
            header_namespace: config.genesis.header_namespace(),
            own: BTreeMap::new(),
            unsynced: VecDeque::new(),
            head: root,
            sent: 0,
            flight: VecDeque::new(),
            patience: Patience::default(),
            certificate: None,
            spread_ms: None,
            executed: root,
            ahead: Ahead::new(&config.genesis),
            proposing: false,
            declined: false,
            held: None,
            position: 0,
            now_ms: 0,
            slot_ms: None,
            ticked: (None, 0),
            config,
        };
        for record in records {
            match record {
                Record::Own { header } => {
                    assert!(
                        header.header().sequencer == state.config.me,
                        "another node's journal"
                    );
                    state.own.insert(header.height(), header.clone());
                    state.head = state.head.max(header.tip());
                }
                Record::Base {
                    sequencer,
                    tip,
                    certificate,
                } if *sequencer == state.config.me => {
                    state.head = state.head.max(*tip);
                    state.certificate.clone_from(certificate);
                }
                _ => {}
            }
        }
        state.sent = state.head.height;
        state.ticked = (state.certificate.as_ref().map(|it| it.rank()), state.sent);
        state.count_ahead();
        state
    }

    /// When to send [`Message::Woken`].
    pub fn wake_ms(&self) -> Option<u64> {
        let times_ms = [self.slot_ms, self.spread_ms, self.patience.until_ms()];
        times_ms.into_iter().flatten().min()
    }

    /// The current committee.
    pub const fn committee(&self) -> &Arc<Committee<T>> {
        self.config.epochs.current()
    }

    /// Everything for decoding and encoding by epoch.
    pub const fn epochs(&self) -> &Epochs<T> {
        &self.config.epochs
    }

    /// This node.
    pub const fn me(&self) -> &T::PublicKey {
        &self.config.me
    }

    /// The height of the newest own header.
    pub const fn height(&self) -> u64 {
        self.head.height
    }

    /// The places that acks may come for, when the node starts.
    pub fn in_flight(&self) -> Vec<Tip> {
        let certified = self.current_certificate().map(|it| it.tip);
        let base = certified.map_or(self.executed, |it| it.max(self.executed));
        let above = self.own.range(base.height + 1..).map(|(_, it)| it.tip());
        let base = (base.height > 0).then_some(base);
        base.into_iter().chain(above).collect()
    }

    /// The newest certificate.
    pub const fn certificate(&self) -> Option<&Arc<Certificate<T>>> {
        self.certificate.as_ref()
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Sealed(payload) => {
                assert!(self.proposing, "a chunk nobody asked for");
                self.proposing = false;
                self.held = Some(payload);
            }
            Message::Declined => {
                self.proposing = false;
                self.declined = true;
            }
            Message::Synced(position) => self.synced(position, effects),
            Message::Certified(certificate) => self.certified(certificate),
            Message::Entered(epoch) => self.entered(epoch, effects),
            Message::Advanced(horizon) => self.advanced(&horizon, effects),
            Message::Asked { to, from, upto } => self.asked(to, from, upto, effects),
            Message::Ticked => self.ticked(effects),
            Message::Woken => self.woken(effects),
        }
        self.seal(effects);
        self.propose(effects);
    }

    fn is_sequencer(&self) -> bool {
        self.committee().sequencer_index(&self.config.me).is_some()
    }

    /// The newest certificate, if it lies within the epoch bounds.
    fn current_certificate(&self) -> Option<&Arc<Certificate<T>>> {
        self.certificate
            .as_ref()
            .filter(|it| self.config.epochs.contain(it.epoch))
    }

    /// Heights up to here need no more acks to go on.
    fn certified_height(&self) -> u64 {
        let certified = self.current_certificate().map_or(0, |it| it.tip.height);
        certified.max(self.executed.height)
    }

    /// Asks for the next chunk if one may be sealed now.
    fn propose(&mut self, effects: &mut Vec<Effect<T>>) {
        self.slot_ms = None;
        let genesis = &self.config.genesis;
        let in_flight = self.head.height.saturating_sub(self.certified_height());
        let next = self.head.height + 1;
        let (bytes, items) = (genesis.chunk_bytes_max, genesis.chunk_items_max);
        let lead = self.ahead.admits(next, bytes, items) || self.config.canary.is(Canary::NoLead);
        let room = in_flight < genesis.in_flight_max && lead;
        if self.proposing || self.declined || self.held.is_some() || !room || !self.is_sequencer() {
            return;
        }
        let slot = self.head.slot + 1;
        if slot > genesis.slot_at(self.now_ms) {
            self.slot_ms = Some(genesis.slot_start_ms(slot));
            return;
        }
        self.proposing = true;
        effects.push(Effect::Propose(Next { height: next, slot }));
    }

    /// Makes a header of the chunk the application gave. It was asked for within all limits, and
    /// nothing but a certificate or the chain has moved the lane since.
    fn seal(&mut self, effects: &mut Vec<Effect<T>>) {
        if !self.is_sequencer() {
            // Its body is kept for a header made now: if this node ever comes back, it is gone by then.
            self.held = None;
            return;
        }
        let Some(payload) = self.held.take() else {
            return;
        };
        let genesis = self.config.genesis.clone();
        let header = Header {
            sequencer: self.config.me.clone(),
            height: self.head.height + 1,
            slot: (self.head.slot + 1).max(genesis.slot_at(self.now_ms)),
            previous: self.head.digest,
            payload,
        };
        let signed = Signed::sign(header, &self.config.key, &self.header_namespace);
        assert!(
            signed.is_well_formed(&genesis),
            "the application sealed a chunk beyond its limits"
        );
        let header = Arc::new(signed);
        self.head = header.tip();
        self.ahead.push(&genesis, &header);
        self.own.insert(self.head.height, header.clone());
        self.position += 1;
        effects.push(Effect::Journal(header.clone()));
        self.unsynced.push_back((self.position, header));
        if self.config.canary.is(Canary::SendBeforeSync) {
            self.synced(self.position, effects);
        }
    }

    /// What is durable is sent, once, with the newest certificate if that is news.
    fn synced(&mut self, position: u64, effects: &mut Vec<Effect<T>>) {
        let mut headers = Vec::new();
        while self.unsynced.front().is_some_and(|(at, _)| *at <= position) {
            headers.extend(self.unsynced.pop_front().map(|(_, header)| header));
        }
        if !self.is_sequencer() {
            // It left the set meanwhile: what is durable goes out if it comes back.
            self.sent = headers.last().map_or(self.sent, |it| it.height());
            return;
        }
        while !headers.is_empty() {
            let rest = headers.split_off(headers.len().min(HEADERS_MAX - 1));
            self.sent = headers.last().expect("not empty").height();
            if self.flight.is_empty() {
                self.patience.start(self.now_ms);
            }
            let now_ms = self.now_ms;
            self.flight
                .extend(headers.iter().map(|it| (it.height(), now_ms)));
            let certificate = self.fresh_certificate();
            let sent = self.before(&headers[0]).into_iter().chain(headers.clone());
            let envelope = self.envelope(sent.collect(), certificate);
            effects.push(Effect::Publish { headers, envelope });
            headers = rest;
        }
    }

    /// The header before one, if it is still in flight. It is sent a second time with the next: so one lost message
    /// costs a validator a slot, and not the round trip of a fetch during which it acks nothing.
    pub fn before(&self, header: &Signed<T>) -> Option<Arc<Signed<T>>> {
        let height = header.height() - 1;
        let header = self.own.get(&height).cloned();
        header.filter(|_| height > self.certified_height())
    }

    fn envelope(
        &self,
        headers: Vec<Arc<Signed<T>>>,
        certificate: Option<Arc<Certificate<T>>>,
    ) -> Envelope<T> {
        Envelope {
            sequencer: self.config.me.clone(),
            headers,
            certificate,
        }
    }

    /// The newest certificate, if no envelope has carried it yet.
    fn fresh_certificate(&mut self) -> Option<Arc<Certificate<T>>> {
        self.spread_ms.take()?;
        self.current_certificate().cloned()
    }

    fn certified(&mut self, certificate: Arc<Certificate<T>>) {
        // One out of bounds counts for nothing: the lane may be certified again from lower down.
        let newest = self.current_certificate();
        let known = newest.is_some_and(|it| it.rank() >= certificate.rank());
        if known || !self.config.epochs.contain(certificate.epoch) {
            return;
        }
        let tip = certificate.tip;
        // A lane that was split by a lost disk: what was signed here stays, a later epoch heals it.
        if self
            .own
            .get(&tip.height)
            .is_some_and(|it| it.digest() != tip.digest)
        {
            return;
        }
        self.spread_ms = Some(
            self.now_ms
                .saturating_add(self.config.certificate_linger_ms),
        );
        self.certificate = Some(certificate);
        self.go_on_from(tip);
        self.landed(tip.height);
    }

    /// Headers up to a height are certified. What is above is waited for anew.
    fn landed(&mut self, height: u64) {
        let landed = self.flight.partition_point(|(it, _)| *it <= height);
        if let Some((_, sent_ms)) = self.flight.drain(..landed).next_back() {
            self.patience.took(self.now_ms - sent_ms);
        }
        if self.flight.is_empty() {
            self.patience.stop();
        } else if landed > 0 {
            self.patience.start(self.now_ms);
        }
    }

    /// Others know more of this lane than this node does.
    fn go_on_from(&mut self, tip: Tip) {
        if tip.height > self.head.height {
            self.head = tip;
            self.sent = self.sent.max(tip.height);
            self.count_ahead();
        }
    }

    fn count_ahead(&mut self) {
        let genesis = self.config.genesis.clone();
        self.ahead.jump(self.head.height);
        for header in self.own.values() {
            self.ahead.fill(&genesis, header);
        }
    }

    fn entered(&mut self, epoch: u64, effects: &mut Vec<Effect<T>>) {
        if !self.config.epochs.enter(epoch) || !self.is_sequencer() {
            return;
        }
        // A new epoch certifies again what no certificate within the bounds covers.
        effects.extend(self.in_flight().into_iter().map(Effect::Count));
        self.resend(effects);
    }

    fn advanced(&mut self, horizon: &Horizon<T::PublicKey>, effects: &mut Vec<Effect<T>>) {
        if let Some(tip) = horizon.included.get(&self.config.me) {
            self.ahead.include(tip.height);
        }
        self.ahead.expire(horizon.finalized_ms);
        let Some(tip) = horizon.executed.get(&self.config.me) else {
            return;
        };
        if tip.height > self.executed.height {
            self.executed = *tip;
            self.own = self.own.split_off(&tip.height);
            self.go_on_from(*tip);
            self.landed(tip.height);
            effects.push(Effect::Forget(tip.height));
            if self.current_certificate().is_none() {
                effects.push(Effect::Count(*tip));
            }
        }
    }

    fn asked(&self, to: T::PublicKey, from: u64, upto: u64, effects: &mut Vec<Effect<T>>) {
        let upto = upto
            .min(self.sent)
            .min(from.saturating_add(HEADERS_MAX as u64 - 1));
        if !self.is_sequencer() {
            return;
        }
        // Who asks for what comes next lacks the certificate.
        let next = from > self.sent;
        let certificate = self.current_certificate().cloned();
        if next && certificate.is_none() || !next && upto < from {
            return;
        }
        let headers = if next {
            Vec::new()
        } else {
            let headers = self.own.range(from..=upto);
            headers.map(|(_, it)| it.clone()).collect()
        };
        effects.push(Effect::Answer {
            to,
            envelope: self.envelope(headers, certificate),
        });
    }

    /// What still lacks a certificate of this epoch goes out again if nothing moved for an interval.
    fn ticked(&mut self, effects: &mut Vec<Effect<T>>) {
        self.declined = false;
        let newest = self.certificate.as_ref().map(|it| it.rank());
        let (certified, sent) = std::mem::replace(&mut self.ticked, (newest, self.sent));
        if certified == newest && sent >= self.lowest_wanted() {
            self.resend(effects);
        }
    }

    /// The lowest height that needs a certificate of this epoch. A tip that only an earlier epoch
    /// certified, or that only the chain vouches for, needs one of its own.
    fn lowest_wanted(&self) -> u64 {
        let epoch = self.config.epochs.epoch();
        match self.current_certificate() {
            Some(it) if it.epoch >= epoch => it.tip.height + 1,
            Some(it) => it.tip.height,
            None => self.executed.height.max(1),
        }
    }

    /// Lowest first, as much as may be in flight.
    fn resend(&mut self, effects: &mut Vec<Effect<T>>) {
        if !self.is_sequencer() || self.config.canary.is(Canary::NeverResend) {
            return;
        }
        let from = self.lowest_wanted();
        let count = self.config.genesis.in_flight_max.min(HEADERS_MAX as u64);
        let upto = self.sent.min(from.saturating_add(count - 1));
        let headers: Vec<_> = if from <= upto {
            self.own
                .range(from..=upto)
                .map(|(_, it)| it.clone())
                .collect()
        } else {
            Vec::new()
        };
        let certificate = self.current_certificate().cloned();
        if headers.is_empty() && certificate.is_none() {
            return;
        }
        self.spread_ms = None;
        effects.push(Effect::Broadcast(self.envelope(headers, certificate)));
    }

    fn woken(&mut self, effects: &mut Vec<Effect<T>>) {
        if self.patience.is_over(self.now_ms) {
            self.resend(effects);
        }
        if self.spread_ms.is_some_and(|it| it <= self.now_ms) {
            let certificate = self.fresh_certificate();
            if certificate.is_some() && self.is_sequencer() {
                effects.push(Effect::Broadcast(self.envelope(Vec::new(), certificate)));
            }
        }
    }
}
