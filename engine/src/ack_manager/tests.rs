use super::{Effect, Job, Message, Pace, State};
use crate::{
    refusal::{Class, Refusal},
    testing::{Nouns, World},
    types::{Certificate, Digest, Signed},
};
use commonware_cryptography::certificate::Scheme as _;
use commonware_parallel::Sequential;
use commonware_utils::test_rng;
use std::sync::Arc;

mod bounds;
mod pace;

/// Whose lane is certified.
const ME: usize = 0;

/// One node's ack manager, whose assemblies the test carries out.
struct Manager<'a> {
    world: &'a World,
    state: State<Nouns>,
    now_ms: u64,
}

impl<'a> Manager<'a> {
    /// Assembles at every height it can.
    fn new(world: &'a World, in_flight: &[Arc<Signed<Nouns>>]) -> Self {
        let pace = Pace {
            interval_ms: 0,
            stride: 1,
        };
        Self::paced(world, in_flight, pace)
    }

    fn paced(world: &'a World, in_flight: &[Arc<Signed<Nouns>>], pace: Pace) -> Self {
        let mut manager = Self {
            world,
            state: State::new(world.key(ME), world.bounds, pace, 0),
            now_ms: crate::testing::NOW_MS,
        };
        for header in in_flight {
            assert!(manager.tell(Message::Sealed(header.tip())).is_empty());
        }
        manager
    }

    fn tell(&mut self, message: Message<Nouns>) -> Vec<Effect<Nouns>> {
        let mut effects = Vec::new();
        self.state.apply(self.now_ms, message, &mut effects);
        effects
    }

    fn acks(
        &mut self,
        from: usize,
        epoch: u64,
        headers: &[Arc<Signed<Nouns>>],
    ) -> Vec<Effect<Nouns>> {
        let acks = self.world.acks(ME, from, epoch, headers);
        self.tell(Message::Acked {
            from: self.world.key(from),
            acks,
        })
    }

    /// Acks with the signatures of another header.
    fn forged(
        &mut self,
        from: usize,
        epoch: u64,
        header: &Signed<Nouns>,
        stolen: &Arc<Signed<Nouns>>,
    ) -> Vec<Effect<Nouns>> {
        let mut acks = self
            .world
            .acks(ME, from, epoch, std::slice::from_ref(stolen));
        acks.acks[0].height = header.height();
        acks.acks[0].digest = header.digest();
        self.tell(Message::Acked {
            from: self.world.key(from),
            acks,
        })
    }

    /// Carries out assemblies until none follows from another. Returns all effects but those.
    fn carry_out(&mut self, effects: Vec<Effect<Nouns>>) -> Vec<Effect<Nouns>> {
        let mut done = Vec::new();
        let mut fresh = effects;
        while !fresh.is_empty() {
            let mut next = Vec::new();
            for effect in fresh {
                match effect {
                    Effect::Assemble(job) => {
                        let result = assemble(&job);
                        next.extend(self.tell(Message::Assembled { job, result }));
                    }
                    other => done.push(other),
                }
            }
            fresh = next;
        }
        done
    }

    fn acked(
        &mut self,
        from: usize,
        epoch: u64,
        headers: &[Arc<Signed<Nouns>>],
    ) -> Vec<Effect<Nouns>> {
        let effects = self.acks(from, epoch, headers);
        self.carry_out(effects)
    }
}

type Assembled = Result<
    crate::types::Proof<Nouns>,
    commonware_cryptography::certificate::Verification<<Nouns as crate::types::Types>::Scheme>,
>;

fn assemble(job: &Job<Nouns>) -> Assembled {
    let subject = job.tip.subject(job.committee.epoch(), &job.sequencer);
    let (pending, verified) = (job.pending.clone(), job.verified.iter());
    let scheme = job.committee.scheme();
    scheme.optimistic_assemble::<_, Digest, _, _>(
        &mut test_rng(),
        subject,
        pending,
        verified,
        &Sequential,
    )
}

fn certificates(effects: &[Effect<Nouns>]) -> Vec<Arc<Certificate<Nouns>>> {
    let certificates = effects.iter().filter_map(|it| match it {
        Effect::Certified(certificate) => Some(certificate.clone()),
        _ => None,
    });
    certificates.collect()
}

fn ranks(effects: &[Effect<Nouns>]) -> Vec<(u64, u64)> {
    certificates(effects).iter().map(|it| it.rank()).collect()
}

fn refused(world: &World, effects: &[Effect<Nouns>]) -> Vec<(usize, Refusal)> {
    let refusals = effects.iter().filter_map(|it| match it {
        Effect::Refuse { from, refusal } => Some((world.who(from), refusal.clone())),
        _ => None,
    });
    refusals.collect()
}

fn jobs(effects: &[Effect<Nouns>]) -> Vec<(u64, u64)> {
    let jobs = effects.iter().filter_map(|it| match it {
        Effect::Assemble(job) => Some((job.tip.height, job.committee.epoch())),
        _ => None,
    });
    jobs.collect()
}

// L-04, D-03
#[test]
fn a_quorum_certifies_once_and_one_less_does_not() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    let mut manager = Manager::new(&world, &lane);
    assert!(manager.acked(0, 0, &lane).is_empty());
    assert!(manager.acked(1, 0, &lane).is_empty());
    let effects = manager.acked(2, 0, &lane);
    let certificate = certificates(&effects).pop().expect("three of four");
    assert!(certificate.verify(&world.committee(6, 0), &mut test_rng(), &Sequential));
    assert!(
        manager.acked(3, 0, &lane).is_empty(),
        "a late ack is dropped in silence"
    );
    assert_eq!(manager.state.acks_held(), 0);
}

// L-04, D-03
#[test]
fn a_duplicate_ack_counts_once() {
    let world = World::new();
    let lane = world.lane(ME, 1);
    let mut manager = Manager::new(&world, &lane);
    manager.acked(1, 0, &lane);
    for _ in 0..5 {
        let effects = manager.acked(1, 0, &lane);
        assert_eq!(refused(&world, &effects), [(1, Refusal::DuplicateAck(1))]);
    }
    assert!(
        !Refusal::DuplicateAck(1).is_attributable(),
        "an honest one resends"
    );
    assert_eq!(manager.state.acks_held(), 1);
}

// L-04, L-23, D-25
#[test]
fn acks_of_another_header_height_lane_or_epoch_are_not_counted() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let fork = world.branch(ME, world.root(ME), 1, 1);
    let others = world.lane(3, 1);
    let mut manager = Manager::new(&world, &lane[..1]);
    for from in [0, 1, 2, 3] {
        let other = manager.acked(from, 0, &fork);
        assert_eq!(refused(&world, &other), [(from, Refusal::OtherHeader(1))]);
        let unsealed = manager.acked(from, 0, &lane[1..]);
        assert_eq!(
            refused(&world, &unsealed),
            [(from, Refusal::NotInFlight(2))]
        );
        assert!(manager.acked(from, 0, &others).is_empty(), "another's lane");
        assert!(
            manager.acked(from, 2, &lane[..1]).is_empty(),
            "beyond the bounds"
        );
        assert_eq!(manager.state.acks_held(), 0);
    }
    for refusal in [Refusal::OtherHeader(1), Refusal::NotInFlight(2)] {
        assert_eq!(
            (refusal.class(), refusal.is_attributable()),
            (Class::Broadcast, false)
        );
    }
}

// L-04, D-03: nobody pays for a forger, and no signature is checked twice.
#[test]
fn forged_acks_are_found_and_charged_and_the_rest_certifies() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut manager = Manager::new(&world, &lane[..1]);
    manager.acked(0, 0, &lane[..1]);
    manager.forged(1, 0, &lane[0], &lane[1]);
    let effects = manager.acked(2, 0, &lane[..1]);
    let refusal = Refusal::AckSignature(1);
    assert_eq!(refused(&world, &effects), [(1, refusal.clone())]);
    assert_eq!(
        (refusal.class(), refusal.is_attributable()),
        (Class::Signature, true)
    );
    assert_eq!((ranks(&effects), manager.state.acks_held()), (vec![], 2));

    assert!(
        manager.acked(1, 0, &lane[..1]).is_empty(),
        "it had its chance"
    );
    let effects = manager.acks(3, 0, &lane[..1]);
    let [Effect::Assemble(job)] = &effects[..] else {
        panic!("one attempt")
    };
    assert_eq!((job.pending.len(), job.verified.len()), (1, 2));
    let effects = manager.carry_out(effects);
    assert_eq!(
        (ranks(&effects), refused(&world, &effects)),
        (vec![(1, 0)], vec![])
    );
}

// L-04: one check serves many chunks.
#[test]
fn the_highest_quorum_alone_is_assembled() {
    let world = World::new();
    let lane = world.lane(ME, 4);
    let mut manager = Manager::new(&world, &lane);
    manager.acked(0, 0, &lane);
    manager.acked(1, 0, &lane[..3]);
    let effects = manager.acks(2, 0, &lane);
    assert_eq!(jobs(&effects), [(3, 0)]);
    assert_eq!(ranks(&manager.carry_out(effects)), [(3, 0)]);
    assert_eq!(manager.state.acks_held(), 2, "of 4");
    assert_eq!(ranks(&manager.acked(1, 0, &lane[3..])), [(4, 0)]);
}

// L-04: what arrives during an attempt is served by the next one.
#[test]
fn one_assembly_is_under_way_at_a_time() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut manager = Manager::new(&world, &lane);
    let mut first = Vec::new();
    for from in [0, 1, 2] {
        first.extend(manager.acks(from, 0, &lane[..1]));
    }
    assert_eq!(jobs(&first), [(1, 0)]);
    for from in [1, 2, 3] {
        assert!(manager.acks(from, 0, &lane[1..]).is_empty());
    }
    assert_eq!(ranks(&manager.carry_out(first)), [(1, 0), (2, 0)]);
}

// D-03: the forger sends a good one while the bad one is being checked.
#[test]
fn an_ack_sent_again_while_the_first_is_checked_counts_once() {
    let world = World::new();
    let lane = world.lane(ME, 2);
    let mut manager = Manager::new(&world, &lane[..1]);
    manager.acked(0, 0, &lane[..1]);
    manager.forged(1, 0, &lane[0], &lane[1]);
    let first = manager.acks(2, 0, &lane[..1]);
    for from in [0, 1, 2] {
        assert!(manager.acks(from, 0, &lane[..1]).is_empty());
    }
    let effects = manager.carry_out(first);
    assert_eq!(
        (ranks(&effects), refused(&world, &effects).len()),
        (vec![], 1)
    );
    assert_eq!(manager.state.acks_held(), 2, "0 and 2, once each");
}
