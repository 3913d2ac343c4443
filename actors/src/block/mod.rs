//! What consensus orders: certificates of lanes, and how far execution has come.
//!
//! ```text
//!   Block { parent, height, timestamp_ms, executed { height, root }, tips }
//!             |                                                 |
//!             +-- by digest                                     +-- at most one a lane: header and certificate
//! ```
//!
//! A tip stands for every chunk of its lane since the one that the parent includes, so a block's size does not grow with
//! throughput, and the lane heights along the ancestors are the whole replay protection for chunks.
//!
//! Invariants:
//! 1. A block has one encoding: what decodes encodes to the same bytes again.
//! 2. Tips are in the order of their sequencers, each once, and each certificate is over the header beside it.
//! 3. What a peer claims never decides what is allocated: see [`Bounds`].

pub(crate) mod parameters;
pub mod rules;
#[cfg(test)]
mod tests;
mod wire;

pub use parameters::{Parameters, ParametersError};
pub use wire::Bounds;

use commonware_codec::Encode as _;
use commonware_consensus::{self as consensus, Heightable, types};
use commonware_cryptography::{Digestible, Hasher as _, PublicKey, Sha256};
use drystone_engine::types::{Certificate, Digest, Header, Tip, Types};
use std::{ops::Deref, sync::Arc};

/// The state after a block, as a later block names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Executed {
    /// The height of the block.
    pub height: u64,
    /// The root of the state after it.
    pub root: Digest,
}

/// A lane's newest certificate in a block, and the header it is over.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Included<T: Types> {
    header: Header<T::PublicKey>,
    certificate: Arc<Certificate<T>>,
}

impl<T: Types> Included<T> {
    /// Puts a header and its certificate together.
    ///
    /// # Panics
    /// If the certificate is over something else.
    pub fn new(header: Header<T::PublicKey>, certificate: Arc<Certificate<T>>) -> Self {
        assert!(
            header.sequencer == certificate.sequencer && place(&header) == certificate.tip,
            "the certificate is not over the header at height {}",
            header.height
        );
        Self {
            header,
            certificate,
        }
    }

    /// Whose lane.
    pub const fn sequencer(&self) -> &T::PublicKey {
        &self.header.sequencer
    }

    /// The last header of the lane that the block includes. Its sequencer's signature is not here: the certificate says
    /// that a quorum saw it.
    pub const fn header(&self) -> &Header<T::PublicKey> {
        &self.header
    }

    /// Its certificate.
    pub const fn certificate(&self) -> &Arc<Certificate<T>> {
        &self.certificate
    }

    /// The header's place in the lane.
    pub fn tip(&self) -> Tip {
        self.certificate.tip
    }
}

/// The place of a header in its lane.
fn place<P: PublicKey>(header: &Header<P>) -> Tip {
    Tip {
        height: header.height,
        slot: header.slot,
        digest: Sha256::hash(&[&header.encode()]),
    }
}

/// What a block says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body<T: Types> {
    /// The digest of the block below.
    pub parent: Digest,
    /// Counts up from 1; 0 is the genesis block.
    pub height: u64,
    /// Chain time at this block, in milliseconds since the Unix epoch. Strictly above the parent's.
    pub timestamp_ms: u64,
    /// The newest state that the proposer and 2f others had reached.
    pub executed: Executed,
    /// At most one of a lane, in the order of their sequencers.
    pub tips: Vec<Included<T>>,
}

/// A block: what it says, and the digest of that, computed once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block<T: Types> {
    body: Body<T>,
    digest: Digest,
}

impl<T: Types> Block<T> {
    /// Names what a block says.
    ///
    /// # Panics
    /// If the tips are not in the order of their sequencers, or one occurs twice.
    pub fn new(body: Body<T>) -> Self {
        assert!(
            body.tips.is_sorted_by(|a, b| a.sequencer() < b.sequencer()),
            "tips are ordered by sequencer, each lane once"
        );
        let digest = Sha256::hash(&[&body.encode()]);
        Self { body, digest }
    }

    /// The block that every chain of a deployment begins with. It is agreed on, not proposed.
    pub fn genesis(genesis: Digest, timestamp_ms: u64, root: Digest) -> Self {
        Self::new(Body {
            parent: Sha256::hash(&[b"drystone chain", genesis.as_ref()]),
            height: 0,
            timestamp_ms,
            executed: Executed { height: 0, root },
            tips: Vec::new(),
        })
    }

    /// The block's digest.
    pub const fn digest(&self) -> Digest {
        self.digest
    }
}

impl<T: Types> Deref for Block<T> {
    type Target = Body<T>;

    fn deref(&self) -> &Body<T> {
        &self.body
    }
}

impl<T: Types> Digestible for Block<T> {
    type Digest = Digest;

    fn digest(&self) -> Digest {
        self.digest
    }
}

impl<T: Types> Heightable for Block<T> {
    fn height(&self) -> types::Height {
        types::Height::new(self.body.height)
    }
}

impl<T: Types> consensus::Block for Block<T> {
    fn parent(&self) -> Digest {
        self.body.parent
    }
}
