//! All decisions of the tip manager. Pure: no clock, no disk, no await.

mod certificates;
mod epochs;
mod evidence;
mod headers;
mod lane;
mod lanes;
mod restore;
mod walks;

pub use restore::{entered, muted_until};
pub use walks::Run;

use crate::{
    activity::Activity,
    canary::Canary,
    epochs::Epochs,
    horizon::Horizon,
    record::{Key, Record},
    refusal::Refusal,
    tip_manager::ingress::{Candidate, Message},
    types::{Genesis, Signed, Tip, Types},
    wire::{ACKS_MAX, Ack, Acks, CERTIFICATES_MAX, Envelope, Gossip, Told},
};
use commonware_cryptography::certificate::Scheme as _;
use commonware_utils::channel::oneshot;
use lane::{Lane, Opinion};
use lanes::Lanes;
use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    ops::RangeInclusive,
    sync::Arc,
};
use walks::Walk;

/// Records that may wait for the disk. A journal takes four times as many, so that what is not held back (an epoch's
/// bases, proofs, what was executed) has room as well.
const UNSYNCED_MAX: u64 = 1 << 14;

/// To whom gossip goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum To<P> {
    /// One peer.
    Peer(P),
    /// Any other validator of the current epoch, drawn at random.
    AnyValidator,
}

/// What the actor carries out.
pub enum Effect<T: Types> {
    /// Append to the journal; the position of each record is the previous one's plus one.
    Journal(Record<T>),
    /// The journal may forget a range of keys.
    Forget(RangeInclusive<Key<T::PublicKey>>),
    /// Ask the application.
    Judge(Arc<Signed<T>>),
    /// Send acks to the lane's sequencer.
    Ack(Acks<T>),
    /// Send headers, a certificate or both to a peer.
    Answer {
        /// Who.
        to: T::PublicKey,
        /// What.
        envelope: Envelope<T>,
    },
    /// The headers of this node's own lane are its sequencer's to serve.
    Serve {
        /// Who asked.
        to: T::PublicKey,
        /// The lowest and the highest height wanted.
        from: u64,
        /// See `from`.
        upto: u64,
    },
    /// Send gossip.
    Gossip {
        /// To whom.
        to: To<T::PublicKey>,
        /// What.
        gossip: Gossip<T>,
    },
    /// Answer a node that lost its disk.
    Tell {
        /// Who asked.
        to: T::PublicKey,
        /// What it is told.
        told: Told<T>,
    },
    /// Check certificates together, and report each.
    Check(Vec<Candidate<T>>),
    /// Tell the node, and this node's sequencer if the lane is its own.
    Report(Activity<T>),
    /// Give the headers of a run to who asked for them.
    Walked(oneshot::Sender<Run<T>>, Run<T>),
    /// A peer's message, or a part of one, was refused.
    Refuse {
        /// Whose.
        from: T::PublicKey,
        /// Why.
        refusal: Refusal,
    },
}

/// What the state is built with.
pub struct Config<T: Types> {
    /// The deployment.
    pub genesis: Arc<Genesis>,
    /// This node.
    pub me: T::PublicKey,
    /// Epochs around the current one.
    pub epochs: Epochs<T>,
    /// The planted bug, if any.
    pub canary: Canary,
}

/// Every lane as this node holds it.
pub struct State<T: Types> {
    genesis: Arc<Genesis>,
    header_namespace: Vec<u8>,
    me: T::PublicKey,
    epochs: Epochs<T>,
    canary: Canary,
    /// The epoch being entered, and the journal position that makes it durable.
    entering: Option<(u64, u64)>,
    /// Nothing is signed in epochs below this one: a disk was lost.
    muted_until: u64,
    /// Of every sequencer there ever was, as the chain chose them. One that left keeps its place here, a base without
    /// headers: if it came back to a lane that nobody remembers, it could have heights certified a second time.
    lanes: Lanes<T>,
    finalized_ms: u64,
    executed_ms: u64,
    now_ms: u64,
    /// Records appended so far.
    position: u64,
    /// Records durable so far.
    durable: u64,
    /// Lanes with records not yet durable, in the order of their positions.
    unsynced: VecDeque<(u64, T::PublicKey)>,
    /// Certificates not checked yet: the newest of each lane from each peer.
    candidates: BTreeMap<(T::PublicKey, T::PublicKey), Candidate<T>>,
    checking: bool,
    /// Proofs found, by epoch and sequencer.
    evidence: BTreeMap<(u64, T::PublicKey), u64>,
    /// Runs that are waited for.
    walks: Vec<Walk<T>>,
    /// When the earliest held header's slot begins.
    wake_ms: Option<u64>,
}

impl<T: Types> State<T> {
    /// The current epoch's view, for decoding what peers send.
    pub const fn epochs(&self) -> &Epochs<T> {
        &self.epochs
    }

    /// When to send [`Message::Woken`].
    pub const fn wake_ms(&self) -> Option<u64> {
        self.wake_ms
    }

    /// Records appended so far: the position of the last one.
    pub const fn position(&self) -> u64 {
        self.position
    }

    /// Headers held in memory, of every lane: locked, waiting, kept for others.
    pub fn headers_held(&self) -> usize {
        self.lanes
            .values()
            .map(|it| {
                it.locks.len() + it.waiting.len() + it.chain.len() + it.past.len() + it.spare.len()
            })
            .sum()
    }

    /// Takes one message and says what follows from it.
    pub fn apply(&mut self, now_ms: u64, message: Message<T>, effects: &mut Vec<Effect<T>>) {
        self.now_ms = self.now_ms.max(now_ms);
        match message {
            Message::Delivered { from, envelope } => {
                self.found(&envelope);
                self.delivered(&from, envelope, effects);
            }
            Message::Gossiped { from, gossip } => self.gossiped(from, gossip, effects),
            Message::Checked(results) => self.checked(results, effects),
            Message::Asked {
                sequencer,
                above,
                to,
                responder,
            } => self.asked(sequencer, above, to, responder, effects),
            Message::Assembled(certificate) => {
                let me = self.me.clone();
                self.adopt(&me, certificate, effects);
            }
            Message::Judged {
                sequencer,
                height,
                digest,
                verdict,
            } => {
                self.judged(&sequencer, height, digest, verdict, effects);
            }
            Message::Synced(position) => self.synced(position, effects),
            Message::Entered(epoch) => self.enter(epoch, effects),
            Message::Advanced(horizon) => self.advanced(horizon, effects),
            Message::Started => self.started(effects),
            Message::Stirred => self.ask_again(effects),
            Message::Ticked => self.ticked(effects),
            Message::Woken => self.woken(effects),
        }
        if !self.walks.is_empty() {
            self.walk_on(effects);
        }
    }

    fn journal(&mut self, record: Record<T>, effects: &mut Vec<Effect<T>>) -> u64 {
        self.position += 1;
        effects.push(Effect::Journal(record));
        self.position
    }

    /// Whether this node acks in the current epoch.
    fn signs(&self) -> bool {
        self.entering.is_none()
            && self.epochs.current().signs()
            && self.epochs.epoch() >= self.muted_until
    }

    /// Whether the disk is far behind: nothing new is locked or adopted until it has caught up.
    const fn is_backlogged(&self) -> bool {
        self.position - self.durable >= UNSYNCED_MAX
    }

    fn synced(&mut self, position: u64, effects: &mut Vec<Effect<T>>) {
        let held_back = self.is_backlogged();
        self.durable = self.durable.max(position);
        let mut lanes = BTreeSet::new();
        while self
            .unsynced
            .front()
            .is_some_and(|(at, _)| *at <= self.durable)
        {
            lanes.extend(self.unsynced.pop_front().map(|(_, lane)| lane));
        }
        if self.entering.is_some_and(|(_, at)| at <= self.durable) {
            self.entered(effects);
            return;
        }
        for sequencer in &lanes {
            if self
                .lanes
                .get(sequencer)
                .is_some_and(|it| it.base.ack.is_none())
            {
                self.ack_base(sequencer, effects);
            }
            self.progress(sequencer, effects);
        }
        if held_back && !self.is_backlogged() {
            let sequencers: Vec<_> = self.lanes.keys().cloned().collect();
            for sequencer in sequencers {
                self.extend(&sequencer, effects);
            }
        }
    }

    /// Acks what has become ackable, in height order.
    fn progress(&mut self, sequencer: &T::PublicKey, effects: &mut Vec<Effect<T>>) {
        let now_ms = if self.canary.is(Canary::ExpireByClock) {
            self.now_ms
        } else {
            self.finalized_ms
        };
        let (signs, durable, canary) = (self.signs(), self.durable, self.canary);
        let Some(lane) = self.lanes.get_mut(sequencer) else {
            return;
        };
        // Mostly what was awaited is not all that is.
        let next = lane.locks.get(&(lane.acked + 1));
        let ready = next.is_some_and(|it| lane.is_ready(it, durable, now_ms, canary));
        if !ready || !signs || self.epochs.current().sequencer_index(sequencer).is_none() {
            return;
        }
        let committee = self.epochs.current().clone();
        let mut acks = Vec::new();
        while lane.acked < lane.top.height {
            let lock = &lane.locks[&(lane.acked + 1)];
            if !lane.is_ready(lock, durable, now_ms, canary) {
                break;
            }
            let tip = lock.header.tip();
            let Some(ack) = sign(&committee, sequencer, &tip) else {
                break;
            };
            lane.locks.get_mut(&tip.height).expect("just seen").ack = Some(ack.clone());
            lane.acked = tip.height;
            acks.push(ack);
            let (epoch, sequencer) = (committee.epoch(), sequencer.clone());
            effects.push(Effect::Report(Activity::Acked {
                epoch,
                sequencer,
                tip,
            }));
        }
        if !acks.is_empty() && *sequencer != self.me {
            lane.promise(self.now_ms);
            self.wake_ms = earlier(self.wake_ms, lane.patience.until_ms());
        }
        self.ack(committee, sequencer, acks, effects);
    }

    fn ack(
        &self,
        committee: Arc<crate::types::Committee<T>>,
        sequencer: &T::PublicKey,
        mut acks: Vec<Ack<T>>,
        effects: &mut Vec<Effect<T>>,
    ) {
        while !acks.is_empty() {
            let rest = acks.split_off(acks.len().min(ACKS_MAX));
            let (committee, sequencer) = (committee.clone(), sequencer.clone());
            effects.push(Effect::Ack(Acks {
                committee,
                sequencer,
                acks,
            }));
            acks = rest;
        }
    }

    fn advanced(&mut self, horizon: Horizon<T::PublicKey>, effects: &mut Vec<Effect<T>>) {
        self.finalized_ms = self.finalized_ms.max(horizon.finalized_ms);
        self.executed_ms = self.executed_ms.max(horizon.executed_ms);
        for (sequencer, tip) in horizon.included {
            self.lane(&sequencer).ahead.include(tip.height);
        }
        for (sequencer, tip) in horizon.executed {
            self.executed(&sequencer, tip, effects);
        }
        let sequencers: Vec<_> = self.lanes.keys().cloned().collect();
        for sequencer in sequencers {
            let lane = self.lanes.get_mut(&sequencer).expect("listed");
            lane.ahead.expire(self.finalized_ms);
            for height in lane.expire_spare(&self.genesis, self.executed_ms) {
                // Below its base a node acks nothing; from there on, this epoch's lock binds it.
                let upto = if height < lane.base.tip.height {
                    u64::MAX
                } else {
                    self.epochs.epoch().saturating_sub(1)
                };
                let keys = locks(&sequencer, height..=height, upto);
                effects.push(Effect::Forget(keys));
            }
            self.extend(&sequencer, effects);
            self.progress(&sequencer, effects);
        }
        self.ask_again(effects);
    }

    /// A lane was executed up to a place: below it nothing is needed any more, and no base is older.
    fn executed(&mut self, sequencer: &T::PublicKey, tip: Tip, effects: &mut Vec<Effect<T>>) {
        let lane = self.lane(sequencer);
        if tip.height <= lane.executed.height {
            return;
        }
        if tip.height > lane.base.tip.height {
            let record = Record::Base {
                sequencer: sequencer.clone(),
                tip,
                certificate: None,
            };
            let position = self.journal(record, effects);
            let genesis = self.genesis.clone();
            self.lane(sequencer).rebase(&genesis, tip, None, position);
            self.unsynced.push_back((position, sequencer.clone()));
        }
        let past_max = self.genesis.lane_headers_max;
        self.lane(sequencer).execute(tip, past_max);
        // The lock at the base itself may say that the base is contested: it stays.
        let heights = 0..=tip.height - 1;
        effects.push(Effect::Forget(locks(sequencer, heights, u64::MAX)));
    }

    fn judged(
        &mut self,
        sequencer: &T::PublicKey,
        height: u64,
        digest: crate::types::Digest,
        verdict: crate::activity::Verdict,
        effects: &mut Vec<Effect<T>>,
    ) {
        use crate::activity::Verdict;
        let Some(lane) = self.lanes.get_mut(sequencer) else {
            return;
        };
        let Some(lock) = lane.locks.get_mut(&height) else {
            return;
        };
        if lock.header.digest() != digest {
            return;
        }
        lock.opinion = match verdict {
            Verdict::Valid => Opinion::Valid,
            Verdict::Invalid => Opinion::Invalid,
            Verdict::Pending => Opinion::Pending,
        };
        if verdict == Verdict::Invalid {
            let (from, refusal) = (sequencer.clone(), Refusal::Verdict(height));
            effects.push(Effect::Refuse { from, refusal });
        }
        self.progress(sequencer, effects);
    }

    /// Asks again for every verdict that was pending.
    fn ask_again(&mut self, effects: &mut Vec<Effect<T>>) {
        for lane in self.lanes.values_mut() {
            for lock in lane
                .locks
                .values_mut()
                .filter(|it| it.opinion == Opinion::Pending)
            {
                lock.opinion = Opinion::Asked;
                effects.push(Effect::Judge(lock.header.clone()));
            }
        }
    }

    /// Spreads newest certificates, and asks again for what is missing.
    fn ticked(&mut self, effects: &mut Vec<Effect<T>>) {
        if self.canary.is(Canary::NeverResend) {
            return;
        }
        let newest = self.newest();
        for certificates in newest.chunks(CERTIFICATES_MAX) {
            let gossip = Gossip::Certificates {
                reply: false,
                certificates: certificates.to_vec(),
            };
            effects.push(Effect::Gossip {
                to: To::AnyValidator,
                gossip,
            });
        }
        let sequencers: Vec<_> = self.lanes.keys().cloned().collect();
        for sequencer in sequencers {
            let lane = self.lanes.get_mut(&sequencer).expect("listed");
            lane.fetching.clear();
            let wanted = [lane.missing(), lane.hole()];
            for range in wanted.into_iter().flatten() {
                self.fetch(&sequencer, range, To::AnyValidator, effects);
            }
        }
        self.ask_again(effects);
    }

    fn woken(&mut self, effects: &mut Vec<Effect<T>>) {
        if self.wake_ms.is_none_or(|it| it > self.now_ms) {
            return;
        }
        self.wake_ms = None;
        let mut waiting = Vec::new();
        for (sequencer, lane) in self.lanes.iter_mut() {
            if lane.patience.is_over(self.now_ms) {
                // The sequencer has no such header yet, and answers with its newest certificate.
                let next = lane.top.height + 1;
                effects.push(Effect::Gossip {
                    to: To::Peer(sequencer.clone()),
                    gossip: Gossip::Fetch {
                        sequencer: sequencer.clone(),
                        from: next,
                        to: next,
                    },
                });
            }
            self.wake_ms = earlier(self.wake_ms, lane.patience.until_ms());
            if !lane.waiting.is_empty() {
                waiting.push(sequencer.clone());
            }
        }
        for sequencer in waiting {
            self.extend(&sequencer, effects);
        }
    }

    fn lane(&mut self, sequencer: &T::PublicKey) -> &mut Lane<T> {
        let genesis = &self.genesis;
        self.lanes
            .get_or_insert_with(sequencer, || Lane::new(genesis, sequencer))
    }

    /// Asks for a range of headers, once until the next tick.
    fn fetch(
        &mut self,
        sequencer: &T::PublicKey,
        range: RangeInclusive<u64>,
        to: To<T::PublicKey>,
        effects: &mut Vec<Effect<T>>,
    ) {
        if self.epochs.holding(sequencer).is_none() || to == To::Peer(self.me.clone()) {
            return;
        }
        let (from, upto) = range.into_inner();
        if self.lane(sequencer).fetching.insert((from, upto)) {
            let gossip = Gossip::Fetch {
                sequencer: sequencer.clone(),
                from,
                to: upto,
            };
            effects.push(Effect::Gossip { to, gossip });
        }
    }
}

fn earlier(a: Option<u64>, b: Option<u64>) -> Option<u64> {
    a.into_iter().chain(b).min()
}

fn sign<T: Types>(
    committee: &crate::types::Committee<T>,
    sequencer: &T::PublicKey,
    tip: &Tip,
) -> Option<Ack<T>> {
    let subject = tip.subject(committee.epoch(), sequencer);
    let attestation = committee.scheme().sign::<crate::types::Digest>(subject)?;
    Some(Ack {
        height: tip.height,
        digest: tip.digest,
        attestation,
    })
}

/// The journal keys of a lane's locks at some heights, in epochs up to one.
fn locks<P: Clone>(
    sequencer: &P,
    heights: RangeInclusive<u64>,
    epoch: u64,
) -> RangeInclusive<Key<P>> {
    let (from, to) = heights.into_inner();
    Key::Lock(sequencer.clone(), from, 0)..=Key::Lock(sequencer.clone(), to, epoch)
}
