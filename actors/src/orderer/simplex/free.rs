//! Votes that cost nothing, for simulation.
//!
//! A signature is a number in a ledger that all schemes of a deployment share: it holds for what was signed, by whom it was
//! signed, and for nothing else. It is not known to anybody who does not share the ledger, so it cannot leave the process.

#![allow(
    missing_docs,
    reason = "the items are made by commonware's macro, which documents none"
)]

use commonware_consensus::simplex::{scheme::Namespace, types::Subject};
use commonware_cryptography::impl_certificate_mock;
use commonware_utils::N3f1;

pub use commonware_cryptography::certificate::mocks::Shared;

impl_certificate_mock!(Subject<'a, D>, Namespace, N3f1);
