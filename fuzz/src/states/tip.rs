//! The tip manager's state.

use super::{
    drive,
    journal::Journal,
    lanes::{HEIGHTS, lanes},
};
use crate::nouns::{self, Deployed, NODES, Nouns, World};
use arbitrary::{Result, Unstructured};
use commonware_parallel::Sequential;
use commonware_utils::TestRng;
use drystone_engine::{
    Activity, Canary, Horizon, Record, Verdict,
    scheme::fixture::Free,
    tip_manager::{Candidate, Effect, Message, State, StateConfig, entered},
    types::{Certificate, Digest, Evidence, Signed, Tip},
    wire::{Acks, Envelope, Gossip, message_size_max},
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

type T = Nouns<Free>;
type Name = nouns::Name<Free>;

/// Of a lane: what lies above its executed inclusion on the branch that is certified, and three windows of 8 beside it
/// (locked, waiting, left over from an earlier epoch).
const HELD_MAX: usize = NODES * (HEIGHTS + 3 * 8);

/// Plays the actor, the application, the disk and the peers of node 0.
struct Driver {
    world: &'static Arc<World<Free>>,
    canary: Canary,
    state: State<T>,
    journal: Journal<T>,
    checks: VecDeque<Vec<Candidate<T>>>,
    judging: Vec<Arc<Signed<T>>>,
    now_ms: u64,
    epoch: u64,
    executed: [usize; NODES],
    finalized_ms: u64,
    /// What was acked, by epoch, lane and height, over all lives.
    acked: BTreeMap<(u64, Name, u64), Digest>,
    newest_acked: u64,
}

impl Driver {
    fn new(canary: Canary) -> Self {
        let world = Free::world();
        let first = vec![Record::Entered { epoch: 0 }];
        Self {
            state: restore(world, canary, &first),
            journal: Journal::new(first),
            world,
            canary,
            checks: VecDeque::new(),
            judging: Vec::new(),
            now_ms: 0,
            epoch: 0,
            executed: [0; NODES],
            finalized_ms: 0,
            acked: BTreeMap::new(),
            newest_acked: 0,
        }
    }

    fn name(&self, u: &mut Unstructured<'_>) -> Result<Name> {
        Ok(self.world.names[u.int_in_range(0..=NODES - 1)?].clone())
    }

    /// A certificate of the first branch, which is the one that 2f+1 sign; or a forged one of the other.
    fn certificate(&self, u: &mut Unstructured<'_>, lane: usize) -> Result<Arc<Certificate<T>>> {
        let index = u.int_in_range(0..=HEIGHTS - 1)?;
        let epoch = (self.epoch + u.int_in_range(0..=2)?).saturating_sub(1);
        let tip = |branch: usize| lanes(self.world)[lane][branch][index].tip();
        let genuine = self.world.certificate(epoch, lane, tip(0));
        if u.ratio(3, 4)? {
            return Ok(genuine);
        }
        let tip = Tip { slot: 99, ..tip(1) };
        Ok(Arc::new(Certificate {
            tip,
            ..(*genuine).clone()
        }))
    }

    fn delivered(&self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        let (from, lane) = (self.name(u)?, u.int_in_range(0..=NODES - 1)?);
        let branch = u.int_in_range(0..=1)?;
        let start = if u.arbitrary()? {
            0
        } else {
            u.int_in_range(0..=HEIGHTS - 1)?
        };
        let count = u.int_in_range(0..=12)?;
        let headers = lanes(self.world)[lane][branch][start..].iter().take(count);
        let certificate = if u.ratio(1, 4)? {
            Some(self.certificate(u, lane)?)
        } else {
            None
        };
        let headers = headers.cloned().collect();
        let sequencer = self.world.names[lane].clone();
        Ok(Message::Delivered {
            from,
            envelope: Envelope {
                sequencer,
                headers,
                certificate,
            },
        })
    }

    fn gossiped(&self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        let from = self.name(u)?;
        let gossip = match u.int_in_range(0..=2)? {
            0 => {
                let lane = u.int_in_range(0..=NODES - 1)?;
                let certificates = vec![self.certificate(u, lane)?];
                Gossip::Certificates {
                    reply: u.arbitrary()?,
                    certificates,
                }
            }
            1 => {
                let from = u.int_in_range(1..=HEIGHTS as u64)?;
                let to = from + u.int_in_range(0..=100)?;
                Gossip::Fetch {
                    sequencer: self.name(u)?,
                    from,
                    to,
                }
            }
            _ => Gossip::Ask {
                nonce: u.arbitrary()?,
            },
        };
        Ok(Message::Gossiped { from, gossip })
    }

    /// The chain includes the first branch of a lane up to a height, and has executed it.
    fn advanced(&mut self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        self.finalized_ms += u.int_in_range(0..=300)?;
        let lane = u.int_in_range(0..=NODES - 1)?;
        let count = (self.executed[lane] + u.int_in_range(0..=4)?).min(HEIGHTS);
        self.executed[lane] = count;
        let mut horizon = Horizon {
            finalized_ms: self.finalized_ms,
            executed_ms: self.finalized_ms,
            ..Horizon::default()
        };
        if let Some(header) = count
            .checked_sub(1)
            .map(|it| &lanes(self.world)[lane][0][it])
        {
            let sequencer = self.world.names[lane].clone();
            horizon.included.insert(sequencer.clone(), header.tip());
            horizon.executed.insert(sequencer, header.tip());
        }
        Ok(Message::Advanced(horizon))
    }

    fn checked(&mut self) -> Option<Message<T>> {
        let candidates = self.checks.pop_front()?;
        let check = |it: Candidate<T>| {
            let committee = self.world.committee(it.certificate.epoch, 0);
            let genuine = it
                .certificate
                .verify(&committee, &mut TestRng::new(0), &Sequential);
            (it, genuine)
        };
        Some(Message::Checked(
            candidates.into_iter().map(check).collect(),
        ))
    }

    fn judged(&mut self, u: &mut Unstructured<'_>) -> Result<Option<Message<T>>> {
        if self.judging.is_empty() {
            return Ok(None);
        }
        let header = self
            .judging
            .swap_remove(u.choose_index(self.judging.len())?);
        let verdicts = [
            Verdict::Valid,
            Verdict::Valid,
            Verdict::Invalid,
            Verdict::Pending,
        ];
        Ok(Some(Message::Judged {
            sequencer: header.header().sequencer.clone(),
            height: header.height(),
            digest: header.digest(),
            verdict: *u.choose(&verdicts)?,
        }))
    }

    fn restarted(&mut self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        let kept = u.int_in_range(0..=self.journal.unsynced())?;
        let records = self.journal.restart(kept, u.arbitrary()?);
        self.state = restore(self.world, self.canary, &records);
        self.checks.clear();
        self.judging.clear();
        Ok(Message::Started)
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=8)?;
        let message = match u.int_in_range(0..=15)? {
            0..=4 => Some(self.delivered(u)?),
            5 => Some(self.gossiped(u)?),
            6 | 7 => self.checked(),
            8 | 9 => self.judged(u)?,
            10 | 11 => {
                let more = u.int_in_range(0..=self.journal.unsynced())?;
                Some(Message::Synced(self.journal.sync(more)))
            }
            12 => {
                self.epoch += u.int_in_range(0..=1)?;
                Some(Message::Entered(self.epoch))
            }
            13 => Some(self.advanced(u)?),
            14 => Some(match u.int_in_range(0..=2)? {
                0 => Message::Stirred,
                1 => Message::Ticked,
                _ => Message::Woken,
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
            self.carry_out(effect);
        }
        let held = self.state.headers_held();
        assert!(
            held <= HELD_MAX,
            "{held} headers held, at most {HELD_MAX} are allowed"
        );
    }

    fn carry_out(&mut self, effect: Effect<T>) {
        let sent = match effect {
            Effect::Journal(record) => return self.journal.append(record),
            Effect::Forget(keys) => return self.journal.forget(keys),
            Effect::Judge(header) => return self.judging.push(header),
            Effect::Check(candidates) => return self.checks.push_back(candidates),
            Effect::Report(activity) => return self.reported(&activity),
            Effect::Serve { .. } | Effect::Refuse { .. } | Effect::Walked(..) => return,
            Effect::Ack(acks) => {
                self.acked(&acks);
                acks.encode()
            }
            Effect::Answer { envelope, .. } => {
                let committee = self.state.epochs().holding(&envelope.sequencer);
                envelope.encode(&committee.expect("a lane that is shown has a committee"))
            }
            Effect::Gossip { gossip, .. } => gossip.encode(self.state.epochs()),
            Effect::Tell { told, .. } => told.encode(),
        };
        let size_max = message_size_max::<T>(NODES as u32);
        assert!(
            sent.len() <= size_max,
            "a message of {} bytes, at most {size_max}",
            sent.len()
        );
    }

    fn acked(&mut self, acks: &Acks<T>) {
        let epoch = acks.committee.epoch();
        assert!(
            epoch >= self.newest_acked,
            "acks in epoch {epoch} after {}",
            self.newest_acked
        );
        self.newest_acked = epoch;
        for ack in &acks.acks {
            let key = (epoch, acks.sequencer.clone(), ack.height);
            let before = *self.acked.entry(key).or_insert(ack.digest);
            assert!(
                before == ack.digest,
                "two acks at height {} in epoch {epoch}",
                ack.height
            );
            let durable = self.journal.durable().iter().any(|record| match record {
                Record::Lock { epoch: of, header } => *of == epoch && header.digest() == ack.digest,
                Record::Base { tip, .. } => tip.digest == ack.digest,
                _ => false,
            });
            assert!(
                durable,
                "height {} is acked before its lock is durable",
                ack.height
            );
        }
    }

    fn reported(&self, activity: &Activity<T>) {
        let Activity::Evidence(evidence) = activity else {
            return;
        };
        let namespace = self.world.genesis.header_namespace();
        let committee = match evidence {
            Evidence::Certified(_, it) => Some(self.world.committee(it.epoch, 0)),
            Evidence::Headers(..) => None,
        };
        let mut rng = TestRng::new(0);
        let genuine = evidence.verify(&namespace, committee.as_ref(), &mut rng, &Sequential);
        assert!(genuine, "evidence that proves nothing");
    }
}

fn restore(world: &'static Arc<World<Free>>, canary: Canary, records: &[Record<T>]) -> State<T> {
    let epoch = entered(records).expect("the journal of a node that has started");
    let config = StateConfig {
        genesis: world.genesis.clone(),
        me: world.names[0].clone(),
        epochs: world.epochs(epoch, 0),
        canary,
    };
    State::restore(config, records)
}

/// The tip manager without a planted bug.
pub fn tip_manager(data: &[u8]) {
    tip_manager_with(Canary::None, data);
}

/// The tip manager with one.
pub fn tip_manager_with(canary: Canary, data: &[u8]) {
    let mut driver = Driver::new(canary);
    drive(data, |u| driver.step(u));
}
