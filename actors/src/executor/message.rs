//! What goes into the state, and what comes out.

use super::finalized::Finalized;
use crate::{chunk::Chunk, reference::Reference};
use bytes::Bytes;
use drystone_engine::types::{Digest, Signed, Tip, Types};
use std::{collections::BTreeMap, sync::Arc};

/// What a body turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Body {
    /// A chunk.
    Chunk(Chunk),
    /// No body of this digest is a chunk: whatever the header says, it holds nothing. Everybody finds the same.
    Malformed,
}

/// A block to execute.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<P> {
    /// Its height.
    pub height: u64,
    /// Its digest.
    pub digest: Digest,
    /// Its time.
    pub time_ms: u64,
    /// The tip of each lane it moves.
    pub tips: BTreeMap<P, Tip>,
}

impl<P: Clone> From<&Finalized<P>> for Block<P> {
    fn from(finalized: &Finalized<P>) -> Self {
        Self {
            height: finalized.height,
            digest: finalized.digest,
            time_ms: finalized.timestamp_ms,
            tips: finalized.tips.clone(),
        }
    }
}

/// A block with everything it stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ready<T: Types> {
    /// The block.
    pub block: Block<T::PublicKey>,
    /// The headers of each lane it moves, lowest first.
    pub runs: BTreeMap<T::PublicKey, Vec<Arc<Signed<T>>>>,
    /// What is not expired at the block's time, in the order of execution: by slot, then by sequencer.
    pub chunks: Vec<(Reference<T::PublicKey>, Body)>,
}

impl<T: Types> Ready<T> {
    /// What is kept of it.
    pub fn bodies(&self) -> Vec<(Reference<T::PublicKey>, Option<Bytes>)> {
        let body = |(reference, body): &(Reference<T::PublicKey>, Body)| match body {
            Body::Chunk(chunk) => Some((reference.clone(), Some(chunk.body().clone()))),
            Body::Malformed => None,
        };
        self.chunks.iter().filter_map(body).collect()
    }
}

/// What the state is told. Facts in the past tense.
#[derive(Clone, Debug)]
pub enum Message<T: Types> {
    /// A block was finalized.
    Finalized(Block<T::PublicKey>),
    /// The headers of a lane in a block are here.
    Walked {
        /// The block's height.
        height: u64,
        /// Whose lane.
        sequencer: T::PublicKey,
        /// Lowest first.
        run: Vec<Arc<Signed<T>>>,
    },
    /// A body of a block is here.
    Gathered {
        /// The block's height.
        height: u64,
        /// Which chunk.
        reference: Reference<T::PublicKey>,
        /// Its body.
        body: Body,
    },
    /// The block that was handed out is executed.
    Executed,
}

/// What the actor carries out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect<T: Types> {
    /// Ask for the headers of a lane.
    Walk {
        /// The block's height.
        height: u64,
        /// Whose lane.
        sequencer: T::PublicKey,
        /// The last included place.
        above: Tip,
        /// The block's tip.
        to: Tip,
    },
    /// Get a body, from wherever it is.
    Gather {
        /// The block's height.
        height: u64,
        /// Which chunk.
        reference: Reference<T::PublicKey>,
    },
    /// Execute a block. The next comes after this is done.
    Execute(Ready<T>),
}
