//! The hot three, over free signatures: what remains is this crate's own work.
//!
//! In a profile of loaded lanes they are what the engine does most: the tip manager takes a delivered envelope as far
//! as the ack, the ack manager makes acks a certificate, the journal makes locks durable.

use super::kit::{EPOCH, Nouns, World, envelope, locks::Client};
use commonware_cryptography::certificate::Scheme as _;
use commonware_parallel::Sequential;
use commonware_runtime::{Runner as _, Supervisor as _, deterministic};
use commonware_utils::TestRng;
use drystone_engine::{
    Canary, Horizon, Record, Verdict, ack_manager,
    scheme::fixture::Free,
    tip_manager::{self, Effect, Message},
    types::{Bounds, Digest, Signed},
};
use std::{hint::black_box, slice, sync::Arc};

/// One of them.
pub struct Hot {
    pub name: &'static str,
    /// As many as make a run that is short under callgrind.
    pub rounds: u64,
    /// Does so many rounds.
    pub run: fn(u64),
}

pub const HOT: [Hot; 3] = [
    Hot {
        name: "tip_manager_envelope_to_ack",
        rounds: 500,
        run: envelopes,
    },
    Hot {
        name: "ack_manager_quorum_to_certificate",
        rounds: 200,
        run: certificates,
    },
    Hot {
        name: "journal_append_and_sync_32_locks",
        rounds: 100,
        run: syncs,
    },
];

/// The function that callgrind counts in, by name.
pub const MEASURED: &str = "counted_by_callgrind";

#[inline(never)]
fn counted_by_callgrind<T>(work: impl FnOnce() -> T) -> T {
    black_box(work())
}

/// Validators: a quorum is 17.
const VALIDATORS: u32 = 25;
/// The chain includes and executes the lane this often, so that nothing grows for ever.
const BLOCK: usize = 50;

/// Locks that share a sync.
const LOCKS: u64 = 32;
/// The runtime's storage in memory copies a blob on every sync: small sections leave the journal's own work to be seen.
const SECTION_BYTES: u64 = 1 << 16;
/// No slot is in the future.
const NOW_MS: u64 = 1_000_000;

type N = Nouns<Free>;

/// A tip manager, and what stands for the rest of its node: an application that agrees, checks that succeed, a disk
/// that syncs after each message.
struct Validator {
    state: tip_manager::State<N>,
    effects: Vec<Effect<N>>,
    acks: u64,
}

impl Validator {
    fn new(world: &World<Free>) -> Self {
        let config = tip_manager::StateConfig {
            genesis: world.genesis.clone(),
            me: world.names[1].clone(),
            epochs: world.epochs(1),
            canary: Canary::None,
        };
        Self {
            state: tip_manager::State::restore(config, &[Record::Entered { epoch: EPOCH }]),
            effects: Vec::new(),
            acks: 0,
        }
    }

    /// Takes a message, and all that follows from it.
    fn take(&mut self, message: Message<N>) {
        let mut messages = vec![message];
        while let Some(message) = messages.pop() {
            let journaled = self.state.position();
            self.state.apply(NOW_MS, message, &mut self.effects);
            if self.state.position() > journaled {
                messages.push(Message::Synced(self.state.position()));
            }
            for effect in self.effects.drain(..) {
                match effect {
                    Effect::Judge(header) => messages.push(Message::Judged {
                        sequencer: header.header().sequencer.clone(),
                        height: header.height(),
                        digest: header.digest(),
                        verdict: Verdict::Valid,
                    }),
                    Effect::Check(candidates) => {
                        let checked = candidates.into_iter().map(|it| (it, true));
                        messages.push(Message::Checked(checked.collect()));
                    }
                    Effect::Ack(acks) => self.acks += acks.acks.len() as u64,
                    _ => {}
                }
            }
        }
    }
}

/// A lane delivers a header at a time, with the certificate of the one before; each is judged, locked, synced and
/// acked, and each certificate checked.
fn envelopes(rounds: u64) {
    let world = World::<Free>::new(VALIDATORS);
    let from = &world.names[0];
    let headers = world.headers(0, world.root(0), 1, rounds);
    let mut certificate = None;
    let mut envelopes = Vec::new();
    for header in &headers {
        envelopes.push(envelope(slice::from_ref(header), certificate));
        certificate = Some(world.certificate(0, header.tip()));
    }
    let mut validator = Validator::new(&world);
    counted_by_callgrind(|| {
        for (index, envelope) in envelopes.into_iter().enumerate() {
            let from = from.clone();
            validator.take(Message::Delivered { from, envelope });
            // What is not certified yet is not included.
            if index > 0 && index % BLOCK == 0 {
                let tip = [(world.names[0].clone(), headers[index - 1].tip())];
                validator.take(Message::Advanced(Horizon {
                    included: tip.clone().into(),
                    executed: tip.into(),
                    ..Horizon::default()
                }));
            }
        }
    });
    assert_eq!(validator.acks, rounds, "every header was acked once");
}

/// A quorum of validators acks one header at a time; each time the acks are checked together and become a certificate.
fn certificates(rounds: u64) {
    let world = World::<Free>::new(VALIDATORS);
    let headers = world.headers(0, world.root(0), 1, rounds);
    let acked = |header: &Arc<Signed<N>>| {
        let acks = (0..world.quorum()).map(|validator| {
            let acks = world.acks(validator, 0, &[header.tip()]);
            (world.names[validator].clone(), acks)
        });
        (header.tip(), acks.collect::<Vec<_>>())
    };
    let acked: Vec<_> = headers.iter().map(acked).collect();
    let bounds = Bounds { past: 1, future: 1 };
    let pace = ack_manager::Pace {
        interval_ms: 0,
        stride: 1,
    };
    let mut state = ack_manager::State::<N>::new(world.names[0].clone(), bounds, pace, EPOCH);
    let mut effects = Vec::new();
    let mut certificates = 0;
    counted_by_callgrind(|| {
        for (tip, acks) in acked {
            state.apply(NOW_MS, ack_manager::Message::Sealed(tip), &mut effects);
            for (from, acks) in acks {
                let message = ack_manager::Message::Acked { from, acks };
                state.apply(NOW_MS, message, &mut effects);
            }
            while let Some(effect) = effects.pop() {
                match effect {
                    ack_manager::Effect::Assemble(job) => {
                        state.apply(NOW_MS, assemble(job), &mut effects);
                    }
                    ack_manager::Effect::Certified(_) => certificates += 1,
                    ack_manager::Effect::Refuse { .. } => {}
                }
            }
        }
    });
    assert_eq!(certificates, rounds, "every header was certified");
}

/// As the actor does it, on this thread.
fn assemble(mut job: ack_manager::Job<N>) -> ack_manager::Message<N> {
    let pending = std::mem::take(&mut job.pending);
    let subject = job.tip.subject(job.committee.epoch(), &job.sequencer);
    let result = job
        .committee
        .scheme()
        .optimistic_assemble::<_, Digest, _, _>(
            &mut TestRng::new(0),
            subject,
            pending,
            job.verified.iter(),
            &Sequential,
        );
    ack_manager::Message::Assembled { job, result }
}

/// Locks become durable and are forgotten, on the deterministic runtime with its storage in memory.
fn syncs(rounds: u64) {
    counted_by_callgrind(|| {
        deterministic::Runner::default().start(async |context| {
            let mut client = Client::open(context.child("journal"), LOCKS, SECTION_BYTES).await;
            for _ in 0..rounds {
                client.round().await;
            }
        });
    });
}
