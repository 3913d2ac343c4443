//! The ack manager's state.

use super::drive;
use crate::nouns::{BOUNDS, Deployed, NODES, Nouns, World};
use arbitrary::{Result, Unstructured};
use commonware_cryptography::certificate::Scheme as _;
use commonware_parallel::Sequential;
use commonware_utils::TestRng;
use drystone_engine::{
    ack_manager::{Effect, Job, Message, Pace, State},
    scheme::fixture::Free,
    types::{Digest, Tip},
    wire::{Ack, Acks},
};
use std::sync::Arc;

type T = Nouns<Free>;

/// Places that acks are collected for at once: what the sequencer has in flight, and the last certified.
const SEALED_MAX: u64 = 9;
/// An ack a validator for each place in each epoch within the bounds.
const HELD_MAX: usize = SEALED_MAX as usize * NODES * 3;

/// Plays the actor and the peers of node 0.
const PACE: Pace = Pace {
    interval_ms: 8,
    stride: 4,
};

struct Driver {
    world: &'static Arc<World<Free>>,
    state: State<T>,
    now_ms: u64,
    epoch: u64,
    /// The lowest height collected for, and the highest sealed.
    span: (u64, u64),
    job: Option<Job<T>>,
    certified: Option<(u64, u64)>,
}

fn tip(height: u64, branch: u8) -> Tip {
    Tip {
        height,
        slot: height,
        digest: Digest::from([height as u8 ^ branch; 32]),
    }
}

impl Driver {
    /// Acks as their decoder passes them: by a validator of the epoch who is also the sender. What is signed may be
    /// another header than what is shown.
    fn acked(&self, u: &mut Unstructured<'_>) -> Result<Message<T>> {
        let from = u.int_in_range(0..=NODES - 1)?;
        let epoch = (self.epoch + u.int_in_range(0..=3)?).saturating_sub(1);
        let committee = Arc::new(self.world.committee(epoch, from));
        let sequencer = self.world.names[0].clone();
        let mut acks = Vec::new();
        for _ in 0..u.int_in_range(1..=6)? {
            let height = self.span.0.saturating_sub(1) + u.int_in_range(0..=SEALED_MAX)?;
            let (shown, signed) = *u.choose(&[(0, 0), (0, 0), (0, 0), (0, 128), (128, 128)])?;
            let signed = tip(height, signed);
            let attestation = committee
                .scheme()
                .sign::<Digest>(signed.subject(epoch, &sequencer));
            acks.push(Ack {
                height,
                digest: tip(height, shown).digest,
                attestation: attestation.expect("a signer"),
            });
        }
        let from = self.world.names[from].clone();
        Ok(Message::Acked {
            from,
            acks: Acks {
                committee,
                sequencer,
                acks,
            },
        })
    }

    fn sealed(&mut self) -> Option<Message<T>> {
        if self.span.1 + 1 >= self.span.0 + SEALED_MAX {
            return None;
        }
        self.span.1 += 1;
        Some(Message::Sealed(tip(self.span.1, 0)))
    }

    /// Others show a certificate, or the chain has executed a place.
    fn moved(&mut self, u: &mut Unstructured<'_>) -> Result<Option<Message<T>>> {
        if self.span.0 > self.span.1 {
            return Ok(None);
        }
        let height = u.int_in_range(self.span.0..=self.span.1)?;
        self.span.0 = height;
        if u.arbitrary()? {
            return Ok(Some(Message::Executed(tip(height, 0))));
        }
        let certificate = self.world.certificate(self.epoch, 0, tip(height, 0));
        self.certified = self.certified.max(Some(certificate.rank()));
        Ok(Some(Message::Certified(certificate)))
    }

    fn assembled(&mut self) -> Option<Message<T>> {
        let job = self.job.take()?;
        let result = job
            .committee
            .scheme()
            .optimistic_assemble::<_, Digest, _, _>(
                &mut TestRng::new(0),
                job.tip.subject(job.committee.epoch(), &job.sequencer),
                job.pending.clone(),
                job.verified.iter(),
                &Sequential,
            );
        Some(Message::Assembled { job, result })
    }

    fn step(&mut self, u: &mut Unstructured<'_>) -> Result<()> {
        self.now_ms += u.int_in_range(0..=4)?;
        let message = match u.int_in_range(0..=12)? {
            0..=5 => Some(self.acked(u)?),
            6 | 7 => self.sealed(),
            8 => {
                self.epoch += u.int_in_range(0..=1)?;
                // A certificate that fell out of bounds holds nothing back.
                let epochs = |it: &(u64, u64)| BOUNDS.contain(self.epoch, it.1);
                self.certified = self.certified.filter(epochs);
                Some(Message::Entered(self.epoch))
            }
            9 => self.moved(u)?,
            10 => Some(Message::Woken),
            _ => self.assembled(),
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
                Effect::Assemble(job) => {
                    let signers = job.pending.len() + job.verified.len();
                    assert!(
                        signers >= job.committee.quorum(),
                        "an attempt without a quorum"
                    );
                    assert!(self.job.replace(job).is_none(), "two attempts at once");
                }
                Effect::Certified(certificate) => {
                    let rank = certificate.rank();
                    assert!(
                        self.certified < Some(rank),
                        "an older certificate after a newer one"
                    );
                    self.certified = Some(rank);
                    self.span.0 = self.span.0.max(certificate.tip.height);
                    let committee = self.world.committee(certificate.epoch, 0);
                    let genuine = certificate.verify(&committee, &mut TestRng::new(0), &Sequential);
                    assert!(genuine, "a certificate that does not verify");
                }
                Effect::Refuse { .. } => {}
            }
        }
        let held = self.state.acks_held();
        assert!(
            held <= HELD_MAX,
            "{held} acks held, at most {HELD_MAX} are allowed"
        );
    }
}

/// The ack manager.
pub fn ack_manager(data: &[u8]) {
    let world = Free::world();
    let mut driver = Driver {
        state: State::new(world.names[0].clone(), BOUNDS, PACE, 0),
        world,
        now_ms: 0,
        epoch: 0,
        span: (1, 0),
        job: None,
        certified: None,
    };
    drive(data, |u| driver.step(u));
}
