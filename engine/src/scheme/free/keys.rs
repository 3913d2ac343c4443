//! Free identity keys.

use super::mix::Mix;
use bytes::BufMut;
use commonware_codec::{Buf, Error, FixedArray, FixedSize, Read, ReadExt, Write};
use commonware_cryptography::{BatchEntry, BatchVerifier, Signer, Verifier};
use commonware_math::algebra::Random;
use commonware_parallel::Strategy;
use commonware_utils::{Array, Span};
use rand_core::CryptoRng;
use std::{fmt, ops::Deref};

/// Implements what the byte arrays below have in common.
macro_rules! impl_bytes {
    ($name:ident, $size:expr) => {
        impl Write for $name {
            fn write(&self, buf: &mut impl BufMut) {
                self.0.write(buf);
            }
        }

        impl Read for $name {
            type Cfg = ();

            fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
                Ok(Self(ReadExt::read(buf)?))
            }
        }

        impl FixedSize for $name {
            const SIZE: usize = $size;
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl Deref for $name {
            type Target = [u8];

            fn deref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                fmt::Display::fmt(self, f)
            }
        }

        impl Span for $name {}

        impl Array for $name {}
    };
}

/// The private half. It holds nothing the public half does not: nothing here is secret.
#[derive(Clone, Debug)]
pub struct PrivateKey(PublicKey);

/// The public half: 32 bytes, any value valid.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, FixedArray)]
#[fixed_array(infallible)]
pub struct PublicKey([u8; 32]);

/// The mix of a public key, a namespace and a message.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, FixedArray)]
#[fixed_array(infallible)]
pub struct Signature([u8; 16]);

impl_bytes!(PublicKey, 32);
impl_bytes!(Signature, 16);

impl Signature {
    /// The signature that says `tag`.
    pub(super) const fn new(tag: u128) -> Self {
        Self(tag.to_le_bytes())
    }

    /// The mix this signature claims to be.
    pub(super) const fn tag(&self) -> u128 {
        u128::from_le_bytes(self.0)
    }
}

impl Random for PrivateKey {
    fn random(mut rng: impl CryptoRng) -> Self {
        let mut key = [0; 32];
        rng.fill_bytes(&mut key);
        Self(PublicKey(key))
    }
}

impl Write for PrivateKey {
    fn write(&self, buf: &mut impl BufMut) {
        self.0.write(buf);
    }
}

impl Read for PrivateKey {
    type Cfg = ();

    fn read_cfg(buf: &mut impl Buf, _: &()) -> Result<Self, Error> {
        Ok(Self(ReadExt::read(buf)?))
    }
}

impl FixedSize for PrivateKey {
    const SIZE: usize = PublicKey::SIZE;
}

impl Signer for PrivateKey {
    type Signature = Signature;
    type PublicKey = PublicKey;

    fn public_key(&self) -> PublicKey {
        self.0.clone()
    }

    fn sign(&self, namespace: &[u8], message: &[u8]) -> Signature {
        self.0.expected(namespace, message)
    }
}

impl PublicKey {
    /// The one signature of this key over `message`.
    fn expected(&self, namespace: &[u8], message: &[u8]) -> Signature {
        Signature::new(Mix::keyed(&self.0, namespace).bytes(message).finish())
    }
}

impl Verifier for PublicKey {
    type Signature = Signature;

    fn verify(&self, namespace: &[u8], message: &[u8], signature: &Signature) -> bool {
        self.expected(namespace, message) == *signature
    }
}

impl BatchVerifier for PublicKey {
    fn verify_batch<'a, R, T, F>(_: &mut R, items: &'a [T], project: F, _: &impl Strategy) -> bool
    where
        R: CryptoRng,
        T: Sync,
        F: Fn(usize, &'a T) -> BatchEntry<'a, Self> + Sync,
    {
        !items.is_empty()
            && items.iter().enumerate().all(|(index, item)| {
                let entry = project(index, item);
                entry
                    .public_key
                    .verify(entry.namespace, entry.message, entry.signature)
            })
    }
}

impl commonware_cryptography::PrivateKey for PrivateKey {}

impl commonware_cryptography::PublicKey for PublicKey {}

impl commonware_cryptography::Signature for Signature {}

#[cfg(test)]
mod tests;
