//! The nouns of the certified lane.
//!
//! | type | is |
//! |---|---|
//! | [`Header`] | one link of a lane: what is hashed and signed |
//! | [`Signed`] | a header with its sequencer's signature and its digest |
//! | [`Tip`] | the place of a header in its lane: height, slot, digest |
//! | [`Certificate`] | 2f+1 acks of one epoch over one tip |
//! | [`Committee`] | who may sequence and who may ack in one epoch |
//! | [`Evidence`] | proof that a sequencer signed two headers for one height |

mod certificate;
mod committee;
mod evidence;
mod genesis;
mod header;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use certificate::{Certificate, Proof};
pub use committee::{Bounds, Committee, Provider};
pub use evidence::Evidence;
pub use genesis::{Genesis, GenesisError, Limits};
pub use header::{Header, Payload, Signed, Tip};

use crate::{
    activity::{Automaton, Reporter},
    scheme::Scheme,
};
use commonware_cryptography::{PublicKey, Signer, sha256};
use commonware_parallel::Strategy;
use std::fmt::Debug;

/// The digest of headers, payloads and the genesis.
pub type Digest = sha256::Digest;

/// The nouns of one deployment, chosen once and threaded everywhere as `T`.
pub trait Types: Clone + Debug + Eq + Send + Sync + 'static {
    /// Names a node, and verifies what its sequencer signed.
    type PublicKey: PublicKey;
    /// Signs the headers of this node's own lane.
    type PrivateKey: Signer<PublicKey = Self::PublicKey, Signature = Signature<Self>>;
    /// Signs acks and assembles certificates.
    type Scheme: Scheme<Self::PublicKey>;
    /// Where expensive verification runs.
    type Strategy: Strategy;
    /// Owns the chunks' bodies.
    type Automaton: Automaton<Self>;
    /// Takes what the engine reports.
    type Reporter: Reporter<Self>;
}

/// A signature under a header.
pub type Signature<T> = <<T as Types>::PublicKey as commonware_cryptography::Verifier>::Signature;
