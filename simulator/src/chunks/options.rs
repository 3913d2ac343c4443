//! What a swarm draws about chunks.

use crate::{draw::Draw, lanes, plan::Timed, system::Span, time::secs};
use drystone_actors::Canary;
use serde::{Deserialize, Serialize};

/// The settings of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Those of its lanes. What they say of the double of bodies counts for nothing here.
    pub lanes: lanes::Options,
    /// Largest body of a chunk.
    pub chunk_bytes_max: u32,
    /// Most payments in a chunk.
    pub chunk_items_max: u32,
    /// The largest payment.
    pub payment_bytes_max: u32,
    /// A chunk is due with so many payments.
    pub seal_items: usize,
    /// A chunk is due when its first payment has waited so long.
    pub seal_ms: u64,
    /// Whether nodes make chunks at all: without them gossip is all that spreads payments.
    pub packs: bool,
    /// How long another node's client's payment is left to that node.
    pub takeover_ms: u64,
    /// How much longer each further node waits.
    pub stagger_ms: u64,
    /// Payments a mempool holds.
    pub pool_items_max: usize,
    /// Payments it holds of one account.
    pub account_items_max: usize,
    /// How long ids wait for others to travel with.
    #[serde(default)]
    pub lingers: Lingers,
    /// How often what is pending is announced again.
    pub reannounce_ms: u64,
    /// Peers that what was fetched is announced to.
    pub fanout: usize,
    /// Length of the period of the chunk store's rate.
    pub rate_period_ms: u64,
    /// Chunks of one producer in a period, at most.
    pub rate_chunks_max: u64,
    /// Chunks whose expiry falls in one span of this length go together.
    pub bucket_ms: u64,
    /// Blocks whose bodies are kept.
    pub retention_blocks: u64,
    /// How long a push is waited for.
    pub patience_ms: u64,
    /// How long an answer to a fetch is waited for.
    pub timeout_ms: u64,
    /// Certificates kept of a lane.
    pub certificates_max: usize,
    /// Whether certificates do not tell who signed, as those of threshold schemes do not.
    #[serde(default)]
    pub unattributed: bool,
    /// A bug planted in the actors of every node. Only a build with the feature `canary` has any.
    #[serde(default)]
    pub bug: Canary,
}

/// How long ids wait for others to travel with; see [`drystone_actors::mempool::GossipConfig`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Lingers {
    /// Before they are announced.
    pub announce_ms: u64,
    /// Longer, if this node may pack what they name.
    pub pack_ms: u64,
    /// Before they are asked for.
    pub fetch_ms: u64,
}

impl Default for Lingers {
    /// Hardly: gossip is as busy as can be.
    fn default() -> Self {
        Self {
            announce_ms: 5,
            pack_ms: 0,
            fetch_ms: 5,
        }
    }
}

impl Options {
    /// A cluster in which every node validates and sequences.
    pub fn all(nodes: usize) -> Self {
        Self {
            lanes: lanes::Options::all(nodes),
            chunk_bytes_max: 8_192,
            chunk_items_max: 64,
            payment_bytes_max: 1_024,
            seal_items: 32,
            seal_ms: 50,
            packs: true,
            takeover_ms: 1_000,
            stagger_ms: 200,
            pool_items_max: 4_096,
            account_items_max: 256,
            lingers: Lingers::default(),
            reannounce_ms: 1_000,
            fanout: 4,
            rate_period_ms: 10_000,
            rate_chunks_max: 10_000,
            bucket_ms: 1_000,
            retention_blocks: 64,
            patience_ms: 150,
            timeout_ms: 250,
            certificates_max: 4,
            unattributed: false,
            bug: Canary::None,
        }
    }

    pub(crate) fn without(&self, gone: usize) -> Self {
        Self {
            lanes: self.lanes.without(gone),
            ..self.clone()
        }
    }

    pub(crate) fn draw(draw: &mut Draw, nodes: usize) -> Self {
        let mut lanes = lanes::Options::draw(&mut draw.split("lanes"), nodes);
        // A chunk must meet a block or two before it expires, or nothing is ever executed.
        lanes.block_every_us = lanes.block_every_us.min(lanes.window_ms * 1_000 / 4);
        let payment_bytes_max = draw.within(64..=1_024) as u32;
        let chunk_items_max = draw.within(1..=64) as u32;
        // A small quota per period in half of the seeds.
        let (rate_period_ms, rate_chunks_max) = if draw.coin() {
            (draw.within(500..=4_000), draw.within(4..=64))
        } else {
            (10_000, 10_000)
        };
        let packs = !draw.chance(60_000);
        // What is never packed fills the pool.
        let pool_items_max = if packs {
            draw.magnitude(32..=4_096) as usize
        } else {
            4_096
        };
        let account_items_max = if packs {
            draw.within(4..=pool_items_max as u64) as usize
        } else {
            pool_items_max
        };
        Self {
            chunk_bytes_max: payment_bytes_max * draw.within(3..=16) as u32,
            chunk_items_max,
            payment_bytes_max,
            seal_items: draw.within(1..=u64::from(chunk_items_max)) as usize,
            seal_ms: draw.magnitude(5..=500),
            packs,
            takeover_ms: draw.magnitude(200..=3_000),
            stagger_ms: draw.magnitude(50..=1_000),
            pool_items_max,
            account_items_max,
            lingers: Lingers::default(),
            reannounce_ms: draw.magnitude(200..=3_000),
            fanout: draw.within(1..=8) as usize,
            rate_period_ms,
            rate_chunks_max,
            bucket_ms: draw.magnitude(100..=10_000),
            // Whoever was down for all of a safety phase finds the bodies that it missed.
            retention_blocks: secs(30) / lanes.block_every_us + draw.within(0..=64),
            patience_ms: draw.magnitude(20..=500),
            timeout_ms: draw.magnitude(50..=1_000),
            certificates_max: draw.within(2..=8) as usize,
            unattributed: draw.split("signers").chance(150_000),
            bug: Canary::None,
            lanes,
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
    /// Shows its bodies to f+1 validators alone, acks what it has never seen, and serves nobody else.
    Withholds,
    /// Answers who asks for a body with another one, with a changed one, or with an excuse; acks what it has never seen.
    Lies,
    /// Makes chunks as large and as many as it can, and pushes bodies that no header names.
    Spams,
    /// Sends bytes that are no messages, and messages that answer nothing.
    SendsGarbage,
}

/// What is wrong with a payment from the start, if anything.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Nothing.
    Good,
    /// Its account cannot pay.
    Unaffordable,
    /// It is no payment.
    Garbage,
    /// It is too large.
    Oversized,
}

/// What a client does: it brings one payment to some nodes, and comes back to those that were busy or down.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Operation {
    /// The nodes.
    pub to: Vec<usize>,
    /// Whose payment.
    pub account: u16,
    /// Its number.
    pub number: u32,
    /// Its length.
    pub bytes: u32,
    /// How long it is valid from then on.
    pub lifetime_ms: u64,
    /// What is wrong with it.
    pub kind: Kind,
}

/// What is done to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A client's.
    Submit(Operation),
    /// What is done to lanes alone as well.
    Lane(lanes::Action),
    /// A client wants of every healthy node every body that is certified and lives, and that no block has included.
    SeekAll,
}

/// How long after the faults have stopped a client wants everything: nodes that were down are up again.
const SEEK_ALL_AFTER_US: u64 = secs(1);

/// Accounts of the workload.
const ACCOUNTS: u64 = 200;

/// The workload, and what is done to the lanes.
pub(super) fn draw_actions(
    draw: &mut Draw,
    options: &Options,
    nodes: usize,
    span: Span,
) -> Vec<Timed<Action>> {
    let lanes = lanes::draw_actions(&mut draw.split("lanes"), span);
    let lanes = lanes.into_iter().map(|it| Timed {
        at_us: it.at_us,
        action: Action::Lane(it.action),
    });
    let mut actions: Vec<_> = lanes.collect();
    actions.push(Timed {
        at_us: span.safety_us + SEEK_ALL_AFTER_US,
        action: Action::SeekAll,
    });
    let clients = draw.split("clients");
    let moments = draw.split("moments").magnitude(10..=150);
    let mut numbers = 0;
    for moment in 0..moments {
        let mut draw = clients.split_at(moment);
        let at_us = draw.within(0..=span.safety_us);
        // Mostly single payments; now and then a burst.
        let burst = if draw.chance(100_000) {
            draw.magnitude(2..=40)
        } else {
            1
        };
        for _ in 0..burst {
            numbers += 1;
            let operation = draw_operation(&mut draw, options, nodes, span, numbers);
            actions.push(Timed {
                at_us,
                action: Action::Submit(operation),
            });
        }
    }
    actions
}

fn draw_operation(
    draw: &mut Draw,
    options: &Options,
    nodes: usize,
    span: Span,
    number: u32,
) -> Operation {
    let copies = if draw.chance(150_000) {
        1 + draw.index(nodes)
    } else {
        1
    };
    let kind = match draw.below(100) {
        0..=2 => Kind::Unaffordable,
        3..=4 => Kind::Garbage,
        5 => Kind::Oversized,
        _ => Kind::Good,
    };
    let long = draw.coin();
    Operation {
        to: draw.distinct(copies, nodes),
        account: draw.magnitude(1..=ACCOUNTS) as u16,
        // One in thirty excludes another one.
        number: if draw.chance(33_000) { 0 } else { number },
        bytes: draw.within(20..=u64::from(options.payment_bytes_max)) as u32,
        lifetime_ms: if long {
            // Beyond the end of the run.
            (2 * (span.safety_us + span.liveness_us) + secs(10)) / 1_000
        } else {
            draw.magnitude(300..=20_000)
        },
        kind,
    }
}
