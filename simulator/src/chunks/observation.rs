//! What a cluster of chunks reports.

use crate::{
    Observation,
    lanes::{self, Short},
};
use serde::Serialize;

/// One thing a node did or learned, or a double did. Lanes are named by their sequencer's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// What lanes alone report as well.
    Lane(lanes::Seen),
    /// A node answered a client.
    Answered {
        /// The payment.
        id: Short,
        /// What it answered.
        answer: Answer,
    },
    /// A node's mempool checked a payment and keeps it.
    Accepted {
        /// The payment.
        id: Short,
        /// When it expires.
        expiry_ms: u64,
        /// Whether a client of this node brought it.
        client: bool,
    },
    /// A payment left a node's mempool.
    Left {
        /// The payment.
        id: Short,
        /// Why.
        verdict: Leaving,
    },
    /// A node's builder packed payments into a body.
    Packed {
        /// The body.
        payload: Short,
        /// The payments, in their order.
        ids: Vec<Short>,
    },
    /// The body of a live chunk is at a node, which has reserved its quota.
    Kept {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// The header's slot.
        slot: u64,
        /// The body.
        payload: Short,
        /// Its length.
        bytes: u32,
        /// The payments in it.
        items: u32,
    },
    /// After a restart a node was asked for a body that it locked, acked or made in an earlier life.
    Asked {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// The header's slot.
        slot: u64,
        /// The body.
        payload: Short,
        /// Its length.
        bytes: u32,
        /// Whether it was there.
        found: bool,
    },
    /// A node's relay handed out a body that was fetched.
    Fetched {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// Whether it is the one asked for.
        genuine: bool,
    },
    /// A client of the harness wants a certified body of a node that has not got it from the chain.
    Sought {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// When it expires.
        expiry_ms: u64,
    },
    /// A node's certificate pool handed out a tip for a block.
    Selected {
        /// The lane.
        lane: usize,
        /// The tip's height.
        height: u64,
        /// The tip's slot.
        slot: u64,
        /// The time of the block.
        at_ms: u64,
        /// Headers that it stands for, if it links to the lane's last inclusion.
        headers: Option<u64>,
    },
    /// A node has all bodies of a block, and hands them to its chunk store.
    Gathered {
        /// The block's height.
        height: u64,
        /// Its time.
        time_ms: u64,
    },
    /// A node executed a block.
    Executed {
        /// The block's height.
        height: u64,
        /// Its time.
        time_ms: u64,
        /// The payments made, in their order.
        ids: Vec<Short>,
    },
    /// What a node holds in memory, by its own account.
    Used {
        /// Payments in the mempool.
        items: u64,
        /// Their bytes.
        bytes: u64,
        /// Bytes of the bodies in the chunk store's memory.
        memory: u64,
        /// What of the chunk store's is whose.
        shares: Vec<Share>,
    },
}

/// What a node's chunk store has of one lane, by its own account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The lane.
    pub lane: usize,
    /// Chunks neither executed nor expired.
    pub chunks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Bodies in memory.
    pub bodies: u64,
    /// Their bytes.
    pub memory: u64,
    /// The most bytes of bodies in memory at any time of this life.
    pub memory_most: u64,
}

/// What a client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// It is kept.
    Accepted,
    /// It is known.
    Duplicate,
    /// It is refused.
    Invalid,
    /// Not now.
    Busy,
    /// The node is down.
    Down,
}

/// Why a payment left.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// It was made.
    Executed,
    /// Its time has passed.
    Expired,
    /// It cannot be made any more.
    Invalid,
}

impl Observation for Seen {
    const KINDS: &'static [&'static str] = &[
        "proposed",
        "locked",
        "acked",
        "certified",
        "entered",
        "evidence",
        "told",
        "included",
        "answered",
        "accepted",
        "left",
        "packed",
        "kept",
        "asked",
        "fetched",
        "sought",
        "selected",
        "gathered",
        "executed",
        "used",
    ];

    fn kind(&self) -> &'static str {
        match self {
            Self::Lane(seen) => seen.kind(),
            Self::Answered { .. } => "answered",
            Self::Accepted { .. } => "accepted",
            Self::Left { .. } => "left",
            Self::Packed { .. } => "packed",
            Self::Kept { .. } => "kept",
            Self::Asked { .. } => "asked",
            Self::Fetched { .. } => "fetched",
            Self::Sought { .. } => "sought",
            Self::Selected { .. } => "selected",
            Self::Gathered { .. } => "gathered",
            Self::Executed { .. } => "executed",
            Self::Used { .. } => "used",
        }
    }
}
