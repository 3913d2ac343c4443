//! What a swarm draws about lanes.

use crate::{draw::Draw, plan::Timed, system::Span, time::secs};
use drystone_engine::Canary;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The settings of a lane cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Seed of every key.
    pub keys: u64,
    /// The validators of each epoch, as nodes; an epoch beyond the list has the last ones.
    pub validators: Vec<Vec<usize>>,
    /// The nodes with a lane. They need not be validators.
    pub sequencers: Vec<usize>,
    /// Length of a slot.
    pub slot_ms: u64,
    /// Validity of a chunk beyond its slot.
    pub window_ms: u64,
    /// Uncertified headers of a lane, at most.
    pub in_flight_max: u64,
    /// Live chunks of a lane above its last finalized inclusion, at most.
    pub ahead_max: u64,
    /// Headers of a lane above its last finalized inclusion, at most.
    pub headers_max: u64,
    /// A sequencer has a chunk this often.
    pub chunk_every_us: u64,
    /// Chunks a sequencer seals in all, at most; 0 is no bound.
    pub chunks_max: u64,
    /// A body reaches the other nodes within this time after it was sealed.
    pub body_delay_us: u64,
    /// Chunks that the application finds invalid, of a million.
    pub invalid_ppm: u32,
    /// Questions for a verdict that the application drops, of a million.
    pub dropped_ppm: u32,
    /// The chain makes a block this often.
    pub block_every_us: u64,
    /// How many blocks execution is behind.
    pub execution_lag: u64,
    /// A node learns of a block within this time.
    pub block_delay_us: u64,
    /// How often what is missing or uncertified is asked for or sent again.
    pub rebroadcast_ms: u64,
    /// How long a certificate waits for a header to travel with.
    pub linger_ms: u64,
    /// Least time from one certificate of a lane to the next.
    #[serde(default)]
    pub interval_ms: u64,
    /// Journal sections roll at this size.
    pub section_bytes: u64,
    /// Whether headers overtake other messages on the wire.
    #[serde(default)]
    pub priority_proposals: bool,
    /// Whether acks do.
    #[serde(default)]
    pub priority_acks: bool,
    /// A bug planted in the engine of every node, for the test that shows that the properties find it. Only a build with
    /// the feature `canary` has any.
    #[serde(default)]
    pub bug: Canary,
}

impl Options {
    /// A cluster in which every node validates and sequences, with the defaults of a deployment but for a shorter
    /// window; light load.
    pub fn all(nodes: usize) -> Self {
        Self {
            keys: 0,
            validators: vec![(0..nodes).collect()],
            sequencers: (0..nodes).collect(),
            slot_ms: 1,
            window_ms: 60_000,
            in_flight_max: 32,
            ahead_max: 256,
            headers_max: 1024,
            chunk_every_us: 100_000,
            chunks_max: 0,
            body_delay_us: 0,
            invalid_ppm: 0,
            dropped_ppm: 0,
            block_every_us: 500_000,
            execution_lag: 1,
            block_delay_us: 20_000,
            rebroadcast_ms: 250,
            linger_ms: 20,
            interval_ms: 20,
            section_bytes: 1 << 16,
            priority_proposals: false,
            priority_acks: false,
            bug: Canary::None,
        }
    }

    /// The validators of an epoch.
    pub fn validators_of(&self, epoch: u64) -> &[usize] {
        let index = usize::try_from(epoch).unwrap_or(usize::MAX);
        let last = self.validators.last().expect("an epoch has validators");
        self.validators.get(index).unwrap_or(last)
    }

    /// The cluster without a node: its vote and its lane go with it.
    pub(crate) fn without(&self, gone: usize) -> Self {
        let fewer = |nodes: &[usize]| {
            let kept = nodes.iter().filter(|node| **node != gone);
            kept.map(|node| node - usize::from(*node > gone)).collect()
        };
        Self {
            validators: self.validators.iter().map(|it| fewer(it)).collect(),
            sequencers: fewer(&self.sequencers),
            ..self.clone()
        }
    }

    pub(crate) fn draw(draw: &mut Draw, nodes: usize) -> Self {
        let base = Self::all(nodes);
        let in_flight_max = draw.within(1..=32);
        let ahead_max = in_flight_max * draw.within(1..=8);
        // One node in four clusters of five and more sequences without a vote.
        let external = nodes > 4 && draw.chance(250_000);
        let voters: Vec<usize> = (0..nodes - usize::from(external)).collect();
        let mut sequencers: Vec<usize> = (0..nodes).collect();
        if draw.coin() {
            let count = 1 + draw.index(nodes);
            sequencers = draw.distinct(count, nodes);
            if external && !sequencers.contains(&(nodes - 1)) {
                sequencers.push(nodes - 1);
            }
            sequencers.sort_unstable();
        }
        let invalid = draw.chance(200_000);
        Self {
            keys: draw.bits() >> 1,
            validators: vec![voters],
            sequencers,
            slot_ms: *draw.pick(&[1, 1, 5, 20]),
            // An invalid chunk holds its lane until it expires, so with them the window is short.
            window_ms: if invalid {
                draw.within(1_000..=4_000)
            } else {
                draw.magnitude(2_000..=60_000)
            },
            in_flight_max,
            ahead_max,
            headers_max: 4 * ahead_max * draw.within(1..=2),
            chunk_every_us: draw.magnitude(20_000..=2_000_000),
            chunks_max: 0,
            body_delay_us: if draw.coin() {
                0
            } else {
                draw.magnitude(1_000..=300_000)
            },
            invalid_ppm: if invalid {
                draw.magnitude(1_000..=30_000) as u32
            } else {
                0
            },
            dropped_ppm: if draw.chance(200_000) {
                draw.magnitude(1_000..=200_000) as u32
            } else {
                0
            },
            block_every_us: draw.magnitude(100_000..=2_000_000),
            execution_lag: draw.within(0..=4),
            block_delay_us: draw.magnitude(1_000..=300_000),
            rebroadcast_ms: draw.magnitude(100..=1_000),
            linger_ms: draw.within(0..=50),
            section_bytes: draw.magnitude(1 << 12..=1 << 18),
            interval_ms: draw.within(0..=50),
            priority_proposals: draw.coin(),
            priority_acks: draw.coin(),
            ..base
        }
    }
}

/// What a node does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Keeps the protocol.
    #[default]
    Honest,
    /// Signs a second header for some of its heights and shows it to some validators.
    Equivocates,
    /// Signs a second header for every height and shows it to one validator alone: before the first one, again once that
    /// is certified, and now and then for ever.
    ShowsTwins {
        /// The validator, as a node.
        to: usize,
    },
    /// Sends bytes that are no messages, forged certificates, and headers of other lanes that it signed itself.
    SendsGarbage,
    /// Its bodies reach the other nodes only at a time, if at all.
    Withholds {
        /// When, in virtual microseconds.
        until_us: u64,
    },
    /// Says, and lets its engine believe, that it is in an epoch that nobody else has entered.
    ClaimsEpoch {
        /// The epoch.
        epoch: u64,
    },
}

/// What is done to a lane cluster.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Nodes enter an epoch, each with its own delay.
    Enter {
        /// The epoch.
        epoch: u64,
    },
    /// The chain makes no block.
    StallChain,
    /// The chain makes blocks again.
    ResumeChain,
    /// Chain time jumps ahead with the next block.
    JumpChain {
        /// By how much.
        ms: u64,
    },
}

/// The actions of a swarm: epochs, stalls and jumps. Chain time never runs ahead of what clocks say for long: a jump
/// is bounded by a second.
pub(crate) fn draw_actions(draw: &mut Draw, span: Span) -> Vec<Timed<Action>> {
    let mut actions = BTreeMap::new();
    let mut epoch = 0;
    if draw.coin() {
        for _ in 0..draw.within(1..=4) {
            let at_us = draw.within(0..=span.safety_us);
            actions.insert((at_us, 0), ());
        }
    }
    let mut timed: Vec<Timed<Action>> = Vec::new();
    for (at_us, _) in actions.into_keys() {
        epoch += 1;
        timed.push(Timed {
            at_us,
            action: Action::Enter { epoch },
        });
    }
    if draw.chance(300_000) {
        let at_us = draw.within(0..=span.safety_us);
        let until_us = (at_us + draw.magnitude(secs(1)..=secs(8))).min(span.safety_us);
        timed.push(Timed {
            at_us,
            action: Action::StallChain,
        });
        timed.push(Timed {
            at_us: until_us,
            action: Action::ResumeChain,
        });
    }
    if draw.chance(300_000) {
        let at_us = draw.within(0..=span.safety_us);
        let ms = draw.within(1..=1_000);
        timed.push(Timed {
            at_us,
            action: Action::JumpChain { ms },
        });
    }
    timed
}
