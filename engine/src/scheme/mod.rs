//! What a validator signs when it acknowledges a chunk header, and the certificate schemes that sign it.
//!
//! [`AckSubject`] is the whole of it: epoch, sequencer, height, slot and the header's digest. The schemes are
//! commonware's, each bound to this subject by one macro line; [`free`] is our own for simulation.
//!
//! | module | certificate | a signer can be blamed |
//! |---|---|---|
//! | [`ed25519`] | one signature per signer | yes |
//! | [`secp256r1`] | one signature per signer | yes |
//! | [`bls12381_multisig`] | one aggregate and a bitmap; keys need a proof of [`possession`] | yes |
//! | [`bls12381_threshold`] | one signature of the group | no |
//! | [`free`] | one tag and a bitmap, checked by recomputing it | yes |
//!
//! Invariants:
//! 1. Two different subjects never have the same signed bytes: every field has a fixed width.
//! 2. A certificate is decoded with the bounds of its own epoch's set (`certificate_codec_config`), so what it
//!    claims never decides what is allocated.
//! 3. Nothing here reads a clock, a disk or a random source that the caller did not pass.

use commonware_cryptography::{PublicKey, certificate, sha256::Digest};
use commonware_utils::N3f1;

#[cfg(feature = "mocks")]
pub mod fixture;
#[cfg(feature = "mocks")]
pub mod free;
pub mod possession;
mod subject;
#[cfg(all(test, feature = "mocks"))]
mod tests;

pub use subject::{AckNamespace, AckSubject};

/// A certificate scheme over [`AckSubject`]: 2f+1 of 3f+1 validators identified by keys of type `P`.
///
/// Implemented for everything that fits; nobody implements it by hand. The traits below are generic over the
/// digest type, here it is always [`Digest`]: write `scheme.sign::<Digest>(subject)`.
pub trait Scheme<P: PublicKey>:
    for<'a> certificate::Scheme<Subject<'a, Digest> = AckSubject<'a, P>, PublicKey = P, Faults = N3f1>
{
}

impl<P: PublicKey, S> Scheme<P> for S where
    S: for<'a> certificate::Scheme<
            Subject<'a, Digest> = AckSubject<'a, P>,
            PublicKey = P,
            Faults = N3f1,
        >
{
}

/// Acks signed with the validator's own ed25519 identity.
pub mod ed25519 {
    use super::{AckNamespace, AckSubject};
    use commonware_cryptography::{ed25519, impl_certificate_ed25519};
    use commonware_utils::N3f1;

    impl_certificate_ed25519!(AckSubject<'a, ed25519::PublicKey>, AckNamespace, N3f1);
}

/// Acks signed with a BLS12-381 key of the validator's own, aggregated into one signature.
///
/// Made by [`possession::Admitted`] alone, of keys that are proven; the rule is kept by `simulator/tests/tidy.rs`.
pub mod bls12381_multisig {
    use super::{AckNamespace, AckSubject};
    use commonware_cryptography::impl_certificate_bls12381_multisig;
    use commonware_utils::N3f1;

    impl_certificate_bls12381_multisig!(AckSubject<'a, P>, AckNamespace, N3f1);
}

/// Acks signed with a share of the epoch's BLS12-381 group key. A bad partial signature cannot be shown to others.
pub mod bls12381_threshold {
    use super::{AckNamespace, AckSubject};
    use commonware_cryptography::impl_certificate_bls12381_threshold;
    use commonware_utils::N3f1;

    impl_certificate_bls12381_threshold!(AckSubject<'a, P>, AckNamespace, N3f1);
}

/// Acks signed with a secp256r1 key of the validator's own (hardware modules hold such keys).
pub mod secp256r1 {
    use super::{AckNamespace, AckSubject};
    use commonware_cryptography::impl_certificate_secp256r1;
    use commonware_utils::N3f1;

    impl_certificate_secp256r1!(AckSubject<'a, P>, AckNamespace, N3f1);
}
