//! What goes into the state, and what comes out.

use super::record::Record;
use crate::{
    chunk::{self, Chunk},
    reference::Reference,
};
use bytes::Bytes;
use drystone_engine::{Horizon, Verdict, types::Digest};

/// Bodies in one bucket, at most: a bucket's number and one in it make an index of the archive.
const NUMBERS: u64 = 1 << 24;

/// Where a body lies among those that wait for a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Location {
    /// Its expiry divided by the length of a bucket; of a draft, a later one.
    pub bucket: u64,
    /// Its number in the bucket.
    pub number: u64,
}

impl Location {
    /// Items of one section of the archive.
    pub const PER_BUCKET: u64 = NUMBERS;

    /// Its index in the archive.
    pub const fn index(&self) -> u64 {
        self.bucket * NUMBERS + self.number
    }

    /// What [`index`](Self::index) was made of.
    pub const fn at(index: u64) -> Self {
        Self {
            bucket: index / NUMBERS,
            number: index % NUMBERS,
        }
    }
}

/// What the state is told. Facts in the past tense.
#[derive(Debug)]
pub enum Message<P> {
    /// The engine locked a header and asks for the verdict.
    Asked(Reference<P>),
    /// A body arrived whose digest is the one named: from the chunk's producer, or fetched.
    Arrived {
        /// Whose.
        reference: Reference<P>,
        /// The body, or what is wrong with its form.
        chunk: Result<Chunk, chunk::Error>,
        /// Whether its producer sent it unasked, so that its header may still be on its way.
        pushed: bool,
    },
    /// The application looked at a body.
    Checked {
        /// Whose.
        reference: Reference<P>,
        /// The body.
        chunk: Chunk,
        /// What it found.
        valid: bool,
    },
    /// This node's builder packed a chunk.
    Packed(Chunk),
    /// A block was executed that holds these chunks, and their bodies were copied under its height.
    Kept {
        /// The height of the block.
        height: u64,
        /// Those chunks.
        references: Vec<Reference<P>>,
    },
    /// A certificate covers a lane up to a height: nobody asks for what it covers.
    Certified {
        /// Whose lane.
        sequencer: P,
        /// The height.
        height: u64,
    },
    /// The chain moved.
    Advanced(Horizon<P>),
    /// All writes up to a position are durable.
    Synced(u64),
}

/// What the actor carries out.
#[derive(Debug, PartialEq, Eq)]
pub enum Effect<P> {
    /// Tell the engine, if it waits.
    Answer(Reference<P>, Verdict),
    /// Ask the relay for a body.
    Want(Reference<P>),
    /// The relay need not look for it any more.
    Settle(Reference<P>),
    /// Ask the application.
    Check(Reference<P>, Chunk),
    /// Write; the position of each write is the previous one's plus one.
    Write(Location, Record<P>),
    /// Read the body at one location and write it at another.
    Move {
        /// Where it lies.
        from: Location,
        /// Where it must lie as well.
        to: Location,
        /// Whose it is.
        reference: Reference<P>,
        /// Whether it lies there as a draft.
        sealed: bool,
    },
    /// An own body is durable, or was refused.
    Persisted(Digest, bool),
    /// What a block accepted is durable.
    Accepted(u64),
    /// Remove the sections of buckets before this one.
    Prune(u64),
    /// Remove the sections of accepted bodies below this height.
    Retire(u64),
    /// Quota was freed: the engine should ask again.
    Stir,
}

/// Where to read a body that a block accepts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// It was given along.
    Given(Bytes),
    /// It waits for a block here.
    Stored(Location),
    /// Neither: only if it was accepted before is all well.
    Nowhere,
}

/// Why a body is not here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// Never seen, or not yet.
    Unknown,
    /// Executed time is past its expiry.
    Expired,
    /// Its block is below the retention limit.
    Pruned,
}
