//! What a cluster of whole nodes reports.

use super::forger::Forgery;
use crate::{
    Observation,
    lanes::{self, Short},
};
use serde::Serialize;

/// One thing a node did or learned. Lanes and accounts are named by numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// What lanes alone report as well.
    Lane(lanes::Seen),
    /// The body of a live chunk is at a node.
    Kept {
        /// The body.
        payload: Short,
    },
    /// A client signed a transfer.
    Signed {
        /// The transfer.
        id: Short,
        /// Who pays.
        from: u16,
        /// Who is paid.
        to: u16,
        /// How much.
        amount: u64,
        /// The fee.
        fee: u64,
        /// Its nonce.
        nonce: u64,
        /// When it expires.
        expiry_ms: u64,
    },
    /// A node answered a client.
    Answered {
        /// The transfer.
        id: Short,
        /// What it answered.
        answer: Answer,
    },
    /// A node's mempool checked a transfer and keeps it.
    Accepted {
        /// The transfer.
        id: Short,
        /// Whether a client of this node brought it.
        client: bool,
    },
    /// A transfer left a node's mempool.
    Left {
        /// The transfer.
        id: Short,
        /// Why.
        verdict: Leaving,
    },
    /// A node opened its state when it started.
    Opened {
        /// The height of the state.
        height: u64,
        /// Its root.
        root: Short,
    },
    /// A block is final at a node.
    Finalized {
        /// Its height.
        height: u64,
        /// The block.
        digest: Short,
        /// The block that it names as its parent.
        parent: Short,
        /// Its time.
        time_ms: u64,
        /// Where it moves lanes to.
        tips: Vec<Tip>,
        /// The height of the state that it names.
        executed: u64,
        /// The root of that state.
        root: Short,
    },
    /// A Byzantine leader proposes a block that breaks a rule.
    Forged {
        /// The block.
        digest: Short,
        /// Which rule.
        forgery: Forgery,
    },
    /// A node was asked to vote for a block that can never become valid.
    Refused {
        /// Why.
        reason: String,
    },
    /// A node executed a block, and says so to whoever asks.
    Executed {
        /// Its height.
        height: u64,
        /// The block.
        digest: Short,
        /// Its time.
        time_ms: u64,
        /// The root of the state after it.
        root: Short,
        /// Headers that it moves its lanes on by.
        headers: u64,
        /// Of these, unexpired.
        chunks: u64,
        /// Bytes that the headers of its unexpired chunks count.
        bytes: u64,
        /// Transfers that the headers of its unexpired chunks count.
        items: u64,
        /// What became of each transfer, in order.
        results: Vec<(Short, Fate)>,
    },
    /// What a node proved of its accounts, all in one state.
    Audited {
        /// The height of the state.
        height: u64,
        /// Its root.
        root: Short,
        /// Balance and nonce of each account, the collector's last.
        accounts: Vec<(u64, u64)>,
        /// Whether every proof holds against the root.
        proven: bool,
    },
}

/// Where a block moves a lane to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Tip {
    /// The lane.
    pub lane: usize,
    /// The epoch whose validators certified it.
    pub epoch: u64,
    /// The header's height.
    pub height: u64,
    /// The header's slot.
    pub slot: u64,
    /// The header.
    pub digest: Short,
    /// What it links to.
    pub previous: Short,
    /// Whether the harness, which holds every key, verifies its certificate too.
    pub genuine: bool,
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
    /// Never.
    Closed,
}

/// Why a transfer left a mempool.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Leaving {
    /// It was executed.
    Executed,
    /// Its time has passed.
    Expired,
    /// It cannot be executed any more.
    Invalid,
}

/// What became of a transfer in a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It was executed.
    Executed,
    /// It was executed before.
    Duplicate,
    /// The block's time is not within its validity.
    Untimely,
    /// The ledger refused it.
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
        "kept",
        "signed",
        "answered",
        "accepted",
        "left",
        "opened",
        "finalized",
        "forged",
        "refused",
        "executed",
        "audited",
    ];

    fn kind(&self) -> &'static str {
        match self {
            Self::Lane(seen) => seen.kind(),
            Self::Kept { .. } => "kept",
            Self::Signed { .. } => "signed",
            Self::Answered { .. } => "answered",
            Self::Accepted { .. } => "accepted",
            Self::Left { .. } => "left",
            Self::Opened { .. } => "opened",
            Self::Finalized { .. } => "finalized",
            Self::Forged { .. } => "forged",
            Self::Refused { .. } => "refused",
            Self::Executed { .. } => "executed",
            Self::Audited { .. } => "audited",
        }
    }
}
