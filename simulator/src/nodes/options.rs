//! What a swarm draws about whole nodes.

use crate::{chunks, draw::Draw, plan::Timed, system::Span, time::secs};
use serde::{Deserialize, Serialize};

/// The settings of a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Options {
    /// Those of its chunks and lanes. What they say of the doubles of the chain and of execution counts for nothing here.
    pub chunks: chunks::Options,
    /// Blocks in an epoch.
    pub epoch_blocks: u64,
    /// Whether the application names the sets of an epoch, with the last block of the one before; else the genesis does.
    pub named: bool,
    /// Least time from one block to the next.
    pub interval_ms: u64,
    /// How long a leader waits for something to include.
    pub empty_gap_ms: u64,
    /// How much longer than that it is waited for.
    pub patience_ms: u64,
    /// How far a block may be ahead of a clock.
    pub skew_ms: u64,
    /// How far behind its height the state may be that a block with tips names.
    pub execution_lag_max: u64,
    /// Blocks that consensus hands out and that are not executed, at most.
    pub unacknowledged_max: usize,
    /// Bytes of bodies gathered ahead.
    pub ahead_bytes: u64,
    /// How long before its expiry a transfer may be executed.
    pub transaction_window_ms: u64,
    /// Blocks kept for those who are behind.
    pub retention_blocks: u64,
    /// Accounts.
    pub accounts: u16,
    /// What each has at the start.
    pub balance: u64,
    /// Nodes that take so many milliseconds to execute a block.
    pub slow: Vec<(usize, u64)>,
    /// Fees of an account's transfers in live chunks of one node, at most.
    pub bond_max: u64,
    /// Nodes that follow blocks only, for good.
    #[serde(default)]
    pub archives: Vec<usize>,
}

/// The least fee.
pub const FEE_MIN: u64 = 2;

impl Options {
    /// A cluster in which every node validates and sequences, with blocks every 250 ms.
    pub fn all(nodes: usize) -> Self {
        Self {
            chunks: chunks::Options::all(nodes),
            epoch_blocks: 1 << 20,
            named: false,
            interval_ms: 250,
            empty_gap_ms: 1_000,
            patience_ms: 1_000,
            skew_ms: 500,
            execution_lag_max: 16,
            unacknowledged_max: 16,
            ahead_bytes: 1 << 22,
            transaction_window_ms: 120_000,
            retention_blocks: 1 << 12,
            accounts: 16,
            balance: 1 << 40,
            slow: Vec::new(),
            bond_max: 1 << 20,
            archives: Vec::new(),
        }
    }

    pub(super) fn without(&self, gone: usize) -> Self {
        let moved = |node: &usize| node - usize::from(*node > gone);
        let slow = self.slow.iter().filter(|it| it.0 != gone);
        let archives = self.archives.iter().filter(|it| **it != gone);
        Self {
            chunks: self.chunks.without(gone),
            slow: slow.map(|(node, ms)| (moved(node), *ms)).collect(),
            archives: archives.map(moved).collect(),
            ..self.clone()
        }
    }

    /// Whether a node is in no set of some epoch: the others must know of it, or what its clients bring it goes nowhere then.
    pub fn follows(&self, node: usize) -> bool {
        let lanes = &self.chunks.lanes;
        let sits_out = lanes.validators.iter().any(|it| !it.contains(&node));
        sits_out && !lanes.sequencers.contains(&node)
    }

    pub(super) fn draw(draw: &mut Draw, nodes: usize) -> Self {
        let mut chunks = chunks::Options::draw(&mut draw.split("chunks"), nodes);
        chunks.packs = true;
        // A transfer and its signature have a fixed size.
        chunks.payment_bytes_max = 256;
        chunks.chunk_bytes_max = chunks.chunk_bytes_max.max(1_024);
        // Whoever is asked to take a transfer has room for it.
        chunks.pool_items_max = chunks.pool_items_max.max(256);
        chunks.account_items_max = chunks.account_items_max.max(64);
        let lanes = &mut chunks.lanes;
        // What is certified must meet a few blocks before it expires, or nothing is ever executed.
        lanes.window_ms = lanes.window_ms.max(6_000);
        let last = nodes - 1;
        let others = lanes.sequencers.iter().any(|it| *it != last);
        if nodes > 4 && others && draw.split("follower").chance(250_000) {
            lanes.sequencers.retain(|it| *it != last);
            lanes.validators[0].retain(|it| *it != last);
        }
        if nodes > 4 && draw.chance(400_000) {
            // From epoch to epoch another one sits out.
            let all: Vec<usize> = lanes.validators[0].clone();
            let epochs = draw.within(2..=4) as usize;
            if all.len() > 4 {
                lanes.validators = (0..epochs)
                    .map(|epoch| {
                        let out = all[epoch % all.len()];
                        all.iter().copied().filter(|it| *it != out).collect()
                    })
                    .collect();
            }
        }
        let interval_ms = draw.magnitude(100..=500);
        let empty_gap_ms = interval_ms + draw.magnitude(50..=1_000);
        let unacknowledged_max = draw.within(2..=24) as usize;
        let epochs = draw.chance(600_000);
        let epoch_blocks = if epochs {
            draw.within(25..=80)
        } else {
            1 << 20
        };
        let slow = if draw.chance(200_000) {
            let count = 1 + draw.index(nodes);
            let slow = draw.distinct(count, nodes);
            slow.into_iter()
                .map(|node| (node, draw.magnitude(10..=500)))
                .collect()
        } else {
            Vec::new()
        };
        Self {
            epoch_blocks,
            named: draw.coin(),
            interval_ms,
            empty_gap_ms,
            patience_ms: draw.within(600..=2_000),
            skew_ms: draw.within(300..=1_000),
            execution_lag_max: draw.within(2..=32),
            unacknowledged_max,
            ahead_bytes: draw.magnitude(4_096..=1 << 20),
            transaction_window_ms: draw.magnitude(20_000..=120_000),
            // Whoever was down for all of a safety phase finds what it missed.
            retention_blocks: 30_000 / interval_ms + draw.within(64..=256),
            accounts: draw.within(2..=20) as u16,
            balance: 1 << 40,
            slow,
            bond_max: draw.magnitude(8..=1 << 20),
            archives: Vec::new(),
            chunks,
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
    /// Two nodes with one key, each with a disk of its own, each shown to a part of the others: whatever one key can sign
    /// twice is signed twice.
    Twins,
    /// Changes bytes in some of what it sends.
    Garbles,
    /// Sends bodies and blocks to few, and answers nobody who missed one of the chain's.
    Withholds,
    /// As a leader it proposes blocks that break a rule, one or another ([`Forgery`](super::Forgery)), and knows no limits to
    /// what a block may stand for.
    Forges,
    /// Takes part in nothing but gossip and lanes: as a leader it proposes nothing, and never votes.
    Abstains,
}

/// What is wrong with a transfer that no wallet sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Noise {
    /// It is no transfer.
    Garbage,
    /// Nobody signed it.
    Unsigned,
    /// Its account cannot pay.
    Overdrawn,
    /// It is the first one of its account again, executed or not.
    Replayed,
    /// It expires beyond what may be kept.
    Late,
}

/// A client's wish: it brings a transfer to some nodes, and comes back, there or elsewhere, until it is executed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Intent {
    /// The nodes.
    pub to: Vec<usize>,
    /// Who pays.
    pub from: u16,
    /// Who is paid.
    pub payee: u16,
    /// How much.
    pub amount: u64,
    /// The fee beyond the least.
    pub tip: u64,
    /// How long each version of it is valid.
    pub lifetime_ms: u64,
    /// Whether it has no turn among the others of its account.
    #[serde(default)]
    pub unnumbered: bool,
    /// Whether the client knows no nodes but these. One whose nodes are all faulty gets to know others.
    #[serde(default)]
    pub loyal: bool,
}

/// What is done to a cluster.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// A wallet wants a transfer.
    Pay(Intent),
    /// Somebody sends what is none.
    Annoy {
        /// Whom.
        node: usize,
        /// Whose account it concerns.
        account: u16,
        /// What is wrong with it.
        noise: Noise,
    },
}

/// The workload.
pub(super) fn draw_actions(
    draw: &mut Draw,
    options: &Options,
    nodes: usize,
    span: Span,
) -> Vec<Timed<Action>> {
    let clients = draw.split("clients");
    let moments = draw.split("moments").magnitude(10..=150);
    let mut actions = Vec::new();
    for moment in 0..moments {
        let mut draw = clients.split_at(moment);
        let at_us = draw.within(0..=span.safety_us);
        if draw.chance(100_000) {
            let noises = [
                Noise::Garbage,
                Noise::Unsigned,
                Noise::Overdrawn,
                Noise::Replayed,
                Noise::Late,
            ];
            actions.push(Timed {
                at_us,
                action: Action::Annoy {
                    node: draw.index(nodes),
                    account: draw.below(u64::from(options.accounts)) as u16,
                    noise: *draw.pick(&noises),
                },
            });
            continue;
        }
        // Mostly single transfers; now and then a burst.
        let burst = if draw.chance(100_000) {
            draw.magnitude(2..=30)
        } else {
            1
        };
        for _ in 0..burst {
            let action = Action::Pay(draw_intent(&mut draw, options, nodes));
            actions.push(Timed { at_us, action });
        }
    }
    actions
}

fn draw_intent(draw: &mut Draw, options: &Options, nodes: usize) -> Intent {
    let copies = if draw.chance(150_000) {
        1 + draw.index(nodes)
    } else {
        1
    };
    let from = (draw.magnitude(1..=u64::from(options.accounts)) - 1) as u16;
    let other = draw.within(1..=u64::from(options.accounts) - 1) as u16;
    // Most outlive the run; the rest expire now and then, and are signed again.
    let lifetime_ms = if draw.coin() {
        options.transaction_window_ms * 3 / 4
    } else {
        draw.magnitude(2_000..=options.transaction_window_ms * 3 / 4)
    };
    Intent {
        to: draw.distinct(copies, nodes),
        from,
        payee: (from + other) % options.accounts,
        amount: draw.magnitude(1..=1 << 20),
        tip: draw.within(0..=3),
        lifetime_ms,
        unnumbered: draw.chance(250_000),
        loyal: draw.split("loyal").chance(150_000),
    }
}

/// How long a run may take to settle after its faults. What one account wants comes about in turn: some hundred transfers, a block
/// or a little more for each, and where validators that lost their disks lead their views in vain a block takes a second.
pub(super) const fn liveness_us(options: &Options) -> u64 {
    secs(180) + options.chunks.lanes.window_ms * 1_000
}
