//! The nouns of the actors, chosen once.

use crate::{
    bodies::Bodies,
    mempool::Observer,
    transaction::{Admission, Rules},
};
use commonware_cryptography::PublicKey;

/// The nouns of one deployment, threaded through the actors as `T`.
pub trait Types: Send + Sync + 'static {
    /// Names a node.
    type PublicKey: PublicKey;
    /// What the application says of transactions.
    type Rules: Rules;
    /// What a place in a chunk is charged.
    type Admission: Admission;
    /// Takes what the mempool reports.
    type Observer: Observer<Self::PublicKey>;
    /// Keeps the bodies of chunks.
    type Bodies: Bodies;
}
