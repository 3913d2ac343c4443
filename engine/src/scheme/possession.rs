//! Proofs of possession for BLS12-381 keys.
//!
//! Aggregation is sound only if every key's owner knows its secret: a key computed from other people's keys could
//! otherwise sign in their name. So a validator publishes a proof beside its key, and [`prove`] and [`admit`] are the
//! two ends of it. Schemes of [`bls12381_multisig`](super::bls12381_multisig) must be made of what [`admit`] returns and of nothing else: whoever
//! builds an epoch's set, from genesis or from a finalized change of validators, passes it through here once. Threshold keys come
//! from a key generation that proves them.

use super::bls12381_multisig::Scheme;
use commonware_cryptography::{
    PublicKey,
    bls12381::primitives::{group::Private, ops, variant::Variant},
};
use commonware_utils::{Span, TryFromIterator as _, ordered::BiMap, union};
use thiserror::Error;

/// Separates proofs from acks, so that neither can be passed off as the other.
const SUFFIX: &[u8] = b"_POSSESSION";

/// Why a set of BLS keys is not admitted.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Error<P: Span> {
    /// The proof does not belong to the key beside it.
    #[error("the proof of possession of {0} does not match its key")]
    Unproven(P),
    /// Two validators share an identity or a key: each must be unique in a set.
    #[error("an identity or key occurs twice in the set: each must be unique")]
    Duplicate,
}

/// Proves that the caller holds `private`, for the deployment that `namespace` (the genesis digest) names.
pub fn prove<V: Variant>(namespace: &[u8], private: &Private) -> V::Signature {
    ops::sign_proof_of_possession::<V>(private, &union(namespace, SUFFIX))
}

/// The keys of an epoch's validators, each proven by its owner.
#[derive(Clone, Debug)]
pub struct Admitted<P: Span, V: Variant> {
    namespace: Vec<u8>,
    keys: BiMap<P, V::Public>,
}

impl<P: Span, V: Variant> Admitted<P, V> {
    /// The key of each identity.
    pub const fn keys(&self) -> &BiMap<P, V::Public> {
        &self.keys
    }
}

impl<P: PublicKey, V: Variant> Admitted<P, V> {
    /// The scheme of whoever signs nothing.
    pub fn verifier(&self) -> Scheme<P, V> {
        Scheme::verifier(&self.namespace, self.keys.clone())
    }

    /// The scheme of the owner of a key, if it is in the set.
    pub fn signer(&self, private: Private) -> Option<Scheme<P, V>> {
        Scheme::signer(&self.namespace, self.keys.clone(), private)
    }
}

/// Builds a set from `(identity, key, proof)`, if every proof holds under `namespace` and no identity or key occurs twice.
///
/// # Errors
/// If one does not, or one occurs twice.
pub fn admit<P: Span, V: Variant>(
    namespace: &[u8],
    keys: impl IntoIterator<Item = (P, V::Public, V::Signature)>,
) -> Result<Admitted<P, V>, Error<P>> {
    let proven = union(namespace, SUFFIX);
    let admitted = keys
        .into_iter()
        .map(|(identity, key, proof)| {
            match ops::verify_proof_of_possession::<V>(&key, &proven, &proof) {
                Ok(()) => Ok((identity, key)),
                Err(_) => Err(Error::Unproven(identity)),
            }
        })
        .collect::<Result<Vec<_>, _>>()?;
    let keys = BiMap::try_from_iter(admitted).map_err(|_| Error::Duplicate)?;
    let namespace = namespace.to_vec();
    Ok(Admitted { namespace, keys })
}
