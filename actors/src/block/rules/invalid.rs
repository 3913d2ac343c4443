//! Why a block is invalid, for ever.

use drystone_engine::types::{Digest, Limits};
use std::fmt::Debug;
use thiserror::Error;

/// Which rule a block breaks.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Invalid<P: Debug> {
    /// It names another parent than the one that consensus builds on.
    #[error("it names another parent")]
    Parent,
    /// Heights count up.
    #[error("its height is {height}, its parent's is {parent}")]
    Height {
        /// The block's.
        height: u64,
        /// The parent's.
        parent: u64,
    },
    /// Chain time never stands still.
    #[error("its time is {timestamp_ms} ms: it must be above its parent's, {parent_ms} ms")]
    Timestamp {
        /// The block's.
        timestamp_ms: u64,
        /// The parent's.
        parent_ms: u64,
    },
    /// What was executed stays so.
    #[error("it names height {named} as executed, below its parent's {parent}")]
    ExecutedBelowParent {
        /// By the block.
        named: u64,
        /// By the parent.
        parent: u64,
    },
    /// Only ancestors can have been executed.
    #[error("it names height {named} as executed: it must be below its own, {height}")]
    ExecutedNoAncestor {
        /// By the block.
        named: u64,
        /// The block's height.
        height: u64,
    },
    /// Another state than the parent names, or than this node reached.
    #[error("it names root {named} at height {height}, which is {other}")]
    ExecutedRoot {
        /// The height named.
        height: u64,
        /// The root named.
        named: Digest,
        /// The root that was to be named.
        other: Digest,
    },
    /// Work may not run ahead of execution.
    #[error("at height {height} it has tips and names height {named} as executed: too far below")]
    ExecutionLag {
        /// By the block.
        named: u64,
        /// The block's height.
        height: u64,
    },
    /// One of its tips.
    #[error("the tip of lane {sequencer:?}: {fault}")]
    Tip {
        /// Whose lane.
        sequencer: P,
        /// What is wrong with it.
        fault: Fault,
    },
    /// It moves the lanes on too far.
    #[error("it stands for {0} headers: too many")]
    Headers(u64),
    /// It stands for too much.
    #[error("what it stands for is too much: {0:?}")]
    Live(Limits),
}

/// What is wrong with a tip.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Fault {
    /// Neither of the block's epoch nor of the one before.
    #[error("its certificate is of epoch {of}, the block of epoch {block}")]
    Epoch {
        /// The certificate's.
        of: u64,
        /// The block's.
        block: u64,
    },
    /// Its committee has no such sequencer, or its proof does not hold.
    #[error("its certificate is invalid")]
    Certificate,
    /// An ancestor included it, or more.
    #[error("its height is {height}, an ancestor includes the lane up to {base}")]
    NotAbove {
        /// The tip's.
        height: u64,
        /// The last one included.
        base: u64,
    },
    /// Its slot is too far ahead of the block's time.
    #[error("its slot {slot} is ahead of the block's time")]
    Ahead {
        /// The slot.
        slot: u64,
    },
    /// It expired, and moves the lane on by too little.
    #[error("its slot {slot} expired before the block's time")]
    Expired {
        /// The slot.
        slot: u64,
    },
    /// Its headers lead to another branch than the one that ancestors include.
    #[error("it does not descend from the lane's last inclusion")]
    Link,
}
