//! What a lane cluster reports.

use crate::Observation;
use serde::Serialize;
use std::fmt;

/// The first eight bytes of a digest: enough to tell digests of one run apart, and readable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Short(pub u64);

impl fmt::Debug for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Short {
    /// Of a digest.
    pub fn of(digest: &[u8]) -> Self {
        let (head, _) = digest
            .split_first_chunk()
            .expect("a digest is longer than eight bytes");
        Self(u64::from_be_bytes(*head))
    }
}

impl Serialize for Short {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            serializer.collect_str(&format_args!("{:016x}", self.0))
        } else {
            serializer.serialize_u64(self.0)
        }
    }
}

/// One thing a node did or learned, or the chain's double did. Lanes are named by their sequencer's node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Seen {
    /// A sequencer sent a header for the first time.
    Proposed {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// The header's slot.
        slot: u64,
        /// The header.
        digest: Short,
    },
    /// A validator locked a header.
    Locked {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// The header's slot.
        slot: u64,
        /// The header.
        digest: Short,
        /// What it links to.
        previous: Short,
        /// Its body.
        payload: Short,
    },
    /// A validator signed an ack.
    Acked {
        /// The epoch it signed in.
        epoch: u64,
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
        /// The header's slot.
        slot: u64,
        /// The header.
        digest: Short,
    },
    /// A node took a certificate as a lane's newest.
    Certified {
        /// The epoch whose validators signed.
        epoch: u64,
        /// The lane.
        lane: usize,
        /// The height certified.
        height: u64,
        /// The header certified.
        digest: Short,
        /// Whether the harness, which holds every key, verifies it too.
        genuine: bool,
    },
    /// A node entered an epoch.
    Entered {
        /// The epoch.
        epoch: u64,
    },
    /// A node holds proof that a sequencer signed two headers for one height.
    Evidence {
        /// The lane.
        lane: usize,
        /// The height signed twice.
        height: u64,
        /// Whether the harness verifies it too.
        genuine: bool,
    },
    /// A body is durable at a node.
    Stored {
        /// The body.
        payload: Short,
    },
    /// The application refused a chunk.
    Refused {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
    },
    /// The application dropped the question for a verdict.
    Unanswered {
        /// The lane.
        lane: usize,
        /// The header's height.
        height: u64,
    },
    /// A node is told how far the chain has come.
    Told {
        /// The node.
        to: usize,
        /// Chain time, in milliseconds.
        finalized_ms: u64,
    },
    /// The chain included a lane up to a height.
    Included {
        /// Chain time of the block, in milliseconds: what a node is told of it.
        block_ms: u64,
        /// The lane.
        lane: usize,
        /// The height included.
        height: u64,
        /// Headers since the last inclusion.
        headers: u64,
        /// Of these, unexpired at the block's time.
        live: u64,
    },
}

impl Observation for Seen {
    const KINDS: &'static [&'static str] = &[
        "proposed",
        "locked",
        "acked",
        "certified",
        "entered",
        "evidence",
        "stored",
        "refused",
        "unanswered",
        "told",
        "included",
    ];

    fn kind(&self) -> &'static str {
        match self {
            Self::Proposed { .. } => "proposed",
            Self::Locked { .. } => "locked",
            Self::Acked { .. } => "acked",
            Self::Certified { .. } => "certified",
            Self::Entered { .. } => "entered",
            Self::Evidence { .. } => "evidence",
            Self::Stored { .. } => "stored",
            Self::Refused { .. } => "refused",
            Self::Unanswered { .. } => "unanswered",
            Self::Told { .. } => "told",
            Self::Included { .. } => "included",
        }
    }
}
