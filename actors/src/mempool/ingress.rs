//! What reaches the mempool.

use super::{Amount, Source};
use crate::{
    transaction::{Checks, Invalid, Transaction},
    types::Types,
};
use commonware_actor::mailbox::Policy;
use commonware_utils::channel::oneshot;
use drystone_engine::{
    coalesce::{Coalesce, retain},
    types::Digest,
};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// What a client is told of what it submitted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It is kept until it is executed, expires, or a block makes it invalid.
    Accepted,
    /// It is known already: waiting, or executed not long ago.
    Duplicate,
    /// It is refused.
    Invalid(Invalid),
    /// There is no room, or this node is not in step with the chain.
    Busy {
        /// When to try again.
        retry_after_ms: u64,
    },
    /// This node takes no transactions, now or later: its operator has it follow blocks only.
    Closed,
}

/// Whom an answer is for: one transaction of a submission.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Client {
    /// Which submission.
    pub submission: u64,
    /// Which of its transactions.
    pub index: usize,
}

/// A chunk whose body is here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sighting<P> {
    /// Whose lane.
    pub sequencer: P,
    /// Its height.
    pub height: u64,
    /// Digest of its body.
    pub digest: Digest,
    /// The last millisecond of chain time at which it may be included.
    pub expiry_ms: u64,
    /// Its transactions.
    pub ids: Vec<Digest>,
}

/// What execution of blocks changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Executed<P> {
    /// Time of the newest block executed here.
    pub time_ms: u64,
    /// Transactions executed, and when they expire.
    pub transactions: Vec<(Digest, u64)>,
    /// The height of the last chunk included, for lanes that moved.
    pub lanes: BTreeMap<P, u64>,
}

impl<P: Ord> Executed<P> {
    /// Takes in what a later block changed.
    fn merge(&mut self, later: Self) {
        self.time_ms = self.time_ms.max(later.time_ms);
        self.transactions.extend(later.transactions);
        for (sequencer, height) in later.lanes {
            let held = self.lanes.entry(sequencer).or_insert(height);
            *held = height.max(*held);
        }
    }
}

/// This node's place in the order in which nodes take over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rank {
    /// This node's index among the sequencers.
    pub index: u32,
    /// How many sequencers there are.
    pub count: u32,
}

/// Who takes part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members<P> {
    /// Everybody that gossip is exchanged with, without this node.
    pub peers: Vec<P>,
    /// This node's place among the sequencers, if it is one: others build no chunks.
    pub rank: Option<Rank>,
}

/// What became of the transactions that were taken for a chunk.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Built<P> {
    /// They are in a chunk of this node, whose body is durable.
    Sealed(Sighting<P>),
    /// There is no chunk.
    Failed,
}

/// Where transactions for a chunk go, in the order to pack them.
pub type Batch = oneshot::Sender<Vec<Arc<Transaction>>>;

/// What the state is told. Facts in the past tense.
pub enum Message<T: Types> {
    /// A client submitted transactions.
    Submitted {
        /// What the answers name.
        submission: u64,
        /// What was read.
        transactions: Vec<Result<Arc<Transaction>, Invalid>>,
    },
    /// A peer has transactions.
    Announced {
        /// Who.
        from: T::PublicKey,
        /// Which.
        ids: Vec<Digest>,
    },
    /// A peer wants transactions.
    Requested {
        /// Who.
        from: T::PublicKey,
        /// What the answers repeat.
        request: u64,
        /// Which.
        ids: Vec<Digest>,
    },
    /// A peer has not got what it was asked for.
    Missed {
        /// Who.
        from: T::PublicKey,
        /// The request answered.
        request: u64,
        /// Which.
        ids: Vec<Digest>,
    },
    /// A peer delivered contents.
    Delivered {
        /// Who.
        from: T::PublicKey,
        /// The request answered.
        request: u64,
        /// What was read.
        transactions: Vec<Result<Arc<Transaction>, Invalid>>,
    },
    /// The application checked what it was handed last.
    Checked(Checks),
    /// A chunk's body is here.
    Sighted(Sighting<T::PublicKey>),
    /// A lane is certified up to a height.
    Certified {
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The height.
        height: u64,
    },
    /// Blocks were executed.
    Executed(Executed<T::PublicKey>),
    /// The set of peers or sequencers changed.
    Entered(Members<T::PublicKey>),
    /// Whether this node follows blocks only, as while it syncs. One that does for good is not moved by it.
    BlocksOnly(bool),
    /// The builder wants transactions.
    Asked(Batch),
    /// A build ended.
    Built(Built<T::PublicKey>),
    /// A time the state asked for came.
    Woken,
}

/// What other actors of the node, and clients, send.
pub enum Ingress<T: Types> {
    /// See [`Message::Submitted`].
    Submitted {
        /// What was read.
        transactions: Vec<Result<Arc<Transaction>, Invalid>>,
        /// Takes an answer for each.
        responder: oneshot::Sender<Vec<Answer>>,
    },
    /// See [`Message::Sighted`].
    Sighted(Sighting<T::PublicKey>),
    /// See [`Message::Certified`]: the newest height of each lane.
    Certified(BTreeMap<T::PublicKey, u64>),
    /// See [`Message::Executed`].
    Executed(Executed<T::PublicKey>),
    /// See [`Message::Entered`].
    Entered(Members<T::PublicKey>),
    /// See [`Message::BlocksOnly`].
    BlocksOnly(bool),
    /// See [`Message::Asked`].
    Asked(Batch),
    /// See [`Message::Built`].
    Built(Built<T::PublicKey>),
    /// Somebody asks what is held.
    Usage(oneshot::Sender<Amount>),
}

/// A full mailbox drops what a client submits, who is told to come back; and sightings, without which a
/// transaction may travel twice. Of everything else one of each kind is kept: heights and times are monotone,
/// settings are replaced, and the builder asks one thing at a time.
impl<T: Types> Policy for Ingress<T> {
    type Overflow = VecDeque<Self>;

    fn handle(overflow: &mut VecDeque<Self>, message: Self) {
        if matches!(message, Self::Submitted { .. } | Self::Sighted(_)) {
            return;
        }
        retain(overflow, message);
    }
}

impl<T: Types> Coalesce for Ingress<T> {
    fn absorb(&mut self, later: Self) -> Option<Self> {
        match (self, later) {
            (Self::Certified(held), Self::Certified(later)) => {
                for (sequencer, height) in later {
                    let held = held.entry(sequencer).or_insert(height);
                    *held = height.max(*held);
                }
            }
            (Self::Executed(held), Self::Executed(later)) => held.merge(later),
            (Self::Entered(held), Self::Entered(later)) => *held = later,
            (Self::BlocksOnly(held), Self::BlocksOnly(later)) => *held = later,
            (Self::Usage(held), Self::Usage(later)) => *held = later,
            (_, later) => return Some(later),
        }
        None
    }
}

/// How much may be packed now.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Readiness {
    /// Nothing.
    Nothing,
    /// Less than a chunk is sealed with at once.
    Some,
    /// A chunk is due.
    Full,
}

/// What became of a transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It was executed.
    Executed,
    /// Its time has passed.
    Expired,
    /// A block made it invalid.
    Invalid(Invalid),
}

/// What the mempool did, each once per transaction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Activity<P> {
    /// It was checked, and is kept.
    Accepted {
        /// Which.
        id: Digest,
        /// Where it came from.
        source: Source<P>,
    },
    /// An accepted one left.
    Left {
        /// Which.
        id: Digest,
        /// Why.
        verdict: Verdict,
    },
}
